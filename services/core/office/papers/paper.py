"""A printed paper: the fonts, the footer of every page, and the check that every character can be printed.

fpdf2 draws a box for a character that no font has, so each text is checked before anything is drawn.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from fpdf import FPDF

from services.core.office.papers.errors import CharactersNotPrintableError
from services.core.office.papers.wording import date_text, paper_texts
from services.core.platform import fonts

MARGIN_MM: Final = 15.0
# ISO 216; fpdf2 warns of a changed size of its own name "A5".
_SIZES_MM: Final = {"A4": (210.0, 297.0), "A5": (148.0, 210.0)}
_FAMILY: Final = "paper"
_CHINESE: Final = "paper-chinese"
_SYMBOLS: Final = "paper-symbols"
# Chinese characters and full-width signs, each with the punctuation that follows; anything else up to the next space.
_WIDE: Final = r"\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef"
_CLOSING: Final = r"\u3001\u3002\uff0c\uff1a\uff1b\uff1f\uff01\uff09\u300d\u300f\u3011"
_PART: Final = re.compile(rf"[{_WIDE}][{_CLOSING}]* *|[^ {_WIDE}]+[{_CLOSING}]* *| +")
_FOOTER_MM: Final = 9.0
_FOOTER_PT: Final = 8.0
_SMALLEST_PT: Final = 6.0


@dataclass(frozen=True)
class Footer:
    """Foot of each page: the form's number, the day of printing, and an instruction."""

    form: str
    printed_on: date
    instruction: str = ""


class Paper(FPDF):
    """A PDF in the product's fonts, in millimetres; ``print_text`` and ``write_at`` take composed (NFC) text.

    fpdf2 calls ``footer`` on a subclass for each page: its own way to number pages.
    """

    def __init__(
        self, title: str, locale: str, *, size: Literal["A4", "A5"] = "A4", footer: Footer | None = None
    ) -> None:
        super().__init__(unit="mm", format=_SIZES_MM[size])
        self.locale = locale
        self.texts = paper_texts(locale)
        self._footer = footer
        self.set_auto_page_break(auto=False)
        self.set_title(title)
        self.set_lang(locale)
        self.add_font(_FAMILY, fname=fonts.REGULAR)
        self.add_font(_FAMILY, style="B", fname=fonts.BOLD)
        self.add_font(_SYMBOLS, fname=fonts.SYMBOLS)
        self.set_fallback_fonts([_SYMBOLS], exact_match=False)

    def get_fallback_font(self, char: str, style: str = "") -> str | None:
        """Return the font of a character that the paper's own lacks; called by fpdf2, which lets it be overridden.

        Loading the Chinese font takes 0.3 s of a processor: a paper without a Chinese character does without it.
        """
        if _CHINESE not in self.fonts:
            self.add_font(_CHINESE, fname=fonts.CHINESE)
            # Chinese has one weight: a bold text takes its Chinese characters from the regular font.
            self.set_fallback_fonts([_CHINESE, _SYMBOLS], exact_match=False)
        return super().get_fallback_font(char, style)

    def use_font(self, size_pt: float, *, bold: bool = False) -> None:
        """Set the size and weight of the texts that follow."""
        self.set_font(_FAMILY, style="B" if bold else "", size=size_pt)

    def write_at(self, left_mm: float, top_mm: float, text: str) -> None:
        """Write a line with the top left corner of its box at this place."""
        if text:
            self.set_xy(left_mm, top_mm)
            # fpdf2 2.8.9 does not switch back from the fallback font that a text ended in: the next text would be drawn
            # with the glyphs of the wrong font. The context restores the font.
            with self.local_context():
                self.cell(text=composed(text))

    def fit(self, text: str, width_mm: float, size_pt: float, *, bold: bool = False) -> None:
        """Set the largest size up to ``size_pt`` in which a text fits on one line of this width."""
        self.use_font(size_pt, bold=bold)
        while self.get_string_width(composed(text)) > width_mm - 2 and size_pt > _SMALLEST_PT:
            size_pt -= 0.5
            self.use_font(size_pt, bold=bold)

    def write_block(self, left_mm: float, top_mm: float, width_mm: float, text: str, line_mm: float) -> float:
        """Write a text in lines of at most this width; return the height in millimetres that they take.

        Breaks at spaces and between Chinese characters; fpdf2's own ``multi_cell`` begins Chinese lines with a comma.
        """
        lines = [""]
        for part in _parts(composed(text)):
            longer = lines[-1] + part
            if lines[-1] and self.get_string_width(longer.rstrip()) > width_mm:
                lines.append(part.lstrip())
            else:
                lines[-1] = longer
        for number, line in enumerate(lines):
            self.write_at(left_mm, top_mm + number * line_mm, line.rstrip())
        return len(lines) * line_mm

    def footer(self) -> None:
        """Draw the foot of a page; called by fpdf2 once a page."""
        if self._footer is None:
            return
        texts = self.texts
        parts = (
            texts["form"].format(number=self._footer.form),
            texts["printed"].format(date=date_text(self._footer.printed_on, self.locale)),
            # fpdf2 replaces {nb} by the number of pages when the document is complete.
            texts["page"].format(n=self.page_no(), m="{nb}"),
        )
        self.set_text_color(60, 60, 60)
        self.use_font(_FOOTER_PT)
        top_mm = self.h - MARGIN_MM + 2
        self.write_at(MARGIN_MM, top_mm, " · ".join(parts))
        if self._footer.instruction:
            self.use_font(_FOOTER_PT, bold=True)
            self.write_at(MARGIN_MM, top_mm - _FOOTER_MM / 2, self._footer.instruction)
        self.set_text_color(0, 0, 0)


def _parts(text: str) -> list[str]:
    """Return the pieces of a text that stay on one line: words with the space behind them, single Chinese characters.

    Punctuation stays with what it follows.
    """
    return _PART.findall(text)


def unbroken(text: str) -> str:
    """Return a text whose spaces break no line: a phone number."""
    return text.replace(" ", "\u00a0")


def composed(text: str) -> str:
    """Return a text in composed form (NFC): a Vietnamese letter with its marks is one character of the font."""
    return unicodedata.normalize("NFC", text)


def check_printable(places: Iterable[tuple[str, str]]) -> None:
    """Raise CharactersNotPrintableError for texts, each with the name of its place, that no font can show."""
    known = fonts.printable_characters()
    unprintable = [
        (place, characters)
        for place, text in places
        if (characters := "".join(sorted({character for character in composed(text) if ord(character) not in known})))
    ]
    if unprintable:
        raise CharactersNotPrintableError(unprintable)
