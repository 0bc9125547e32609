"""Rules for the characters and lengths of user-written text, shared by all APIs.

Pure. Message text is never changed. Names are normalised (NFC, no outer spaces), because a watch's font contains
composed letters, and two spellings of one name would look like two people.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

from services.core.platform.errors import CoreError

# Rejected in names: control, private and format characters (bidi controls reorder the following text, UAX 9;
# zero-width characters make different names look alike), line and paragraph separators.
_UNSEEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Co", "Zl", "Zp"})
# Joiners: family emoji and some scripts need them.
_JOINERS: Final = frozenset("\u200c\u200d")
_FORMULA_SIGNS: Final = ("=", "+", "-", "@")
# The control characters allowed in messages; all others of category Cc are rejected.
_MESSAGE_CONTROLS: Final = frozenset("\n\t")


class TextNotAllowedError(CoreError):
    """A text contains something that cannot be stored, shown or sent; names the field and the reason."""

    code = "text_not_allowed"
    sentence = "The text is empty, too long, or contains characters that are not allowed."

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
    """Limits of one kind of text, in characters and in UTF-8 bytes."""

    max_characters: int
    max_bytes: int
    is_name: bool = False
    may_be_empty: bool = False
    # Text by staff for other readers: invisible characters are rejected as in names, line breaks are allowed.
    is_prose: bool = False
    # Spreadsheets run text that starts like this as a formula, and structure names appear in exported files.
    may_be_formula: bool = True


# 120 bytes: a contact list is sent in parts, and one contact must fit a watch's smallest payload of 1,024 bytes.
NAME: Final = TextRule(max_characters=40, max_bytes=120, is_name=True)
OPTIONAL_NAME: Final = TextRule(max_characters=40, max_bytes=120, is_name=True, may_be_empty=True)
# Text that staff write to families or about them.
PROSE: Final = TextRule(max_characters=500, max_bytes=2000, is_prose=True)
# 500 characters is the protocol's limit; UTF-8 needs at most four bytes for each.
MESSAGE: Final = TextRule(max_characters=500, max_bytes=2000)


def check_text(field: str, value: str, rule: TextRule) -> str:
    """Return the text in stored form; raises :class:`TextNotAllowedError` naming ``field``.

    Names are returned in NFC without outer spaces, messages unchanged.
    """
    # Checked first: a lone surrogate cannot be encoded, so even its bytes cannot be counted.
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
    """Return whether a spreadsheet would run a text as a formula; full-width signs count as their ASCII forms."""
    return unicodedata.normalize("NFKC", text.lstrip()[:1]).startswith(_FORMULA_SIGNS)


def _is_refused(character: str, rule: TextRule) -> bool:
    category = unicodedata.category(character)
    if rule.is_prose and character in _MESSAGE_CONTROLS:
        return False
    if rule.is_name or rule.is_prose:
        return category in _UNSEEN_CATEGORIES and character not in _JOINERS
    return category == "Cc" and character not in _MESSAGE_CONTROLS


def _is_visible(character: str) -> bool:
    # Letters, numbers, punctuation, symbols; not spaces, combining marks or format characters.
    return unicodedata.category(character)[0] in "LNPS"
