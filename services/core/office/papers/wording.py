"""Texts of printed papers in every locale, and dates as each locale writes them."""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from pathlib import Path

from services.core.platform.locales import DEFAULT_LOCALE, LOCALES

_TEXTS = Path(__file__).parent / "texts"


@cache
def paper_texts(locale: str) -> dict[str, str]:
    """Return the texts of a locale by key; an unknown locale gets English."""
    known = locale if locale in LOCALES else DEFAULT_LOCALE
    texts: dict[str, str] = json.loads((_TEXTS / f"{known}.json").read_text(encoding="utf-8"))
    return texts


def date_text(day: date, locale: str) -> str:
    """Return a date as readers of the locale write it, such as ``29 November 2026``."""
    texts = paper_texts(locale)
    return texts["date"].format(day=day.day, month=texts[f"month.{day.month}"], year=day.year)
