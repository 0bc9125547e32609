"""Text messages to operators, and the kinds of all areas."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from services.core.platform.outbox.sms import SmsText, SmsTexts

TEXTS = SmsTexts(Path(__file__).with_suffix(".json"))
_CORE: Final = Path(__file__).parents[2]
_PARAMETER: Final = re.compile(r"{(\w+)}")


def trial_text(locale: str) -> SmsText:
    """Return the text by which an operator tries a route."""
    return TEXTS.compose("test", locale)


def watchdog_text(locale: str, what: str) -> SmsText:
    """Return the text that tells an operator what is wrong, in one line without anything personal."""
    return TEXTS.compose("watchdog", locale, what=what)


def every_kind() -> frozenset[str]:
    """Return the kinds of text messages of every area; the files are found by name."""
    return frozenset(kind for path in _CORE.rglob("sms_texts.json") for kind in SmsTexts(path).kinds)


def every_text(locale: str) -> list[tuple[str, str, str]]:
    """Return kind, parameters and text with its ``{parameters}`` of every kind in a locale, sorted by kind."""
    rows = []
    for path in _CORE.rglob("sms_texts.json"):
        texts = SmsTexts(path)
        for kind in texts.kinds:
            text = texts.template(kind, locale)
            rows.append((kind, ", ".join(_PARAMETER.findall(text)), text))
    return sorted(rows)
