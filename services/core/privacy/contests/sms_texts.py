"""Text messages about a decision on a contested right: they name no guardian and no right."""

from __future__ import annotations

from pathlib import Path

from services.core.platform.outbox.sms import SmsText, SmsTexts

TEXTS = SmsTexts(Path(__file__).with_suffix(".json"))


def decision_text(is_done: bool, locale: str, host: str) -> SmsText:  # noqa: FBT001 - before or after
    """Return the text before (two have agreed) or after a decision is carried out."""
    return TEXTS.compose("decision_done" if is_done else "decision_waiting", locale, host=host)
