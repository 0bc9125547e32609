"""Text of a PDF as a reader sees it: page by page, decoded through the fonts that draw it.

A character that is drawn with the wrong font, or that its font lacks, comes out as another one or not at all.
"""

from __future__ import annotations

import io

from pypdf import PdfReader


def pages_of(pdf: bytes) -> list[str]:
    """Return the text of each page; lines as they are drawn, hard spaces as spaces."""
    return [page.extract_text().replace("\u00a0", " ") for page in PdfReader(io.BytesIO(pdf)).pages]


def text_of(pdf: bytes) -> str:
    """Return the text of all pages."""
    return "\n".join(pages_of(pdf))


def page_sizes_mm(pdf: bytes) -> list[tuple[int, int]]:
    """Return width and height of each page in millimetres."""
    boxes = [page.mediabox for page in PdfReader(io.BytesIO(pdf)).pages]
    return [(round(float(box.width) / 72 * 25.4), round(float(box.height) / 72 * 25.4)) for box in boxes]
