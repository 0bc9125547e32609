"""The attacker: knows every published number, how it was rounded, what is never shown, and what makes up what.

He solves all of it at once, as a linear programme: counts and populations of every site and cohort are the unknowns.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial
from operator import sub

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from services.core.platform.disclosure import LEAST, Audience, Groups, hidden_groups, membership_is_telling, rounded

Counts = dict[Hashable, int]
Parents = dict[Hashable, Hashable | None]


def add_up(cohorts: Counts, parent: Parents) -> Counts:
    total = dict.fromkeys(parent, 0) | cohorts
    for cohort, count in cohorts.items():
        site = parent[cohort]
        total[site] += count
        total["programme"] += count
    return total


@st.composite
def programmes(draw: st.DrawFn) -> tuple[Parents, Counts, Counts]:
    """A programme of up to 4 sites with up to 3 cohorts: families, and of how many something holds."""
    parent: Parents = {"programme": None}
    families: Counts = {}
    holding: Counts = {}
    for site in range(draw(st.integers(1, 4))):
        parent[f"site {site}"] = "programme"
        for number in range(draw(st.integers(1, 3))):
            cohort = f"cohort {site}.{number}"
            parent[cohort] = f"site {site}"
            families[cohort] = draw(st.one_of(st.integers(1, 60), st.integers(40, 60)))
            few = st.integers(0, min(12, families[cohort]))
            holding[cohort] = draw(
                st.one_of(st.integers(0, families[cohort]), few, few.map(partial(sub, families[cohort])))
            )
    return parent, add_up(families, parent), add_up(holding, parent)


class Attacker:
    """Bounds what can be known of each unknown: minimise and maximise it under everything that was published."""

    def __init__(
        self, parent: Parents, families: Counts, holding: Counts, least: int, dark: frozenset[Hashable],
        dark_families: frozenset[Hashable],
    ) -> None:  # fmt: skip
        self.place = {group: index for index, group in enumerate(parent)}
        size = len(parent)
        self.bounds: list[tuple[float, float | None]] = []
        for known, hidden in ((holding, dark), (families, dark_families)):
            for group in parent:
                shown = rounded(known[group])
                self.bounds.append((0, None) if group in hidden else (max(shown - 2, least), shown + 2))
        self.equal = []
        for over in parent:
            under = [group for group in parent if parent[group] == over]
            for offset in (0, size) if under else ():
                row = np.zeros(2 * size)
                row[offset + self.place[over]] = 1
                for group in under:
                    row[offset + self.place[group]] = -1
                self.equal.append(row)
        # No family counts twice, and the complement of a shown group is no small group either.
        self.below, self.most = [], []
        for group, index in self.place.items():
            row = np.zeros(2 * size)
            row[index], row[size + index] = 1, -1
            self.below.append(row)
            self.most.append(0 if group in dark else -least)
        self.size = size

    def knows(self, group: Hashable, *, rest: bool) -> tuple[float, float]:
        """Return the least and the most that a count (or how many are not in it) can be."""
        aim = np.zeros(2 * self.size)
        aim[self.place[group]] = -1 if rest else 1
        if rest:
            aim[self.size + self.place[group]] = 1
        claims = []
        for sign in (1, -1):
            solved = linprog(
                sign * aim, A_ub=np.array(self.below), b_ub=self.most, A_eq=np.array(self.equal),
                b_eq=np.zeros(len(self.equal)), bounds=self.bounds,
            )  # fmt: skip
            assert solved.status in (0, 3), solved.message
            claims.append(sign * solved.fun if solved.status == 0 else -sign * np.inf)
        return claims[0], claims[1]


def check(parent: Parents, families: Counts, holding: Counts, audience: Audience) -> None:
    least = LEAST[audience]
    dark_families = hidden_groups(Groups(parent, families), least)
    dark = hidden_groups(Groups(parent, holding, families), least, dark_families)
    for group in parent:
        if group not in dark:
            assert least <= holding[group] <= families[group] - least
    attacker = Attacker(parent, families, holding, least, dark, dark_families)
    for group in dark:
        for rest in (False, True):
            low, high = attacker.knows(group, rest=rest)
            truth = families[group] - holding[group] if rest else holding[group]
            assert low <= truth + 1e-6
            assert truth <= high + 1e-6
            # Neither known to be a small group, nor known to be one of k values.
            assert high > least - 1e-6, (group, rest, truth, low, high)
            assert high - low > least - 1e-6, (group, rest, truth, low, high)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(programmes(), st.sampled_from(Audience))
def test_no_hidden_group_can_be_had_from_all_that_is_shown(
    programme: tuple[Parents, Counts, Counts], audience: Audience
) -> None:
    check(*programme, audience)


def test_one_hidden_site_of_two_hides_the_other_and_its_cohorts() -> None:
    parent: Parents = {"programme": None, "a": "programme", "b": "programme", "b1": "b", "b2": "b"}
    families: dict[Hashable, int] = {"programme": 150, "a": 50, "b": 100, "b1": 50, "b2": 50}
    holding: dict[Hashable, int] = {"programme": 63, "a": 3, "b": 60, "b1": 30, "b2": 30}
    dark = hidden_groups(Groups(parent, holding, families), 5)
    assert {"a", "b"} <= dark
    assert dark & {"b1", "b2"}
    assert "programme" not in dark
    # Without the further ones the attacker had it nearly: 63 to 67 less 58 to 62.
    attacker = Attacker(parent, families, holding, 5, frozenset({"a"}), frozenset())
    assert attacker.knows("a", rest=False) == (1, 9)


def test_a_large_programme_keeps_most_of_its_numbers() -> None:
    parent: Parents = {"programme": None}
    families: Counts = {}
    holding: Counts = {}
    for site in range(50):
        parent |= {f"s{site:02d}": "programme", f"c{site:02d}": f"s{site:02d}"}
        families[f"c{site:02d}"] = 50
        holding[f"c{site:02d}"] = 3 if site == 7 else 20 + site % 20
    families, holding = add_up(families, parent), add_up(holding, parent)
    dark = hidden_groups(Groups(parent, holding, families), 5)
    assert dark == {"s07", "c07", "s00", "c00"}


def test_nothing_small_means_nothing_is_hidden() -> None:
    parent: Parents = {"programme": None, "a": "programme", "b": "programme"}
    groups = Groups(parent, {"programme": 50, "a": 25, "b": 25}, {"programme": 100, "a": 50, "b": 50})
    assert hidden_groups(groups, 10) == frozenset()


def test_a_week_is_withheld_when_one_to_k_less_one_families_changed() -> None:
    telling = [count for count in range(8) if membership_is_telling(count, 0, 5)]
    assert telling == [1, 2, 3, 4]
    assert membership_is_telling(2, 2, 5)
    assert not membership_is_telling(3, 2, 5)


def test_counts_are_rounded_to_the_nearest_five() -> None:
    assert [rounded(count) for count in (0, 2, 3, 7, 8, 12, 48)] == [0, 0, 5, 5, 10, 10, 50]
