"""The leaflet for the home: five pictures with a short sentence each, A5, for whoever lives with the child."""

from __future__ import annotations

from typing import Final

from services.core.office.papers import pictures
from services.core.office.papers.paper import Paper, check_printable, unbroken
from services.core.office.papers.wording import paper_texts

# The pictures and the keys of their sentences, in the order of a day.
_ROWS: Final[tuple[tuple[pictures.Picture, str], ...]] = (
    (pictures.charge, "leaflet.charge"),
    (pictures.wear, "leaflet.wear"),
    (pictures.talk, "leaflet.talk"),
    (pictures.call_for_help, "leaflet.help"),
    (pictures.call_office, "leaflet.call"),
)
_LEFT_MM: Final = 10.0
_FIRST_ROW_MM: Final = 27.0
_ROW_MM: Final = 35.5
# Old eyes read it without glasses.
_TEXT_PT: Final = 16.0
_TITLE_PT: Final = 20.0


def leaflet_sentences(locale: str, phone: str) -> list[str]:
    """Return the title and the sentences of the leaflet."""
    texts = paper_texts(locale)
    return [texts["leaflet.title"], *(texts[key].format(phone=phone) for _, key in _ROWS)]


def home_leaflet(locale: str, phone: str) -> bytes:
    """Return a PDF (A5, one page) in a locale, with the programme's number to call."""
    title, *sentences = leaflet_sentences(locale, unbroken(phone))
    check_printable((("phone", phone),))
    page = Paper(title, locale, size="A5")
    page.add_page()
    page.fit(title, page.w - 2 * _LEFT_MM, _TITLE_PT, bold=True)
    page.write_at(_LEFT_MM - 1, 11, title)
    for number, ((picture, _), sentence) in enumerate(zip(_ROWS, sentences, strict=True)):
        top_mm = _FIRST_ROW_MM + number * _ROW_MM
        page.set_line_width(0.8)
        picture(page, _LEFT_MM, top_mm)
        page.set_line_width(0.2)
        page.use_font(_TEXT_PT)
        left_mm = _LEFT_MM + pictures.WIDTH_MM + 6
        page.write_block(left_mm, top_mm + 6, page.w - left_mm - _LEFT_MM, sentence, 7.5)
    return bytes(page.output())
