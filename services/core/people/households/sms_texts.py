"""SMS texts to enrolled families in each language; they name no child, no watch and no reason."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from services.core.platform.locales import fitting_locale


@cache
def _texts() -> dict[str, dict[str, str]]:
    texts: dict[str, dict[str, str]] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return texts


def programme_ending_text(locale: str, host: str) -> str:
    """Return the text that announces the programme's end to a guardian."""
    return _texts()[fitting_locale(locale)]["programme_ending"].format(host=host)


def get_in_touch_text(locale: str) -> str:
    """Return the text that asks a guardian to get in touch with the office."""
    return _texts()[fitting_locale(locale)]["get_in_touch"]
