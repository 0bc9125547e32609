"""Labels for watches and boxes: the programme, the serial as QR code and text, and whom a finder calls.

A label tells a stranger nothing of the child: no name, no family, no factory. The factory stands on the margin of the
sheet, which stays in the office.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.core.office.papers.paper import Paper, check_printable, unbroken
from services.core.office.papers.qr import draw_qr
from services.core.office.papers.wording import date_text, paper_texts

# A common label sheet: 24 labels of 70 x 36 mm on A4, without gaps.
_COLUMNS: Final = 3
_ROWS: Final = 8
_LABELS_A_PAGE: Final = _COLUMNS * _ROWS
_LABEL_WIDTH_MM: Final = 70.0
_LABEL_HEIGHT_MM: Final = 36.0
_MARGIN_TOP_MM: Final = 4.5
_QR_MM: Final = 26.0
_PADDING_MM: Final = 3.0
FORM: Final = "SW-1"


@dataclass(frozen=True)
class LabelTexts:
    """Text of a site's labels: the programme and its number on each, the site on the margin of the sheet only."""

    programme: str
    site: str
    phone: str
    locale: str
    # Where the QR code leads: the page for finders; the serial follows as fragment and is sent to nobody.
    found_url: str
    printed_on: date


def label_url(found_url: str, serial: str) -> str:
    """Return the content of a label's QR code; ``devices.watches.rules.serial_of_scan`` reads it."""
    return f"{found_url}#{serial}"


def label_sheet(serials: Sequence[str], content: LabelTexts) -> bytes:
    """Return a PDF (A4, 24 labels of 70 x 36 mm a page) with one label for each serial, in this order.

    Raises CharactersNotPrintableError.
    """
    check_printable((("programme", content.programme), ("site", content.site), ("phone", content.phone)))
    sheet = Paper(paper_texts(content.locale)["labels.title"], content.locale)
    for index, serial in enumerate(serials):
        place = index % _LABELS_A_PAGE
        if place == 0:
            sheet.add_page()
            _write_margin(sheet, content, index, len(serials))
        left_mm = (place % _COLUMNS) * _LABEL_WIDTH_MM
        top_mm = _MARGIN_TOP_MM + (place // _COLUMNS) * _LABEL_HEIGHT_MM
        _draw_label(sheet, serial, content, left_mm, top_mm)
    return bytes(sheet.output())


def _write_margin(sheet: Paper, content: LabelTexts, first: int, count: int) -> None:
    line = sheet.texts["labels.margin"].format(
        site=content.site, first=first + 1, last=min(first + _LABELS_A_PAGE, count), count=count
    )
    page = sheet.texts["page"].format(n=sheet.page_no(), m="{nb}")
    form = sheet.texts["form"].format(number=FORM)
    sheet.use_font(6)
    sheet.write_at(8, 1, f"{line} · {form} · {date_text(content.printed_on, content.locale)} · {page}")


def _draw_label(sheet: Paper, serial: str, content: LabelTexts, left_mm: float, top_mm: float) -> None:
    qr_left_mm, qr_top_mm = left_mm + _PADDING_MM, top_mm + (_LABEL_HEIGHT_MM - _QR_MM) / 2
    draw_qr(sheet, label_url(content.found_url, serial), qr_left_mm, qr_top_mm, _QR_MM)
    text_left_mm = qr_left_mm + _QR_MM + 1
    width_mm = left_mm + _LABEL_WIDTH_MM - text_left_mm - _PADDING_MM
    sheet.fit(content.programme, width_mm, 8)
    sheet.write_at(text_left_mm, qr_top_mm + 2, content.programme)
    # The largest size that fits: staff read the serial aloud on the phone.
    sheet.fit(serial, width_mm, 14, bold=True)
    sheet.write_at(text_left_mm, qr_top_mm + 8, serial)
    finder_text = sheet.texts["labels.found"].format(phone=unbroken(content.phone))
    sheet.use_font(8)
    sheet.write_block(text_left_mm, qr_top_mm + 16, width_mm, finder_text, 3.6)
