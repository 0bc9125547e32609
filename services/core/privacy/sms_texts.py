"""Text messages about an erasure: they say that it happened and nothing about what was erased."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from services.core.platform.outbox.sms import SmsText, SmsTexts

TEXTS = SmsTexts(Path(__file__).with_suffix(".json"))


def erased_text(what: Literal["child", "family"], locale: str) -> SmsText:
    """Return the text in the locale that fits best."""
    return TEXTS.compose(f"{what}_erased", locale)
