"""SMS texts to staff, in each language."""

from __future__ import annotations

from pathlib import Path

from services.core.platform.outbox.sms import SmsText, SmsTexts

TEXTS = SmsTexts(Path(__file__).with_suffix(".json"))


def first_password_text(locale: str, password: str) -> SmsText:
    """Return the text that carries a first password."""
    return TEXTS.compose("first_password", locale, password=password)


def number_changed_text(locale: str) -> SmsText:
    """Return the text for the number that an account had before its reset."""
    return TEXTS.compose("number_changed", locale)
