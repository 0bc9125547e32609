"""SMS texts to enrolled families in each language; they name no child, no watch and no reason."""

from __future__ import annotations

from pathlib import Path

from services.core.platform.outbox.sms import SmsText, SmsTexts

TEXTS = SmsTexts(Path(__file__).with_suffix(".json"))


def programme_ending_text(locale: str, host: str) -> SmsText:
    """Return the text that announces the programme's end to a guardian."""
    return TEXTS.compose("programme_ending", locale, host=host)


def programme_reminder_text(locale: str, host: str, days: int) -> SmsText:
    """Return the text that reminds a guardian, so many days before the programme's last day, to save the album."""
    return TEXTS.compose("programme_reminder", locale, host=host, days=str(days))


def get_in_touch_text(locale: str) -> SmsText:
    """Return the text that asks a guardian to get in touch with the office."""
    return TEXTS.compose("get_in_touch", locale)
