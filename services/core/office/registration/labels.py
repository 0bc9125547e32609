"""Labels for watches and boxes: the serial as QR code and text, without any secret."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import segno
from fpdf import FPDF

from services.core.devices.watches.rules import QR_PREFIX

# A common label sheet: 24 labels of 70 x 36 mm on A4, without gaps.
_COLUMNS: Final = 3
_ROWS: Final = 8
_LABEL_WIDTH_MM: Final = 70.0
_LABEL_HEIGHT_MM: Final = 36.0
_MARGIN_TOP_MM: Final = 4.5
_QR_MM: Final = 24.0
_PADDING_MM: Final = 6.0
# ISO/IEC 18004 requires a quiet zone of four modules around the code.
_QUIET_MODULES: Final = 4


def qr_text(serial: str) -> str:
    """Return the content of a label's QR code: a prefix that marks a watch serial, and the serial."""
    return f"{QR_PREFIX}{serial}"


def label_sheet(serials: Sequence[str]) -> bytes:
    """Return a PDF (A4, 24 labels of 70 x 36 mm a page) with one label for each serial, in this order."""
    sheet = FPDF(unit="mm", format="A4")
    sheet.set_auto_page_break(auto=False)
    sheet.set_title("Watch labels")
    for index, serial in enumerate(serials):
        place = index % (_COLUMNS * _ROWS)
        if place == 0:
            sheet.add_page()
        left_mm = (place % _COLUMNS) * _LABEL_WIDTH_MM
        top_mm = _MARGIN_TOP_MM + (place // _COLUMNS) * _LABEL_HEIGHT_MM
        _draw_label(sheet, serial, left_mm, top_mm)
    return bytes(sheet.output())


def _draw_label(sheet: FPDF, serial: str, left_mm: float, top_mm: float) -> None:
    qr_left_mm, qr_top_mm = left_mm + _PADDING_MM, top_mm + (_LABEL_HEIGHT_MM - _QR_MM) / 2
    draw_qr(sheet, qr_text(serial), qr_left_mm, qr_top_mm, _QR_MM)
    text_left_mm = qr_left_mm + _QR_MM + 2
    text_width_mm = left_mm + _LABEL_WIDTH_MM - text_left_mm - 2
    sheet.set_font("Helvetica", style="", size=8)
    sheet.set_xy(text_left_mm, qr_top_mm + 5)
    sheet.cell(text_width_mm, 4, "SmartWatch")
    _fit_font(sheet, serial, text_width_mm)
    sheet.set_xy(text_left_mm, qr_top_mm + 10)
    sheet.cell(text_width_mm, 6, serial)


def _fit_font(sheet: FPDF, serial: str, width_mm: float) -> None:
    """Set the largest font in which the serial fits on one line, because staff read it aloud on the phone."""
    size_pt = 14.0
    sheet.set_font("Courier", style="B", size=size_pt)
    while sheet.get_string_width(serial) > width_mm - 2 and size_pt > 6:  # noqa: PLR2004 - the smallest legible type
        size_pt -= 0.5
        sheet.set_font_size(size_pt)


def draw_qr(sheet: FPDF, text: str, left_mm: float, top_mm: float, size_mm: float) -> None:
    """Draw a QR code with its quiet zone into a square."""
    # Drawn as rectangles: sharp on every printer, and no image library is needed.
    matrix = segno.make(text, error="m", micro=False).matrix
    module_mm = size_mm / (len(matrix) + 2 * _QUIET_MODULES)
    sheet.set_fill_color(0, 0, 0)
    for row, modules in enumerate(matrix):
        column = 0
        while column < len(modules):
            run = 0
            while column + run < len(modules) and modules[column + run]:
                run += 1
            if run:
                sheet.rect(
                    left_mm + (column + _QUIET_MODULES) * module_mm,
                    top_mm + (row + _QUIET_MODULES) * module_mm,
                    run * module_mm,
                    module_mm,
                    style="F",
                )
            column += run or 1
