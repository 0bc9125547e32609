"""The attacker over time: reads every published week of every site and cohort, and each file that he may have made.

He knows what makes up what, how numbers are rounded, when a group is shown, who cannot be in two groups at once, that
nobody joins within a quarter, and that who dropped out stays so. He solves all of it at once, as a linear programme.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from operator import sub
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

from services.core.measurement.indicators.rules import DropOut, FamilyWeek
from services.core.measurement.publishing import actions as publishing
from services.core.measurement.tables import UsagePopulation
from services.core.platform.disclosure import LEAST, Audience

PROGRAMME = uuid.UUID(int=1)
WHY = ("drop_out_silent", "drop_out_returned")
NAMES = ("active_use", "silent", "drop_out", *WHY, "regularity")
# A linear programme is solved up to this.
NEARLY = 1e-5

Cell = tuple[Hashable, int, str]
Told = list[tuple[int, dict[str, Any]]]
# A cell, whether it is its complement, and between what the attacker knows it to be.
Known = tuple[Cell, bool, float, float]


@dataclass
class Life:
    """One family: where, from which week on it is gone, and what held of it in each week."""

    site: uuid.UUID
    cohort: uuid.UUID
    gone_in: int
    weeks: list[FamilyWeek]


def a_week(family_id: uuid.UUID, *, active: bool, silent: bool, dropped: DropOut | None, regular: bool) -> FamilyWeek:
    return replace(
        FamilyWeek(family_id=family_id, assigned_days=7),
        to_child=int(active), to_family=int(active), silent_days=9 if silent else 0, drop_out_reason=dropped,
        contact_days=4 if regular else 1,
    )  # fmt: skip


def why(place: int, returned: int) -> DropOut:
    """Of those who dropped out, the first so many gave their watch back."""
    return DropOut.RETURNED if place < returned else DropOut.SILENT


@st.composite
def programmes(draw: st.DrawFn) -> list[Life]:
    """Up to 3 sites of up to 2 cohorts over 3 weeks, in which families fall silent, drop out, and are erased."""
    lives: list[Life] = []
    for site in range(draw(st.integers(1, 3))):
        for cohort in range(draw(st.integers(1, 2))):
            size = draw(st.integers(3, 40))
            few = st.integers(0, min(9, size))
            many = few.map(partial(sub, size))
            some = st.one_of(few, many, st.integers(0, size))
            active = [draw(some) for _ in range(3)]
            dropped = sorted(draw(some) for _ in range(3))
            returned = draw(st.integers(0, size))
            silent = [draw(st.integers(0, size - count)) for count in active]
            regular = [draw(st.integers(0, size - count)) for count in silent]
            erased = draw(st.sampled_from([0, 0, 0, 1, 2, 6]))
            for place in range(size):
                family_id = uuid.UUID(int=draw(st.just(1000 + 10_000 * site + 1000 * cohort + place)))
                lives.append(
                    Life(
                        uuid.UUID(int=10 + site), uuid.UUID(int=100 + 10 * site + cohort),
                        draw(st.just(2)) if place < min(erased, size - 1) else 3,
                        [
                            a_week(
                                family_id, active=place < active[week], silent=place >= size - silent[week],
                                dropped=why(place, returned) if place < dropped[week] else None,
                                regular=place < regular[week],
                            )
                            for week in range(3)
                        ],
                    )
                )  # fmt: skip
    return lives


def published(lives: list[Life]) -> tuple[Told, dict[Hashable, Hashable | None]]:
    """Return all cells of three weeks, as they are published, and what is part of what."""
    told: Told = []
    before: Mapping[uuid.UUID, Iterable[uuid.UUID]] = {}
    dark: publishing.Dark = {}
    parent: dict[Hashable, Hashable | None] = {}
    for week in range(3):
        there = [row for row in lives if week < row.gone_in]
        scopes = publishing.Scopes.of(
            PROGRAMME,
            [
                UsagePopulation(
                    quarter=date(2026, 1, 5), programme_id=PROGRAMME,
                    family_id=one.weeks[0].family_id, site_id=one.site, cohort_id=one.cohort,
                )
                for one in there
            ],
        )  # fmt: skip
        changed: dict[Hashable, tuple[int, int]] = {
            scope: (len(set(before[scope]) - set(members)), 0) for scope, members in scopes.members.items() if before
        }
        weeks = {one.weeks[week].family_id: one.weeks[week] for one in there}
        cells, dark = publishing.controlled_cells(scopes, weeks, changed, dark)
        told += [(week, cell) for cell in cells]
        before, parent = scopes.members, parent | dict(scopes.parent)
    return told, parent


def truth(lives: list[Life], names: Mapping[str, Any]) -> dict[Cell, int]:
    found: dict[Cell, int] = defaultdict(int)
    for row in lives:
        for week in range(row.gone_in):
            for scope in (PROGRAMME, row.site, row.cohort):
                found[scope, week, "families"] += 1
                for name, holds in names.items():
                    found[scope, week, name] += holds(row.weeks[week])
    return found


HOLDS = {
    "active_use": lambda one: one.to_child > 0,
    "silent": lambda one: one.silent_days >= 7,
    "drop_out": lambda one: one.dropped_out,
    "drop_out_silent": lambda one: one.drop_out_reason is DropOut.SILENT,
    "drop_out_returned": lambda one: one.drop_out_reason is DropOut.RETURNED,
    "regularity": lambda one: one.contact_days >= 3,
}


class Attacker:
    """Bounds what can be known of each count, under all that one reader may have read."""

    def __init__(
        self, told: Told, parent: Mapping[Hashable, Hashable | None],
        audiences: set[str], true: Mapping[Cell, int],
    ) -> None:  # fmt: skip
        self.place: dict[Cell, int] = {}
        for scope in parent:
            for week in range(3):
                for name in ("families", *NAMES):
                    self.place[scope, week, name] = len(self.place)
        self.low = np.zeros(len(self.place))
        self.high = np.full(len(self.place), np.inf)
        # Each row: (cell, factor) ... at most a number; and equal to nothing.
        self.most: list[tuple[list[tuple[Cell, float]], float]] = []
        self.none: list[list[tuple[Cell, float]]] = []
        self.hidden: set[Cell] = set()
        shown: set[Cell] = set()
        for week, cell in told:
            at = (cell["scope_id"], week, cell["indicator"])
            if cell["audience"] not in audiences:
                continue
            if cell["value"] is None:
                if cell["indicator"] in NAMES:
                    self.hidden.add(at)
                continue
            self._read(at, cell)
            shown.add(at)
        # Why families of a site dropped out is told of none, and must not follow from the programme's numbers.
        self.hidden |= {(scope, week, name) for scope, week, name in self.place if name in WHY}
        self.hidden -= shown
        self._add_up(parent)
        self._over_time(parent, true)

    def _read(self, at: Cell, cell: Mapping[str, Any]) -> None:
        """Take what one shown cell says."""
        scope, week, name = at
        least = LEAST[Audience(cell["audience"])]
        everybody = (scope, week, "families")
        self._within(everybody, max(cell["n"] - 2, least), cell["n"] + 2)
        if name not in NAMES:
            return
        if name == "regularity":
            self.most.append(([(at, -1), (everybody, cell["value"] - 0.025)], 0))
            self.most.append(([(at, 1), (everybody, -cell["value"] - 0.025)], 0))
            self._within(at, least, np.inf)
        else:
            self._within(at, max(cell["count"] - 2, least), cell["count"] + 2)
        self.most.append(([(at, 1), (everybody, -1)], -least))

    def _within(self, at: Cell, low: float, high: float) -> None:
        place = self.place[at]
        self.low[place], self.high[place] = max(self.low[place], low), min(self.high[place], high)

    def _add_up(self, parent: Mapping[Hashable, Hashable | None]) -> None:
        for scope in parent:
            under = [one for one in parent if parent[one] == scope]
            for week in range(3):
                everybody = (scope, week, "families")
                for name in ("families", *NAMES):
                    at = (scope, week, name)
                    if under:
                        self.none.append([(at, 1), *(((one, week, name), -1) for one in under)])
                    self.most.append(([(at, 1), (everybody, -1)], 0))
                self.none.append([((scope, week, "drop_out"), 1), *(((scope, week, name), -1) for name in WHY)])
                for name in ("active_use", "regularity"):
                    self.most.append(([((scope, week, name), 1), ((scope, week, "silent"), 1), (everybody, -1)], 0))

    def _over_time(self, parent: Mapping[Hashable, Hashable | None], true: Mapping[Cell, int]) -> None:
        for scope in parent:
            for week in range(2):
                now, then = (scope, week, "families"), (scope, week + 1, "families")
                if true[now] == true[then]:
                    # No family left, which an outsider may know.
                    self.none.append([(now, 1), (then, -1)])
                    for name in ("drop_out", *WHY):
                        self.most.append(([((scope, week, name), 1), ((scope, week + 1, name), -1)], 0))
                else:
                    self.most.append(([(then, 1), (now, -1)], 0))

    def knows(self, aim: list[tuple[Cell, float]]) -> tuple[float, float]:
        """Return the least and the most that a sum can be."""
        wanted = np.zeros(len(self.place))
        for at, factor in aim:
            wanted[self.place[at]] += factor
        below, equal = self._matrix([row for row, _ in self.most]), self._matrix(self.none)
        found = []
        for sign in (1, -1):
            solved = linprog(
                sign * wanted, A_ub=below, b_ub=[most for _, most in self.most], A_eq=equal,
                b_eq=np.zeros(len(self.none)), bounds=np.column_stack([self.low, self.high]),
            )  # fmt: skip
            assert solved.status in (0, 3), solved.message
            found.append(sign * solved.fun if solved.status == 0 else -sign * np.inf)
        return found[0], found[1]

    def _matrix(self, rows: list[list[tuple[Cell, float]]]) -> Any:
        entries = [(line, self.place[at], factor) for line, row in enumerate(rows) for at, factor in row]
        lines, columns, factors = zip(*entries, strict=True)
        return coo_matrix((factors, (lines, columns)), shape=(len(rows), len(self.place))).tocsr()


def recovered(lives: list[Life], audiences: set[str], told: Told | None = None) -> list[Known]:
    """Return every hidden small cell, or complement, that the attacker knows to be small, or knows too well."""
    found_told, parent = published(lives)
    true = truth(lives, HOLDS)
    attacker = Attacker(told or found_told, parent, audiences, true)
    least = min(LEAST[Audience(audience)] for audience in audiences)
    found = []
    for at in sorted(attacker.hidden, key=str):
        everybody = (at[0], at[1], "families")
        for rest in (False, True):
            aim: list[tuple[Cell, float]] = [(everybody, 1), (at, -1)] if rest else [(at, 1)]
            exactly = true[everybody] - true[at] if rest else true[at]
            if true[everybody] == 0 or exactly >= least:
                # Hidden for another's sake: between two weeks that are shown it may be known well.
                continue
            low, high = attacker.knows(aim)
            assert low - NEARLY <= exactly <= high + NEARLY
            if high < least - NEARLY or high - low < least - NEARLY:
                found.append((at, rest, low, high))
    return found


QUICK = settings(
    max_examples=10, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)  # fmt: skip
READERS = st.sampled_from([{"staff", "public"}, {"public"}])


@QUICK
@given(programmes(), READERS)
def test_no_small_cell_can_be_had_from_all_weeks_and_files_together(lives: list[Life], audiences: set[str]) -> None:
    assert recovered(lives, audiences) == []


@pytest.mark.long
@pytest.mark.timeout(900)
@settings(QUICK, max_examples=200)
@given(programmes(), READERS)
def test_nor_in_many_more_programmes(lives: list[Life], audiences: set[str]) -> None:
    assert recovered(lives, audiences) == []


def two_sites(first: tuple[int, int], second: tuple[int, int], erased: int = 0) -> list[Life]:
    """Return two sites of one cohort, each with so many families of whom so many are active; some of the second go."""
    return [
        Life(
            uuid.UUID(int=10 + site), uuid.UUID(int=100 + 10 * site), 2 if site and place < erased else 3,
            [a_week(uuid.UUID(int=1000 * site + place + 1), active=place < active, silent=False, dropped=None,
                    regular=True)] * 3,
        )
        for site, (size, active) in enumerate((first, second))
        for place in range(size)
    ]  # fmt: skip


def test_the_attacker_finds_a_small_site_once_its_complement_is_shown() -> None:
    # Given a site where 3 of 30 are active, and another where 14 are, hidden for the first one's sake.
    lives = two_sites((30, 3), (30, 14))
    told, _ = published(lives)
    assert recovered(lives, {"staff"}) == []
    other = uuid.UUID(int=11)
    unveiled = [
        (week, cell | {"n": 30, "count": 15, "value": 0.5})
        if (cell["scope_id"], cell["indicator"], week) == (other, "active_use", 1) else (week, cell)
        for week, cell in told
    ]  # fmt: skip
    assert told != unveiled
    # Then programme less that site, 15 less 15, is no more than four; in the one week in which it is shown.
    assert {(at, rest, round(high)) for at, rest, _, high in recovered(lives, {"staff"}, unveiled)} == {
        ((uuid.UUID(int=10), 1, "active_use"), False, 4), ((uuid.UUID(int=100), 1, "active_use"), False, 4),
    }  # fmt: skip


def test_the_attacker_finds_a_small_site_in_the_week_after_if_nothing_stays_hidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given a site of four, and one of 24 hidden for its sake. One of the four is erased, so the programme's week is
    # withheld, and that week needs no complement: published then, the 24 would be known for the weeks before.
    lives = two_sites((24, 12), (4, 2), erased=1)
    assert recovered(lives, {"public"}) == []
    whole = publishing.controlled_cells
    monkeypatch.setattr(publishing, "controlled_cells", lambda scopes, weeks, changed, _: whole(scopes, weeks, changed))
    assert {at[0] for at, *_ in recovered(lives, {"public"})} == {uuid.UUID(int=11), uuid.UUID(int=110)}
