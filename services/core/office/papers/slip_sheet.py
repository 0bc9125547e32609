"""Printable log-in slips for a hand-out, one for each family, to be folded and used once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from services.core.office.hand_outs.actions import PrintedSlip
from services.core.office.papers.paper import MARGIN_MM, Footer, Paper
from services.core.office.papers.qr import draw_qr
from services.core.office.papers.wording import date_text, paper_texts

# Five slips on a sheet of A4; the fold hides the print on the inner half.
_SLIPS_A_PAGE: Final = 5
_HEIGHT_MM: Final = 54.0
_WIDTH_MM: Final = 180.0
_QR_MM: Final = 40.0
_GREY: Final = 160
FORM: Final = "SW-3"


@dataclass(frozen=True)
class SlipTexts:
    """Text common to all slips of a sheet: the address for the log-in, and the time zone in which they end."""

    log_in_url: str
    timezone: str
    locale: str
    printed_on: date


def slip_sheet(slips: Sequence[PrintedSlip], content: SlipTexts) -> bytes:
    """Return a PDF (A4, five slips a page): family code outside; inside the code, its QR and what to do."""
    footer = Footer(FORM, content.printed_on)
    sheet = Paper(paper_texts(content.locale)["slips.title"], content.locale, footer=footer)
    for index, slip in enumerate(slips):
        place = index % _SLIPS_A_PAGE
        if place == 0:
            sheet.add_page()
        _draw(sheet, slip, content, place * _HEIGHT_MM + 6)
    return bytes(sheet.output())


def _draw(sheet: Paper, slip: PrintedSlip, content: SlipTexts, top_mm: float) -> None:
    middle_mm = MARGIN_MM + _WIDTH_MM / 2
    sheet.set_draw_color(_GREY)
    sheet.line(MARGIN_MM, top_mm + _HEIGHT_MM - 1, MARGIN_MM + _WIDTH_MM, top_mm + _HEIGHT_MM - 1)
    sheet.set_dash_pattern(dash=2, gap=2)
    sheet.line(middle_mm, top_mm + 2, middle_mm, top_mm + _HEIGHT_MM - 5)
    sheet.set_dash_pattern()
    sheet.set_draw_color(0)
    sheet.use_font(20, bold=True)
    sheet.write_at(MARGIN_MM + 3, top_mm + 14, slip.family_code)
    sheet.use_font(9)
    sheet.write_block(MARGIN_MM + 3, top_mm + 28, _WIDTH_MM / 2 - 10, sheet.texts["slips.fold"], 4.5)
    draw_qr(sheet, f"{content.log_in_url}#slip={slip.code}", middle_mm, top_mm + 6, _QR_MM)
    left_mm, width_mm = middle_mm + _QR_MM + 1, _WIDTH_MM / 2 - _QR_MM - 1
    host = urlsplit(content.log_in_url).netloc
    closes_at = slip.valid_until.astimezone(ZoneInfo(content.timezone))
    until = f"{date_text(closes_at.date(), content.locale)}, {closes_at:%H:%M}"
    line_mm = top_mm + 9
    sheet.use_font(8)
    instruction = f"{sheet.texts['slips.scan']} {sheet.texts['slips.open'].format(host=host)}"
    line_mm += sheet.write_block(left_mm, line_mm, width_mm - 2, instruction, 3.6) + 1
    sheet.fit(slip.code, width_mm, 12, bold=True)
    sheet.write_at(left_mm, line_mm, slip.code)
    sheet.use_font(8)
    sheet.write_block(left_mm, line_mm + 7, width_mm - 2, sheet.texts["slips.rule"].format(until=until), 3.6)
