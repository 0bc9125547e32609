"""The papers of a site, from its rows to a PDF; drawn in a thread, for a page takes some tenths of a second.

fpdf2 and its fonts are imported when a paper is made: 0.4 s that no process pays at its start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

import phonenumbers

from services.core.devices.push.queries import families_not_reached
from services.core.office.hand_outs.actions import PrintedSlip
from services.core.office.hand_outs.roster import RosterEntry, roster
from services.core.office.papers.errors import ProgrammePhoneMissingError
from services.core.office.registration.inventory import list_watches
from services.core.people.households.hand_out_codes import has_open_hand_out
from services.core.people.programme.tables import Cohort, Programme, Site
from services.core.platform.db.database import UnitOfWork

Layout = Literal["list", "strips"]


@dataclass(frozen=True)
class Imprint:
    """The installation's part of its papers: its address, and the programme's number in each country."""

    public_url: str
    phones: Mapping[str, str]


@dataclass(frozen=True)
class HandOutPaper:
    """The list or strips of a hand-out; ``unreached`` are families with a phone that cannot be notified."""

    pdf: bytes
    entries: Sequence[RosterEntry]
    unreached: frozenset[str]


def programme_phone(imprint: Imprint, country: str) -> str:
    """Return the programme's number for a country as people read it; raises ProgrammePhoneMissingError.

    A number in a form that cannot be parsed is returned as the settings have it: a paper without it would be worse.
    """
    number = imprint.phones.get(country)
    if number is None:
        raise ProgrammePhoneMissingError(country)
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


async def labels_of_site(
    work: UnitOfWork, site: Site, imprint: Imprint, serials: Collection[str] | None = None
) -> bytes:
    """Return the label sheets of all watches of a site, or of those with these serials.

    Raises ProgrammePhoneMissingError, CharactersNotPrintableError.
    """
    from services.core.office.papers.labels import LabelTexts, label_sheet  # noqa: PLC0415 - see above

    programme = await work.session.get_one(Programme, site.programme_id)
    listed = [entry.serial for entry in await list_watches(work, site=site)]
    wanted = [serial for serial in listed if serials is None or serial in serials]
    texts = LabelTexts(
        programme=programme.name, site=site.name, phone=programme_phone(imprint, site.country), locale=site.locale,
        found_url=f"{imprint.public_url}/w", printed_on=_local_now(work, site).date(),
    )  # fmt: skip
    return await asyncio.to_thread(label_sheet, wanted, texts)


async def hand_out_paper(work: UnitOfWork, site: Site, cohort: Cohort | None, layout: Layout = "list") -> HandOutPaper:
    """Return the list to sign of a site's or cohort's families, or the same as strips to cut.

    Families with a phone that cannot be notified are marked while a hand-out is open: before, nobody can have joined.
    Raises CharactersNotPrintableError.
    """
    from services.core.office.papers.hand_out_list import ListTexts, hand_out_list, hand_out_strips  # noqa: PLC0415 - see above

    entries = await roster(work, site, cohort)
    unreached: set[str] = set()
    if await has_open_hand_out(work, site.site_id):
        unreached = await families_not_reached(work, {entry.family_code for entry in entries}, joined_only=True)
    texts = ListTexts(
        site=site.name, cohort="" if cohort is None else cohort.name, locale=site.locale,
        printed_on=_local_now(work, site).date(),
    )  # fmt: skip
    if layout == "strips":
        pdf = await asyncio.to_thread(hand_out_strips, entries, texts)
    else:
        pdf = await asyncio.to_thread(hand_out_list, entries, texts, unreached)
    return HandOutPaper(pdf, entries, frozenset(unreached))


async def slips_paper(work: UnitOfWork, site: Site, slips: Sequence[PrintedSlip], imprint: Imprint) -> bytes:
    """Return the sheets of these log-in slips."""
    from services.core.office.papers.slip_sheet import SlipTexts, slip_sheet  # noqa: PLC0415 - see above

    texts = SlipTexts(
        log_in_url=f"{imprint.public_url}/log-in", timezone=site.timezone, locale=site.locale,
        printed_on=_local_now(work, site).date(),
    )  # fmt: skip
    return await asyncio.to_thread(slip_sheet, slips, texts)


async def leaflet_of_site(site: Site, imprint: Imprint, locale: str | None = None) -> bytes:
    """Return the leaflet for the home, in the site's language or another one; raises ProgrammePhoneMissingError."""
    from services.core.office.papers.leaflet import home_leaflet  # noqa: PLC0415 - see above

    return await asyncio.to_thread(home_leaflet, locale or site.locale, programme_phone(imprint, site.country))


def _local_now(work: UnitOfWork, site: Site) -> datetime:
    return work.now.astimezone(ZoneInfo(site.timezone))
