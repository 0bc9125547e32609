"""The library is whole in every language, and a week's prompts are the same for a cohort and new the week after."""

from __future__ import annotations

import uuid
from datetime import date, timedelta

import pytest

from services.core.office.prompts.rules import BANDS, band_of, library, starters_of_week, week_of
from services.core.platform.locales import LOCALES

COHORT = uuid.UUID("00000000-0000-4000-8000-000000000001")
MONDAY = date(2026, 3, 2)


def words(seed: uuid.UUID, today: date, band: str = "8-10") -> list[str]:
    return [starter.starter for starter in starters_of_week(seed, band, today, "en")]


def test_there_are_forty_prompts_and_more_each_in_every_language_and_none_twice() -> None:
    assert len(library()) >= 40
    assert {ages for _, ages, _ in library()} == set(BANDS)
    assert len({word for word, _, _ in library()}) == len(library())
    for locale in LOCALES:
        texts = [page[locale] for _, _, page in library()]
        assert all(0 < len(text) <= 120 for text in texts)
        assert len(set(texts)) == len(texts)
    assert all(set(page) == set(LOCALES) and len(set(page.values())) == len(LOCALES) for _, _, page in library())


def test_a_cohort_is_shown_the_same_all_week_and_others_the_week_after() -> None:
    week = words(COHORT, MONDAY)
    assert len(set(week)) == 3
    assert all(words(COHORT, MONDAY + timedelta(days=day)) == week for day in range(7))
    assert not set(words(COHORT, MONDAY + timedelta(days=7))) & set(week)


def test_all_prompts_of_an_age_are_shown_before_one_comes_again() -> None:
    of_age = {word for word, ages, _ in library() if ages == "8-10"}
    shown: list[str] = []
    for week in range(14):
        shown += words(COHORT, MONDAY + timedelta(weeks=week))
    for start in range(0, len(shown), len(of_age)):
        assert set(shown[start : start + len(of_age)]) == of_age


def test_cohorts_differ() -> None:
    assert len({tuple(words(uuid.uuid4(), MONDAY)) for _ in range(20)}) > 5


@pytest.mark.parametrize(
    ("birth_year", "band"),
    [(2023, "5-7"), (2019, "5-7"), (2018, "8-10"), (2016, "8-10"), (2015, "11-14"), (2009, "11-14"), (None, "8-10")],
)
def test_prompts_fit_the_childs_age(birth_year: int | None, band: str) -> None:
    assert band_of(birth_year, MONDAY) == band


def test_a_week_begins_on_monday() -> None:
    assert week_of(date(2026, 3, 8)) == MONDAY
