"""Roster of a site's families and their watches for the hand-out, by family code and serial only."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fpdf import FPDF
from sqlmodel import col, select

from services.core.devices.presence.queries import last_seen_at
from services.core.devices.watches.queries import WITH_PRESENCE
from services.core.devices.watches.tables import Watch, WatchIdentity
from services.core.people.households.tables import Enrolment, Family
from services.core.people.programme.tables import Cohort, Site
from services.core.platform.db.database import UnitOfWork

_ROW_MM: Final = 9.0
_MARGIN_MM: Final = 15.0
_WIDTHS_MM: Final = (10.0, 45.0, 45.0, 80.0)
_HEADING: Final = ("", "Family", "Watch", "Received (signature)")
_BOTTOM_MM: Final = 280.0
NO_CHANNEL: Final = "no working channel"


@dataclass(frozen=True)
class RosterEntry:
    """One enrolled family; ``serial`` None: no watch. ``last_seen_at`` None: not paired, or no contact yet."""

    family_code: str
    cohort: str
    serial: str | None
    paired: bool
    last_seen_at: datetime | None


async def roster(
    work: UnitOfWork, site: Site, cohort: Cohort | None = None, *, after: str = "", most: int | None = None
) -> list[RosterEntry]:
    """Return the enrolled families of a site or cohort by code, one page after ``after``.

    A family with two watches (two children) has two entries.
    """
    statement = (
        select(Family.family_code, Cohort.name, Watch.serial, WatchIdentity)
        .options(WITH_PRESENCE)
        .select_from(Enrolment)
        .join(Family, col(Family.family_id) == col(Enrolment.family_id))
        .join(Cohort, col(Cohort.cohort_id) == col(Enrolment.cohort_id))
        .outerjoin(Watch, (col(Watch.handed_out_to) == col(Family.family_id)) & (col(Watch.state) == "handed_out"))
        .outerjoin(
            WatchIdentity,
            (col(WatchIdentity.watch_id) == col(Watch.watch_id)) & col(WatchIdentity.ended_at).is_(None),
        )
        .where(col(Enrolment.site_id) == site.site_id, col(Enrolment.ended_at).is_(None))
        .where(col(Family.family_code) > after)
        .order_by(col(Family.family_code), col(Watch.serial))
    )
    if cohort is not None:
        statement = statement.where(col(Enrolment.cohort_id) == cohort.cohort_id)
    if most is not None:
        codes = (
            select(Family.family_code)
            .join(Enrolment, col(Enrolment.family_id) == col(Family.family_id))
            .where(col(Enrolment.site_id) == site.site_id, col(Enrolment.ended_at).is_(None))
            .where(col(Family.family_code) > after)
            .order_by(col(Family.family_code))
            .limit(most)
        )
        if cohort is not None:
            codes = codes.where(col(Enrolment.cohort_id) == cohort.cohort_id)
        statement = statement.where(col(Family.family_code).in_(codes))
    return [
        _entry(code, cohort_name, serial, identity)
        for code, cohort_name, serial, identity in await work.session.exec(statement)
    ]


def _entry(code: str, cohort: str, serial: str | None, identity: WatchIdentity | None) -> RosterEntry:
    return RosterEntry(code, cohort, serial, identity is not None, None if identity is None else last_seen_at(identity))


def hand_out_list(title: str, entries: Sequence[RosterEntry], unreached: Collection[str] = ()) -> bytes:
    """Return a PDF (A4) with a signature line for each family: code and serial, without names or phone numbers.

    ``unreached`` holds the codes of families with a guardian who has no working channel; staff help them on the spot.
    """
    page = FPDF(unit="mm", format="A4")
    page.set_auto_page_break(auto=False)
    page.set_title("Hand-out list")
    for index, entry in enumerate(entries):
        if index == 0 or page.get_y() + _ROW_MM > _BOTTOM_MM:
            _begin_page(page, title)
        page.set_font("Courier", size=11)
        remark = NO_CHANNEL if entry.family_code in unreached else ""
        _draw_row(page, (str(index + 1), entry.family_code, entry.serial or "", remark))
    return bytes(page.output())


def _begin_page(page: FPDF, title: str) -> None:
    page.add_page()
    page.set_xy(_MARGIN_MM, _MARGIN_MM)
    page.set_font("Helvetica", style="B", size=12)
    # The built-in PDF fonts contain Latin letters only; a title in another script is written by hand.
    page.cell(0, _ROW_MM, title if _is_latin(title) else "Hand-out list")
    page.set_xy(_MARGIN_MM, _MARGIN_MM + _ROW_MM + 2)
    page.set_font("Helvetica", style="B", size=9)
    _draw_row(page, _HEADING)


def _draw_row(page: FPDF, cells: Sequence[str]) -> None:
    page.set_x(_MARGIN_MM)
    for width_mm, cell in zip(_WIDTHS_MM, cells, strict=True):
        page.cell(width_mm, _ROW_MM, cell, border=1)
    page.set_xy(_MARGIN_MM, page.get_y() + _ROW_MM)


def _is_latin(text: str) -> bool:
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True
