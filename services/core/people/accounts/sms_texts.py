"""SMS texts in each language; they name no child, no watch and no inviting guardian."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from services.core.platform.locales import fitting_locale


@cache
def _texts() -> dict[str, dict[str, str]]:
    texts: dict[str, dict[str, str]] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return texts


def login_code_text(locale: str, code: str) -> str:
    """Return the text that carries a one-time code."""
    return _texts()[fitting_locale(locale)]["login_code"].format(code=code)


def invitation_text(locale: str) -> str:
    """Return the text that announces an invitation."""
    return _texts()[fitting_locale(locale)]["invitation"]


def urgent_text(locale: str) -> str:
    """Return the text that asks a guardian to open the app at once, without the reason."""
    return _texts()[fitting_locale(locale)]["urgent"]


def recovery_text(locale: str) -> str:
    """Return the text that announces a change which can still be contested."""
    return _texts()[fitting_locale(locale)]["recovery"]


def looked_up_text(locale: str) -> str:
    """Return the text that notifies a guardian of a staff access to name and number."""
    return _texts()[fitting_locale(locale)]["looked_up"]
