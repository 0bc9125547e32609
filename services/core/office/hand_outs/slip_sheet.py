"""Printable log-in slips for a hand-out, one for each family, to be folded and used once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fpdf import FPDF

from services.core.office.hand_outs.actions import PrintedSlip
from services.core.office.registration.labels import draw_qr

# Five slips on a sheet of A4; the fold hides the print on the inner half.
_SLIPS_A_PAGE: Final = 5
_HEIGHT_MM: Final = 58.0
_LEFT_MM: Final = 15.0
_WIDTH_MM: Final = 180.0
_QR_MM: Final = 40.0


def slip_sheet(slips: Sequence[PrintedSlip], log_in_url: str) -> bytes:
    """Return a PDF (A4, five slips a page): family code outside; inside the code, and its QR with ``log_in_url``."""
    sheet = FPDF(unit="mm", format="A4")
    sheet.set_auto_page_break(auto=False)
    sheet.set_title("Log-in slips")
    for index, slip in enumerate(slips):
        place = index % _SLIPS_A_PAGE
        if place == 0:
            sheet.add_page()
        _draw(sheet, slip, f"{log_in_url}#slip={slip.code}", place * _HEIGHT_MM + 2)
    return bytes(sheet.output())


def _draw(sheet: FPDF, slip: PrintedSlip, url: str, top_mm: float) -> None:
    middle_mm = _LEFT_MM + _WIDTH_MM / 2
    sheet.set_draw_color(160, 160, 160)
    sheet.line(_LEFT_MM, top_mm + _HEIGHT_MM - 2, _LEFT_MM + _WIDTH_MM, top_mm + _HEIGHT_MM - 2)
    sheet.set_dash_pattern(dash=2, gap=2)
    sheet.line(middle_mm, top_mm + 2, middle_mm, top_mm + _HEIGHT_MM - 6)
    sheet.set_dash_pattern()
    sheet.set_font("Helvetica", style="", size=9)
    sheet.text(_LEFT_MM + 4, top_mm + 10, "SmartWatch")
    sheet.set_font("Courier", style="B", size=16)
    sheet.text(_LEFT_MM + 4, top_mm + 20, slip.family_code)
    draw_qr(sheet, url, middle_mm + 2, top_mm + 7, _QR_MM)
    sheet.set_font("Courier", style="B", size=10)
    sheet.text(middle_mm + _QR_MM + 4, top_mm + 26, slip.code)
