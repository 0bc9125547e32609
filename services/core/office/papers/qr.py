"""QR codes drawn into a paper."""

from __future__ import annotations

from typing import Final

import segno
from fpdf import FPDF

# ISO/IEC 18004 requires a quiet zone of four modules around the code.
_QUIET_MODULES: Final = 4


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
