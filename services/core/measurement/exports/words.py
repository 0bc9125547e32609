"""Texts of exports and reports, in every locale."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from services.core.platform.locales import DEFAULT_LOCALE, LOCALES

_TEXTS = Path(__file__).parent / "texts"


@cache
def words(locale: str) -> dict[str, str]:
    """Return the texts of a locale by key; an unknown locale gets English."""
    known = locale if locale in LOCALES else DEFAULT_LOCALE
    found: dict[str, str] = json.loads((_TEXTS / f"{known}.json").read_text(encoding="utf-8"))
    return found
