"""Text message about a guardian's change of number: it names no guardian and no number."""

from __future__ import annotations

from pathlib import Path

from services.core.platform.outbox.sms import SmsText, SmsTexts

TEXTS = SmsTexts(Path(__file__).with_suffix(".json"))


def old_number_text(locale: str, host: str) -> SmsText:
    """Return the text to the old number, from which the change can be stopped."""
    return TEXTS.compose("number_leaves", locale, host=host)


def guardians_text(locale: str, host: str) -> SmsText:
    """Return the text to the other guardians."""
    return TEXTS.compose("number_changes", locale, host=host)
