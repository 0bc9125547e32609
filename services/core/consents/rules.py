"""The parts of consent and their texts.

A text never changes once people have agreed to it: new wording is a new version, the old file stays in history.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from services.core.consents.errors import ConsentTextUnknownError
from services.core.locales import LOCALES


class Part(StrEnum):
    """What a guardian can agree to, each by itself."""

    MESSAGES = "messages"
    LOCATION = "location"
    MEASUREMENT = "measurement"


class How(StrEnum):
    """How consent was given: read in the app, read aloud to the guardian, signed on paper."""

    APP = "app"
    SPOKEN = "spoken"
    PAPER = "paper"


@dataclass(frozen=True)
class ConsentText:
    """One text in one language."""

    part: Part
    text_version: str
    locale: str
    text: str


@cache
def consent_texts() -> dict[tuple[Part, str], ConsentText]:
    """Return today's texts by part and locale."""
    texts = {}
    for part in Part:
        page = json.loads((Path(__file__).parent / "texts" / f"{part}.json").read_text(encoding="utf-8"))
        for locale in LOCALES:
            texts[part, locale] = ConsentText(part, page["text_version"], locale, page["texts"][locale])
    return texts


def check_text_is_current(part: Part, text_version: str, locale: str) -> None:
    """Raise ConsentTextUnknownError unless this is the text that is asked for today, in a language it exists in."""
    text = consent_texts().get((part, locale))
    if text is None or text.text_version != text_version:
        raise ConsentTextUnknownError(part, consent_texts()[part, LOCALES[0]].text_version)
