"""Selection of the weekly conversation prompts by the child's age, in an order specific to the cohort. Pure.

The same week, cohort and age always select the same prompts, so nothing is stored.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Final

from services.core.platform.locales import fitting_locale

BANDS: Final = ("5-7", "8-10", "11-14")
A_WEEK: Final = 3
# The assumed age band of a child without a year of birth: the middle one.
_UNKNOWN: Final = "8-10"
_MONDAY: Final = date(2024, 1, 1)


@dataclass(frozen=True)
class Starter:
    """A conversation prompt in one language."""

    starter: str
    ages: str
    text: str


@cache
def library() -> tuple[tuple[str, str, dict[str, str]], ...]:
    """Return every prompt: its key, its age band, its text by locale."""
    page = json.loads(Path(__file__).with_name("library.json").read_text(encoding="utf-8"))
    return tuple((prompt["starter"], prompt["ages"], prompt["texts"]) for prompt in page)


def band_of(birth_year: int | None, today: date) -> str:
    """Return the age band of a child; an age outside all bands gets the nearest one."""
    if birth_year is None:
        return _UNKNOWN
    age_years = today.year - birth_year
    if age_years <= 7:  # noqa: PLR2004 - the bounds are the bands' own
        return "5-7"
    return "8-10" if age_years <= 10 else "11-14"  # noqa: PLR2004


def week_of(today: date) -> date:
    """Return the Monday of a day's week (ISO 8601)."""
    return today - timedelta(days=today.weekday())


def starters_of_week(seed: uuid.UUID, band: str, today: date, locale: str) -> list[Starter]:
    """Return the three prompts of a week; a prompt returns only after all others of its age band have been shown."""
    ordered = sorted(
        (prompt for prompt in library() if prompt[1] == band),
        key=lambda prompt: hashlib.sha256(f"{seed}/{prompt[0]}".encode()).digest(),
    )
    first = (week_of(today) - _MONDAY).days // 7 * A_WEEK
    chosen = [ordered[(first + offset) % len(ordered)] for offset in range(A_WEEK)]
    return [Starter(word, ages, texts[fitting_locale(locale)]) for word, ages, texts in chosen]
