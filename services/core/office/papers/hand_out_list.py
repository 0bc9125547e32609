"""The hand-out list: a line to sign for each family, or a strip for each to cut, without names and phone numbers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from services.core.office.hand_outs.roster import RosterEntry
from services.core.office.papers.paper import MARGIN_MM, Footer, Paper, check_printable
from services.core.office.papers.wording import date_text, paper_texts

LIST_FORM: Final = "SW-2"
STRIPS_FORM: Final = "SW-4"
# A signed list proves the hand-out; after this time nobody asks, and a paper that is lost is seen by strangers.
KEPT_DAYS: Final = 90
_ROW_MM: Final = 9.5
_HEADING_MM: Final = 12.0
_FIRST_ROW_MM: Final = 34.0
_LAST_MM: Final = 272.0
# Number, family, watch, phone does not ring, signature, date.
_WIDTHS_MM: Final = (9.0, 38.0, 40.0, 18.0, 49.0, 26.0)
_STRIP_MM: Final = 31.0
_STRIPS_A_PAGE: Final = 8


@dataclass(frozen=True)
class ListTexts:
    """Text on each page of a hand-out list; ``cohort`` empty: the whole site."""

    site: str
    cohort: str
    locale: str
    printed_on: date


def hand_out_list(entries: Sequence[RosterEntry], content: ListTexts, unreached: Collection[str] = ()) -> bytes:
    """Return a PDF (A4) with a line for each family: code, watch, and free columns for signature and date.

    ``unreached`` holds the codes of joined families with a guardian whose phone cannot be notified; staff help them on
    the spot. Raises CharactersNotPrintableError.
    """
    page = _begin(entries, content, "list.title", LIST_FORM)
    heading = ("", *(page.texts[f"list.{name}"] for name in ("family", "watch", "no_channel", "signature", "date")))
    top_mm = _LAST_MM
    for number, entry in enumerate(entries, start=1):
        if top_mm + _ROW_MM > _LAST_MM:
            _begin_page(page, content, "list.title")
            _draw_heading(page, heading)
            top_mm = _FIRST_ROW_MM
        mark = "X" if entry.family_code in unreached else ""
        _draw_row(page, (str(number), entry.family_code, entry.serial or "", mark, "", ""), top_mm)
        top_mm += _ROW_MM
    return bytes(page.output())


def hand_out_strips(entries: Sequence[RosterEntry], content: ListTexts) -> bytes:
    """Return a PDF (A4, eight strips a page), one strip to cut for each family: code, watch, signature and date.

    A family signs its own strip and reads no other family's code. Raises CharactersNotPrintableError.
    """
    page = _begin(entries, content, "strips.title", STRIPS_FORM)
    for index, entry in enumerate(entries):
        place = index % _STRIPS_A_PAGE
        if place == 0:
            _begin_page(page, content, "strips.title")
        _draw_strip(page, entry, 24 + place * _STRIP_MM)
    return bytes(page.output())


def _begin(entries: Sequence[RosterEntry], content: ListTexts, title: str, form: str) -> Paper:
    rows = ((f"row {number}", entry.family_code) for number, entry in enumerate(entries, start=1))
    check_printable((("site", content.site), ("cohort", content.cohort), *rows))
    texts = paper_texts(content.locale)
    destroyed_on = date_text(content.printed_on + timedelta(days=KEPT_DAYS), content.locale)
    footer = Footer(form, content.printed_on, texts["list.keep"].format(date=destroyed_on))
    return Paper(texts[title], content.locale, footer=footer)


def _begin_page(page: Paper, content: ListTexts, title: str) -> None:
    page.add_page()
    page.use_font(14, bold=True)
    page.write_at(MARGIN_MM - 1, 8, page.texts[title])
    where = " · ".join(filter(None, (content.site, content.cohort)))
    page.fit(where, page.w - 2 * MARGIN_MM, 11)
    page.write_at(MARGIN_MM - 1, 15, where)


def _draw_heading(page: Paper, cells: Sequence[str]) -> None:
    left_mm, top_mm = MARGIN_MM, _FIRST_ROW_MM - _HEADING_MM
    page.use_font(8, bold=True)
    for width_mm, cell in zip(_WIDTHS_MM, cells, strict=True):
        page.rect(left_mm, top_mm, width_mm, _HEADING_MM)
        page.write_block(left_mm, top_mm + 1, width_mm - 2, cell, 3.5)
        left_mm += width_mm


def _draw_row(page: Paper, cells: Sequence[str], top_mm: float) -> None:
    left_mm = MARGIN_MM
    for width_mm, cell in zip(_WIDTHS_MM, cells, strict=True):
        page.rect(left_mm, top_mm, width_mm, _ROW_MM)
        if cell:
            page.fit(cell, width_mm, 11)
            page.write_at(left_mm, top_mm + 2.5, cell)
        left_mm += width_mm


def _draw_strip(page: Paper, entry: RosterEntry, top_mm: float) -> None:
    page.use_font(18, bold=True)
    page.write_at(MARGIN_MM, top_mm + 2, entry.family_code)
    page.use_font(12)
    page.write_at(MARGIN_MM, top_mm + 12, f"{page.texts['list.watch']}: {entry.serial or '____________'}")
    page.use_font(10)
    page.write_at(MARGIN_MM, top_mm + 20, page.texts["strips.received"])
    for left_mm, width_mm, text in (
        (MARGIN_MM + 85, 60, page.texts["strips.signature"]),
        (MARGIN_MM + 150, 30, page.texts["strips.date"]),
    ):
        page.line(left_mm, top_mm + 18, left_mm + width_mm, top_mm + 18)
        page.use_font(8)
        page.write_at(left_mm - 1, top_mm + 19, text)
    page.set_dash_pattern(dash=2, gap=2)
    page.line(4, top_mm + _STRIP_MM - 2, page.w - 4, top_mm + _STRIP_MM - 2)
    page.set_dash_pattern()
