"""Required fields of a privacy notice, and its text. Pure.

The notice is read before the first consent and not agreed to. Its version has two parts: that of the text, which comes
with the product, and that of what the site stated.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

from services.core.people.privacy_notices.errors import FilingNumberError, TooManyProcessorsError
from services.core.people.programme.rules import check_country
from services.core.platform.text_rules import TextRule, check_text

_CHINA: Final = "CN"
_PROCESSORS_MAX: Final = 20
_SHORT: Final = TextRule(max_characters=120, max_bytes=480, is_name=True, may_be_empty=True)
_ADDRESS: Final = TextRule(max_characters=240, max_bytes=960, is_name=True, may_be_empty=True)
_FILING: Final = TextRule(max_characters=60, max_bytes=240, is_name=True, may_be_empty=True)


@dataclass(frozen=True)
class Processor:
    """A company that processes data for the site: its country (ISO 3166-1), and what for."""

    name: str
    country: str
    purpose: str


@dataclass(frozen=True)
class NoticeDetails:
    """Fields of a site's privacy notice; an empty field is not stated yet."""

    controller_name: str = ""
    controller_address: str = ""
    controller_contact: str = ""
    authority_name: str = ""
    authority_contact: str = ""
    officer_name: str = ""
    officer_contact: str = ""
    processors: tuple[Processor, ...] = ()
    filing_number: str = ""


# Shown outside production where a site has stated nothing. Nobody can take them for real: example.org is reserved.
FICTIONAL: Final = NoticeDetails(
    controller_name="Example Programme Office (fictional)",
    controller_address="1 Example Street, Example Town (fictional)",
    controller_contact="privacy@example.org",
    authority_name="Example Data Protection Authority (fictional)",
    authority_contact="complaints@example.org",
    officer_name="Example Person (fictional)",
    officer_contact="children@example.org",
    processors=(Processor("Example Text Messages (fictional)", "ZZ", "text messages"),),
    filing_number="EXAMPLE-0000 (fictional)",
)
_REQUIRED: Final = (
    "controller_name", "controller_address", "controller_contact", "authority_name", "authority_contact",
    "officer_name", "officer_contact", "processors",
)  # fmt: skip


def required_fields(country: str) -> tuple[str, ...]:
    """Return the names of the fields that a site in this country must state."""
    return (*_REQUIRED, "filing_number") if country == _CHINA else _REQUIRED


def missing_fields(details: NoticeDetails, country: str) -> tuple[str, ...]:
    """Return the names of the required fields that are not stated yet."""
    return tuple(name for name in required_fields(country) if not getattr(details, name))


def with_fictional(details: NoticeDetails, country: str) -> NoticeDetails:
    """Return the details with fictional values in the place of missing ones: for development and the demo only."""
    return replace(details, **{name: getattr(FICTIONAL, name) for name in missing_fields(details, country)})


def check_details(details: NoticeDetails, country: str) -> NoticeDetails:
    """Return the details in stored form; empty fields stay empty.

    Raises TextNotAllowedError, CountryUnknownError, FilingNumberError, TooManyProcessorsError.
    """
    if details.filing_number.strip() and country != _CHINA:
        raise FilingNumberError
    if len(details.processors) > _PROCESSORS_MAX:
        raise TooManyProcessorsError
    texts = {
        name: check_text(name, getattr(details, name), _ADDRESS if name == "controller_address" else _SHORT)
        for name in _REQUIRED
        if name != "processors"
    }
    required = replace(_SHORT, may_be_empty=False)
    return NoticeDetails(
        **texts,
        processors=tuple(
            Processor(
                check_text("processors.name", processor.name, required), check_country(processor.country),
                check_text("processors.purpose", processor.purpose, required),
            )
            for processor in details.processors
        ),
        filing_number=check_text("filing_number", details.filing_number, _FILING),
    )  # fmt: skip


@cache
def _page() -> dict[str, object]:
    page: dict[str, object] = json.loads((Path(__file__).parent / "texts" / "notice.json").read_text(encoding="utf-8"))
    return page


def notice_version(stated_version: int) -> str:
    """Return the version of a notice: that of the text, and that of what the site stated (0: nothing)."""
    return f"{_page()['text_version']}.{stated_version}"


def notice_text(details: NoticeDetails, locale: str) -> str:
    """Return the notice in a supported language; paragraphs are separated by an empty line."""
    texts = _page()["texts"]
    assert isinstance(texts, dict)  # noqa: S101 - the form of a file of ours, held by a test
    template: Mapping[str, str] = texts[locale]
    return "\n\n".join(_paragraphs(template, details))


def _paragraphs(template: Mapping[str, str], details: NoticeDetails) -> Sequence[str]:
    processors = "; ".join(
        template["processor"].format(name=processor.name, country=processor.country, purpose=processor.purpose)
        for processor in details.processors
    )
    fields = {name: getattr(details, name) for name in (*_REQUIRED, "filing_number") if name != "processors"}
    paragraphs = [
        template[name].format(processors=processors, **fields)
        for name in ("title", "controller", "officer", "processors", "authority")
    ]
    if details.filing_number:
        paragraphs.append(template["filing"].format(**fields))
    return [*paragraphs, template["end"]]
