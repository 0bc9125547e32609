"""Texts of the album in every locale, and dates as each locale writes them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path

from services.core.office.papers.wording import date_text, paper_texts
from services.core.platform.locales import DEFAULT_LOCALE, LOCALES

_FOLDER = Path(__file__).parent


@cache
def album_texts(locale: str) -> dict[str, str]:
    """Return the texts of a locale by key; an unknown locale gets English."""
    known = locale if locale in LOCALES else DEFAULT_LOCALE
    texts: dict[str, str] = json.loads((_FOLDER / "texts" / f"{known}.json").read_text(encoding="utf-8"))
    return texts


@cache
def emoji_glyphs() -> dict[str, str]:
    """Return the character of each emoji by its word."""
    glyphs: dict[str, str] = json.loads((_FOLDER / "emoji.json").read_text(encoding="utf-8"))
    return glyphs


def day_title(day: date, locale: str) -> str:
    """Return the heading of a day, such as ``Sunday, 29 November 2026``."""
    texts = album_texts(locale)
    return texts["day"].format(weekday=texts[f"weekday.{day.isoweekday()}"], date=date_text(day, locale))


def month_title(day: date, locale: str) -> str:
    """Return the heading of a month, such as ``November 2026``."""
    return album_texts(locale)["month"].format(month=paper_texts(locale)[f"month.{day.month}"], year=day.year)


def joined_names(names: Sequence[str], locale: str) -> str:
    """Return names as a list in words, such as ``Mei, Lan and An``."""
    texts = album_texts(locale)
    *first, last = names or [""]
    return texts["names_and"].join([texts["names_comma"].join(first), last]) if first else last
