"""Text messages to operators, and the kinds of all areas."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from services.core.platform.outbox.sms import SmsText, SmsTexts

TEXTS = SmsTexts(Path(__file__).with_suffix(".json"))
_CORE: Final = Path(__file__).parents[2]


def trial_text(locale: str) -> SmsText:
    """Return the text by which an operator tries a route."""
    return TEXTS.compose("test", locale)


def watchdog_text(locale: str, what: str) -> SmsText:
    """Return the text that tells an operator what is wrong, in one line without anything personal."""
    return TEXTS.compose("watchdog", locale, what=what)


def every_kind() -> frozenset[str]:
    """Return the kinds of text messages of every area; the files are found by name."""
    return frozenset(kind for path in _CORE.rglob("sms_texts.json") for kind in SmsTexts(path).kinds)
