"""The album as one page: no address outside of it, no framework, and a script that is needed for nothing. Pure."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from services.core.devices.contacts.rules import displayed_name
from services.core.office.papers.wording import date_text
from services.core.privacy.copies.album.days import Material, Month, moment_of, months_of
from services.core.privacy.copies.album.sketches import HEIGHT, WIDTH
from services.core.privacy.copies.album.words import album_texts, joined_names

if TYPE_CHECKING:
    from jinja2 import Template

_FOLDER: Final = Path(__file__).parent / "templates"
# A page on a phone's disk has an address of the scheme file or content, and loads what stands beside it by the same.
_POLICY: Final = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; media-src data: 'self' file: content:; "
    "style-src '{style}'; script-src '{script}'"
)


@dataclass(frozen=True)
class ChildPart:
    """A child's part of the album."""

    name: str
    months: Sequence[Month]
    about: str
    facts: Sequence[tuple[str, str]]
    places_with: str


def album_page(document: Mapping[str, Any], material: Material, locale: str, *, beside_before: date | None) -> str:
    """Return the page of an export's document.

    ``beside_before``: recordings of earlier days are not in the page but in the folder beside it; None: all are in it.
    """
    texts = album_texts(locale)
    guardians = {
        guardian["guardian_id"]: displayed_name(guardian["display_name"], guardian["relation"], locale)
        for guardian in document["guardians"]
    }
    children = [_child(child, document, guardians, material, locale) for child in document["children"]]
    names = joined_names([child["name"] for child in document["children"]], locale)
    home = _timezone(document["children"][0]) if document["children"] else ZoneInfo("UTC")
    days = sorted(day for child in document["children"] for day in _days_said(child))
    period = texts["empty"].format(names=names)
    if days:
        period = texts["period"].format(names=names, first=date_text(days[0], locale), last=date_text(days[-1], locale))
    style, script = ((_FOLDER / name).read_text(encoding="utf-8") for name in ("album.css", "album.js"))
    return _template().render(
        locale=locale,
        text=texts,
        policy=_POLICY.format(style=_digest(style), script=_digest(script)),
        style=style,
        script=script,
        title=texts["title"].format(names=names),
        period=period if document["children"] else "",
        made=texts["made"].format(day=_date_of(document["made_at"], home, locale)),
        beside="" if beside_before is None else texts["beside"].format(day=date_text(beside_before, locale)),
        children=children,
        people=[
            (
                guardians[guardian["guardian_id"]],
                texts["joined"].format(day=_date_of(guardian["joined_at"], home, locale)),
            )
            for guardian in document["guardians"]
        ],
        has_sound=any(message["kind"] == "voice" for child in document["children"] for message in child["messages"]),
        has_checkins=any(child["checkins"] for child in document["children"]),
        sketch_width=WIDTH,
        sketch_height=HEIGHT,
    )


def data_address(sound: bytes) -> str:
    """Return an address that contains the recording itself (M4A)."""
    return "data:audio/mp4;base64," + base64.b64encode(sound).decode()


def _child(
    child: Mapping[str, Any], document: Mapping[str, Any], guardians: Mapping[str, str], material: Material, locale: str
) -> ChildPart:
    texts = album_texts(locale)
    facts: list[tuple[str, str]] = []
    if child["birth_date"] is not None:
        facts.append((texts["born"], date_text(date.fromisoformat(child["birth_date"]), locale)))
    elif child["birth_year"] is not None:
        facts.append((texts["born"], str(child["birth_year"])))
    for pairing in document["records"]["pairings"]:
        if pairing["child_id"] == child["child_id"]:
            span = texts["since"].format(day=_date_of(pairing["issued_at"], _timezone(child), locale))
            if pairing["ended_at"] is not None:
                span += " · " + texts["until"].format(day=_date_of(pairing["ended_at"], _timezone(child), locale))
            facts.append((texts["watch"], f"{pairing['serial']} · {span}"))
    if child["contacts"]:
        facts.append((texts["contacts"], joined_names([contact["name"] for contact in child["contacts"]], locale)))
    holders = [guardians[holder] for holder in child["places_with"] if holder in guardians]
    return ChildPart(
        name=child["name"],
        months=months_of(child, guardians, material, locale),
        about=texts["about"].format(child=child["name"]),
        facts=facts,
        places_with=texts["places_with"].format(child=child["name"], names=joined_names(holders, locale))
        if holders
        else "",
    )


def _days_said(child: Mapping[str, Any]) -> list[date]:
    return [moment_of(message).astimezone(_timezone(child)).date() for message in child["messages"]]


def _date_of(time: str, timezone: ZoneInfo, locale: str) -> str:
    return date_text(datetime.fromisoformat(time).astimezone(timezone).date(), locale)


def _timezone(child: Mapping[str, Any]) -> ZoneInfo:
    return ZoneInfo(child["settings"]["timezone"])


def _digest(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - no process needs it at its start

    # Names, texts and zones are what people typed: every value is escaped, and a missing one is an error, not a gap.
    environment = Environment(
        loader=PackageLoader("services.core.privacy.copies.album"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("album.html.jinja")
