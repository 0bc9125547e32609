"""SMS texts to staff, in each language."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from services.core.platform.locales import fitting_locale


@cache
def _texts() -> dict[str, dict[str, str]]:
    texts: dict[str, dict[str, str]] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return texts


def first_password_text(locale: str, password: str) -> str:
    """Return the text that carries a first password."""
    return _texts()[fitting_locale(locale)]["first_password"].format(password=password)


def number_changed_text(locale: str) -> str:
    """Return the text for the number that an account had before its reset."""
    return _texts()[fitting_locale(locale)]["number_changed"]
