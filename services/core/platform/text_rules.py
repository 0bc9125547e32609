"""What a text that people write may contain; one place for every field of every face.

Pure. Message text is never altered: what a child or parent wrote is theirs. Names are normalised (NFC, no outer
spaces), since a watch's font draws composed letters and two spellings of one name would look like two people.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

from services.core.platform.errors import CoreError

# Control, private and format characters (bidi controls turn the text after them around, UAX 9; zero-width ones make two
# names look alike), line and paragraph separators: a name is one line that is seen as what it is.
_UNSEEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Co", "Zl", "Zp"})
# Joiners: pictures of a family are made with one, and some scripts cannot be written without the other.
_JOINERS: Final = frozenset("\u200c\u200d")
_FORMULA_SIGNS: Final = ("=", "+", "-", "@")
# Written in a message on purpose; everything else of category Cc is not.
_MESSAGE_CONTROLS: Final = frozenset("\n\t")


class TextNotAllowedError(CoreError):
    """A text holds something that cannot be stored, shown or sent; names the field and why."""

    code = "text_not_allowed"
    sentence = "This text cannot be used: it is empty, too long, or holds characters that cannot be shown."

    def __init__(self, field: str, reason: str) -> None:
        super().__init__()
        self.field = field
        # empty, too_long, character, formula
        self.reason = reason

    def fields(self) -> dict[str, int | str]:
        """Return the field's name and the reason, never the text."""
        return {"field": self.field, "reason": self.reason}


@dataclass(frozen=True)
class TextRule:
    """Bounds of one kind of text, in characters and in UTF-8 bytes."""

    max_characters: int
    max_bytes: int
    is_name: bool = False
    may_be_empty: bool = False
    # Written by staff for others to read: unseen characters are refused as in a name, line breaks are not.
    is_prose: bool = False
    # A spreadsheet runs what begins so: names of the programme's structure stand in files that offices open.
    may_be_formula: bool = True


# 120 bytes: thirty contacts are sent in parts, and one contact must fit a watch's smallest payload of 1,024 bytes.
NAME: Final = TextRule(max_characters=40, max_bytes=120, is_name=True)
OPTIONAL_NAME: Final = TextRule(max_characters=40, max_bytes=120, is_name=True, may_be_empty=True)
# What staff write to families or about them.
PROSE: Final = TextRule(max_characters=500, max_bytes=2000, is_prose=True)
# 500 characters are the protocol's; four bytes each is the most that UTF-8 needs.
MESSAGE: Final = TextRule(max_characters=500, max_bytes=2000)


def check_text(field: str, value: str, rule: TextRule) -> str:
    """Return the text as it is to be stored; raises :class:`TextNotAllowedError` naming ``field``.

    Names come back in NFC without outer spaces, messages exactly as they came.
    """
    # Before anything looks at it: a lone surrogate cannot be encoded, not even to count its bytes.
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise TextNotAllowedError(field, "character")
    text = unicodedata.normalize("NFC", value).strip() if rule.is_name else value
    if len(text) > rule.max_characters or len(text.encode()) > rule.max_bytes:
        raise TextNotAllowedError(field, "too_long")
    if any(_is_refused(character, rule) for character in text):
        raise TextNotAllowedError(field, "character")
    if not rule.may_be_formula and begins_as_formula(text):
        raise TextNotAllowedError(field, "formula")
    if not any(_is_visible(character) for character in text) and not (rule.may_be_empty and not text):
        raise TextNotAllowedError(field, "empty")
    return text


def begins_as_formula(text: str) -> bool:
    """Return whether a spreadsheet would run a text as a formula; full-width signs count as their narrow ones."""
    return unicodedata.normalize("NFKC", text.lstrip()[:1]).startswith(_FORMULA_SIGNS)


def _is_refused(character: str, rule: TextRule) -> bool:
    category = unicodedata.category(character)
    if rule.is_prose and character in _MESSAGE_CONTROLS:
        return False
    if rule.is_name or rule.is_prose:
        return category in _UNSEEN_CATEGORIES and character not in _JOINERS
    return category == "Cc" and character not in _MESSAGE_CONTROLS


def _is_visible(character: str) -> bool:
    # Letters, numbers, punctuation, symbols; not spaces, marks that need a letter, or format characters.
    return unicodedata.category(character)[0] in "LNPS"
