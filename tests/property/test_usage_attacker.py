"""The attacker of everything that is published of usage finds no small group, and no reason why a number is missing.

Programmes have families that leave and join within quarters, and cohorts of 6 to 30 families in any number a site.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Collection, Hashable
from dataclasses import replace
from typing import Final

import pytest

from services.core.measurement.indicators.rules import INDICATORS, DropOut
from services.core.measurement.publishing.coding import SHARE_FAMILIES, coded, units_of
from services.core.measurement.publishing.sizes import hide_small_rests
from services.core.platform.disclosure import LEAST, rounded
from tests.support.attacks.usage_attacker import Attacker, Claim, summary
from tests.support.attacks.usage_programme import PROGRAMME, WEEKS, Life, Published, programme, publish

READERS: Final = ({"staff"}, {"public"}, {"staff", "public"})


def proved(claims: Collection[Claim]) -> list[Claim]:
    """Return the claims that follow from numbers.

    That a number is missing is a guess: whether it is shown depends on sizes alone, as another test shows.
    """
    return [claim for claim in claims if claim[0] in {"solved", "narrowed"}]


def attack(published: Published, weeks: Collection[int]) -> None:
    for audiences in READERS:
        claims = list(Attacker(published, audiences).claims(sorted(weeks)))
        print(sorted(audiences), summary(claims))  # noqa: T201 - the table of the attack
        assert proved(claims) == []


@pytest.mark.parametrize(("seed", "sites", "cohorts", "sizes"), [(1, 3, (1, 3), (6, 30)), (3, 3, (1, 2), (60, 130))])
def test_no_small_group_is_told_by_all_that_is_published(
    seed: int, sites: int, cohorts: tuple[int, int], sizes: tuple[int, int]
) -> None:
    # Two weeks of a quarter, its last one, and the first of the next.
    attack(publish(programme(seed, sites, cohorts, sizes)), {1, 7, 12, 13})


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(20))
def test_nor_in_many_more_programmes_and_every_week(seed: int) -> None:
    chance = random.Random(seed)
    sites = chance.randint(1, 10)
    sizes = chance.choice([(6, 30), (6, 30), (25, 25), (40, 120), (80, 260)])
    published = publish(programme(seed, sites, (1, chance.randint(1, 5)), sizes))
    attack(published, range(WEEKS))


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [1, 3])
def test_a_factory_that_reads_one_site_knows_no_more(seed: int) -> None:
    published = publish(programme(seed, 3, (1, 4), (20, 90)))
    for site in {life.site for life in published.lives.values()}:
        own = {site, *(life.cohort for life in published.lives.values() if life.site == site)}
        assert proved(list(Attacker(published, {"staff"}, own).claims())) == []


def test_the_attacker_is_not_blind() -> None:
    # Given a site of 60 of whom two are silent, in a week in which no edge is kept: two are rounded to none.
    lives = programme(3, 3, (1, 1), (60, 60))
    site = next(iter(lives.values())).site
    lives = {family: _all_weeks(life, silent_days=0) for family, life in lives.items()}
    for family in [family for family, life in lives.items() if life.site == site and life.first == 0][:2]:
        lives[family] = _all_weeks(lives[family], silent_days=9, to_child=0, to_family=0, calls=0, contact_days=0)
    published = publish(lives)
    unveiled = [
        (week, {**cell, "n": 60, "count": 0, "value": 0.0})
        if (week, cell["scope_id"], cell["indicator"]) == (1, site, "silent") else (week, cell)
        for week, cell in published.cells
    ]  # fmt: skip
    assert proved(list(Attacker(published, {"staff"}).claims([1]))) == []
    changed = replace(published, cells=unveiled)
    assert ("solved", 1, site, "silent", True) in list(Attacker(changed, {"staff"}).claims([1]))


def _all_weeks(life: Life, **fields: object) -> Life:
    return replace(life, weeks=tuple(replace(week, **fields) for week in life.weeks))  # type: ignore[arg-type]


def test_what_is_shown_depends_on_the_sizes_of_groups_and_never_on_what_families_did() -> None:
    # Given two programmes of the same families: as they lived, and each with the life of another.
    lives = programme(5, 4, (1, 3), (12, 60))
    others = list(lives)
    random.Random(5).shuffle(others)
    exchanged = {
        family: replace(
            life,
            weeks=tuple(replace(week, family_id=family, followed_days=life.weeks[place].followed_days)
                        for place, week in enumerate(lives[other].weeks)),
        )
        for (family, life), other in zip(lives.items(), others, strict=True)
    }  # fmt: skip

    def shown(published: Published, *, cumulative: bool) -> set[tuple[int, str, Hashable, str, bool]]:
        return {
            (week, cell["audience"], cell["scope_id"], cell["indicator"], cell["lower_quartile"] is not None)
            for week, cell in published.cells
            if cell["value"] is not None and INDICATORS[cell["indicator"]].cumulative is cumulative
        }

    first, second = publish(lives), publish(exchanged)
    assert shown(first, cumulative=False) == shown(second, cumulative=False)
    assert len(shown(first, cumulative=False)) > 1000
    # The reasons of drop-out are shown by the published number of those who dropped out.
    by_size = {
        at for at in shown(first, cumulative=True) ^ shown(second, cumulative=True) if at[3] not in _REASONS
    }  # fmt: skip
    assert by_size == set()


_REASONS: Final = {f"drop_out_{why}" for why in DropOut}


def test_whatever_is_published_of_a_group_neither_it_nor_its_complement_can_be_told_to_be_small() -> None:
    for least in LEAST.values():
        for size in range(SHARE_FAMILIES * least, 200):
            stands_for: dict[int, list[int]] = {}
            for count in range(size + 1):
                shown = coded(count, size, least)
                assert shown is not None
                stands_for.setdefault(shown, []).append(count)
            for shown, counts in stands_for.items():
                for of in (counts, [size - count for count in counts]):
                    if min(of) < least:
                        assert max(of) >= least, (size, shown, of)
                        assert max(of) - min(of) >= least, (size, shown, of)
    assert coded(3, 19, 5) is None


def test_what_the_public_is_shown_follows_from_what_staff_are_shown() -> None:
    staff, public = LEAST.values()
    for size in range(SHARE_FAMILIES * public, 150):
        counts: dict[int | None, int | None] = {}
        for count in range(size + 1):
            inside = coded(count, size, staff)
            assert counts.setdefault(inside, coded(count, size, public)) == coded(count, size, public)


def test_a_whole_is_split_into_parts_of_one_size_and_the_rest_is_none_or_as_large_and_more_than_one() -> None:
    parent: dict[Hashable, Hashable | None] = {"programme": None, **dict.fromkeys("abcd", "programme")}
    sizes: dict[Hashable, int] = {"a": 30, "b": 45, "c": 50, "d": 90}

    def units(**changed: int) -> set[frozenset[Hashable]]:
        of = sizes | dict(changed.items())
        of["programme"] = sum(of.values())
        return set(units_of(parent, of, 40, {"d"} if "d" in changed else ()).groups.values())

    # a is too small alone: the smallest of the others goes with it.
    assert units() == {frozenset("ab"), frozenset("c"), frozenset("d")}
    assert units(a=40) == {frozenset(letter) for letter in "abcd"}
    # d is withheld this week, large as it is: alone it would be had by subtraction.
    assert units(a=40, d=90) == {frozenset("ad"), frozenset("b"), frozenset("c")}
    assert units(a=4, b=5, c=6) == {frozenset({"programme"})}


def test_the_rest_of_a_whole_is_none_or_large_enough_for_a_median_of_its_own() -> None:
    parent: dict[Hashable, Hashable | None] = {"p": None, "a": "p", "b": "p", "a1": "a", "a2": "a"}
    sizes: dict[Hashable, int] = {"p": 100, "a": 40, "b": 60, "a1": 32, "a2": 8}
    # Without a1 the site would tell of the eight.
    assert hide_small_rests(parent, sizes, {"a2"}, 15) == {"a1", "a2"}
    # A site that is withheld: its cohort with the programme's other site would tell of the eight.
    assert hide_small_rests(parent, sizes, {"a", "a2"}, 15) == {"a", "a1", "a2"}
    assert hide_small_rests(parent, sizes, {"a2"}, 8) == {"a2"}


def test_the_last_numbers_of_a_quarter_and_the_first_of_the_next_do_not_bound_each_other() -> None:
    # Given 200 families of whom one more drops out with the first week of the next quarter.
    site, cohort = uuid.UUID(int=1000), uuid.UUID(int=100_000)
    base = next(iter(programme(3, 1, (1, 1), (1, 1)).values())).weeks[0]
    lives = {}
    for place in range(200):
        family_id = uuid.UUID(int=place + 1_000_000)
        weeks = [
            replace(base, family_id=family_id, followed_days=100,
                    drop_out_reason=DropOut.SILENT if place < (3 if week < 13 else 4) else None)
            for week in range(WEEKS)
        ]  # fmt: skip
        lives[family_id] = Life(site, cohort, 0, WEEKS, tuple(weeks))
    published = publish(lives)
    place_of_count = ("staff", PROGRAMME, "drop_out")
    counts = {cell["count"] for _, cell in published.cells
              if (cell["audience"], cell["scope_id"], cell["indicator"]) == place_of_count}  # fmt: skip
    # Three and four are the same edge.
    assert counts == {5}
    assert rounded(4) == 5
