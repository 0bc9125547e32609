"""The parts of consent and their texts.

A text never changes after it was agreed to: new wording is a new version, and history keeps the old file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from services.core.people.consents.errors import ConsentProofError, ConsentTextUnknownError
from services.core.platform.locales import LOCALES
from services.core.platform.text_rules import NAME, OPTIONAL_NAME, check_text


class Part(StrEnum):
    """The separate subjects of a guardian's consent."""

    MESSAGES = "messages"
    LOCATION = "location"
    MEASUREMENT = "measurement"
    # The position in an alarm: a separate choice, independent of the consent to location.
    SOS_PLACES = "sos_places"


class How(StrEnum):
    """How consent was given: read in the app, read aloud to the guardian, signed on paper."""

    APP = "app"
    SPOKEN = "spoken"
    PAPER = "paper"


@dataclass(frozen=True)
class Proof:
    """How consent was given, and its proof: the witness of a spoken consent, the number of a paper form."""

    how: How = How.APP
    witness: str = ""
    form_number: str = ""


@dataclass(frozen=True)
class ConsentText:
    """One consent text in one language."""

    part: Part
    text_version: str
    locale: str
    text: str


@cache
def consent_texts() -> dict[tuple[Part, str], ConsentText]:
    """Return the current texts by part and locale."""
    texts = {}
    for part in Part:
        page = json.loads((Path(__file__).parent / "texts" / f"{part}.json").read_text(encoding="utf-8"))
        for locale in LOCALES:
            texts[part, locale] = ConsentText(part, page["text_version"], locale, page["texts"][locale])
    return texts


@cache
def child_texts() -> dict[str, ConsentText]:
    """Return the current text for children by locale: it asks about location, see the decision on a child's word."""
    page = json.loads((Path(__file__).parent / "texts" / "child.json").read_text(encoding="utf-8"))
    return {
        locale: ConsentText(Part.LOCATION, page["text_version"], locale, page["texts"][locale]) for locale in LOCALES
    }


def check_child_text(text_version: str | None) -> str | None:
    """Return the version of the text for children that was shown; raises ConsentTextUnknownError for another one."""
    current = child_texts()[LOCALES[0]].text_version
    if text_version not in {None, current}:
        raise ConsentTextUnknownError("childs_word", current)
    return text_version


def check_text_is_current(part: Part, text_version: str, locale: str) -> None:
    """Raise ConsentTextUnknownError unless this is the current version, in an available language."""
    text = consent_texts().get((part, locale))
    if text is None or text.text_version != text_version:
        raise ConsentTextUnknownError(part, consent_texts()[part, LOCALES[0]].text_version)


def check_proof(proof: Proof) -> Proof:
    """Return the proof in stored form: spoken needs a witness, paper a form number and a witness, the app neither.

    Raises ConsentProofError, TextNotAllowedError.
    """
    witness = check_text("witness", proof.witness, OPTIONAL_NAME)
    form_number = check_text("form_number", proof.form_number, OPTIONAL_NAME)
    needed = {How.APP: (), How.SPOKEN: ("witness",), How.PAPER: ("witness", "form_number")}[proof.how]
    for name, value in (("witness", witness), ("form_number", form_number)):
        if bool(value) != (name in needed):
            raise ConsentProofError(proof.how.value, name)
    if witness:
        check_text("witness", witness, NAME)
    return Proof(proof.how, witness, form_number)
