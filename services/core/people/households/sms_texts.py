"""SMS texts to enrolled families in each language; they name no child, no watch and no reason."""

from __future__ import annotations

from pathlib import Path

from services.core.platform.outbox.sms import SmsText, SmsTexts

TEXTS = SmsTexts(Path(__file__).with_suffix(".json"))


def programme_ending_text(locale: str, host: str) -> SmsText:
    """Return the text that announces the programme's end to a guardian."""
    return TEXTS.compose("programme_ending", locale, host=host)


def get_in_touch_text(locale: str) -> SmsText:
    """Return the text that asks a guardian to get in touch with the office."""
    return TEXTS.compose("get_in_touch", locale)
