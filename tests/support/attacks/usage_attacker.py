"""The attacker of published usage: solves everything that a reader may have read as linear programmes.

He knows the exact size of every scope, how many families have a value, what makes up what, how numbers are rounded and
where their edges are, what includes or excludes what, and that nobody returns who has dropped out. He claims that a
group or its complement is small where nothing else fits, or where a number is missing that was shown in another week.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

from services.core.measurement.indicators.rules import INDICATORS, DropOut, FamilyWeek, Kind, survival_at
from services.core.platform.disclosure import LEAST, Audience, rounded
from tests.support.attacks.usage_programme import PROGRAMME, WEEKS, Published

Claim = tuple[str, int, Hashable, str, bool]
"""How it was found, week, scope, indicator, and whether it is true."""

_SURVIVAL: Final = {code: int(code.removeprefix("survival_")) for code in INDICATORS if code.startswith("survival_")}
_HOLDS: Final[Mapping[str, Callable[[FamilyWeek], bool]]] = {
    "active_use": lambda week: week.to_child > 0 and week.to_family > 0,
    "regularity": lambda week: week.contact_days >= 3,
    "silent": lambda week: week.silent_days >= 7,
    "drop_out": lambda week: week.dropped_out,
    "drop_out_silent": lambda week: week.drop_out_reason is DropOut.SILENT,
    "drop_out_returned": lambda week: week.drop_out_reason is DropOut.RETURNED,
}
COUNTS: Final = (*_HOLDS, *_SURVIVAL)
# Never both; the first is part of the second; the first is the sum of the others.
_EXCLUDE: Final = (("active_use", "silent"), ("regularity", "silent"))
_INCLUDED: Final = (
    *((code, "drop_out") for code in ("drop_out_silent", "drop_out_returned")),
    ("lost_28", "lost_91"), ("lost_91", "lost_182"), ("lost_182", "lost_364"), ("lost_364", "drop_out"),
)  # fmt: skip
_NEARLY: Final = 1e-5
_HALF: Final = 2


def counted(families: Sequence[FamilyWeek], code: str) -> int:
    """Return how many families an indicator counts; of survival those that it has lost."""
    if code in _SURVIVAL:
        share = survival_at([(family.followed_days, family.dropped_out) for family in families], _SURVIVAL[code])
        return round(len(families) * (1 - share))
    return sum(_HOLDS[code](family) for family in families)


@dataclass
class _Week:
    """What one reader knows of one week: bounds of each count, and rows "at most"."""

    parent: Mapping[Hashable, Hashable | None]
    sizes: Mapping[Hashable, int]
    low: dict[tuple[Hashable, str], float] = field(default_factory=dict)
    high: dict[tuple[Hashable, str], float] = field(default_factory=dict)
    rests: list[tuple[str, Collection[Hashable], float, float]] = field(default_factory=list)

    def within(self, scope: Hashable, code: str, low: float, high: float) -> None:
        at = (scope, code)
        self.low[at] = max(self.low.get(at, 0), low)
        self.high[at] = min(self.high.get(at, self.sizes[scope]), high)


class Attacker:
    """One reader: of the tables of these audiences, as a role that sees these scopes (None: all)."""

    def __init__(
        self, published: Published, audiences: Collection[str], scopes: Collection[Hashable] | None = None
    ) -> None:  # fmt: skip
        self.published = published
        self.least = min(LEAST[Audience(audience)] for audience in audiences)
        self.cells: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for week, cell in published.cells:
            if cell["audience"] in audiences and (scopes is None or cell["scope_id"] in scopes):
                self.cells[week].append(cell)

    def claims(self, weeks: Sequence[int] = range(WEEKS)) -> Iterator[Claim]:
        """Return all claims of these weeks."""
        yield from self._missing(weeks)
        known = {week: self._read(week) for week in range(WEEKS)}
        self._over_time(known)
        for week in weeks:
            yield from self._solved(week, known[week])

    # ------------------------------------------------------------ empty cells

    def _missing(self, weeks: Sequence[int]) -> Iterator[Claim]:
        """A number that is missing beside others of its scope, and was shown in another week, is missing for a reason.

        He claims that few families are behind it, or behind its complement.
        """
        shown: dict[tuple[str, Hashable, str], set[int]] = defaultdict(set)
        quartiles: dict[tuple[str, Hashable, str], set[int]] = defaultdict(set)
        sized: dict[tuple[str, Hashable], set[int]] = defaultdict(set)
        for week in range(WEEKS):
            for cell in self.cells[week]:
                at = (cell["audience"], cell["scope_id"], cell["indicator"])
                if cell["value"] is not None:
                    shown[at].add(week)
                    if INDICATORS[cell["indicator"]].kind is not Kind.SURVIVAL:
                        sized[at[:2]].add(week)
                if cell["lower_quartile"] is not None:
                    quartiles[at].add(week)
        for (audience, scope, code), in_weeks in shown.items():
            # Weeks in which nothing but what stands still is shown are withheld as a whole.
            frozen = {week for week in sized[audience, scope] if self._is_withheld(week, scope)}
            for week in (sized[audience, scope] - in_weeks - frozen) & set(weeks):
                if not INDICATORS[code].cumulative:
                    yield "missing", week, scope, code, self._is_small(week, scope, code, LEAST[Audience(audience)])
            of_quartiles = quartiles.get((audience, scope, code), set())
            for week in (in_weeks - of_quartiles) & set(weeks) if of_quartiles else ():
                few = 4 * LEAST[Audience(audience)]
                yield "quartiles", week, scope, code, self._having(week, scope, code) < few

    def _is_withheld(self, week: int, scope: Hashable) -> bool:
        return all(
            cell["value"] is None or INDICATORS[cell["indicator"]].cumulative
            for cell in self.cells[week]
            if cell["scope_id"] == scope
        )

    def _is_small(self, week: int, scope: Hashable, code: str, least: int) -> bool:
        families = self.published.families(week, scope)
        if code in COUNTS:
            count = counted(families, code)
            return min(count, len(families) - count) < least
        return self._having(week, scope, code) < least

    def _having(self, week: int, scope: Hashable, code: str) -> int:
        return INDICATORS[code].formula(self.published.families(week, scope), None).families

    # ------------------------------------------------------------ what is shown

    def _read(self, week: int) -> _Week:
        scopes = self.published.scopes[week]
        known = _Week(scopes.parent, {scope: len(members) for scope, members in scopes.members.items()})
        counts: dict[tuple[str, Hashable, str], dict[str, Any]] = {}
        for cell in self.cells[week]:
            if cell["value"] is None:
                continue
            if cell["indicator"] in COUNTS:
                counts[cell["audience"], cell["scope_id"], cell["indicator"]] = cell
            elif cell["indicator"] in {"messages", "longest_gap_days"}:
                self._read_median(week, known, cell)
        for (audience, scope, code), cell in counts.items():
            if self._stands_still(week, cell):
                continue
            parts = [part for part, over in scopes.parent.items() if over == scope]
            shown = [part for part in parts if (audience, part, code) in counts]
            if shown:
                # A part's own sum is rounded once more: the whole was made of its units, not of what is shown of it.
                sums = sum(any((audience, of, code) in counts for of, over in scopes.parent.items() if over == part)
                           for part in shown)  # fmt: skip
                self._read_rest(known, cell, parts, [counts[audience, part, code] for part in shown], 5 + 3 * sums)
            elif code == "drop_out_silent":
                # What remains of the whole: computed from what was published of it and of the other part.
                continue
            else:
                low, high = self._interval(cell, known.sizes[scope])
                known.within(scope, _of(code), low, high)
        return known

    def _stands_still(self, week: int, cell: Mapping[str, Any]) -> bool:
        """Return whether a cumulative number is the one of an earlier population: it bounds nothing of this one."""
        scope = cell["scope_id"]
        same = [
            self.published.members(earlier, scope) == self.published.members(week, scope) for earlier in range(week)
        ]
        return INDICATORS[cell["indicator"]].cumulative and not all(same)

    def _interval(self, cell: Mapping[str, Any], size: int) -> tuple[float, float]:
        """Return the counts for which a published one stands; of survival of those that are lost."""
        least = LEAST[Audience(cell["audience"])]
        edge = 2 * least - 5
        whole, shown = cell["n"], cell["count"]
        if cell["indicator"] == "drop_out_returned":
            # A part of those who dropped out, of whom `size` is an upper bound.
            return (0, edge + 2) if shown <= edge else (shown - 2, size)
        low, high = (0 if shown <= edge else shown - 2), (size if shown >= whole - edge else shown + 2)
        return (size - high, size - low) if cell["indicator"] in _SURVIVAL else (low, high)

    def _read_rest(
        self, known: _Week, cell: Mapping[str, Any], parts: Sequence[Hashable], shown: Sequence[Mapping[str, Any]],
        inexact: int,
    ) -> None:  # fmt: skip
        """The sum was made of what is shown of the parts, and of a rest that is shown nowhere."""
        rest = [part for part in parts if part not in {other["scope_id"] for other in shown}]
        size = sum(known.sizes[part] for part in rest)
        if not rest or cell["indicator"] in _SURVIVAL:
            return
        fits = []
        for count in range(0, rounded(size) + 1, 5):
            coded = {**cell, "n": rounded(size), "count": count}
            total = sum(_middle(published) for published in (*shown, coded))
            if abs(total - cell["count"]) <= inexact:
                fits.append(self._interval(coded, size))
        if fits:
            low, high = min(low for low, _ in fits), max(high for _, high in fits)
            known.rests.append((_of(cell["indicator"]), rest, low, high))

    def _read_median(self, week: int, known: _Week, cell: Mapping[str, Any]) -> None:
        """A median is the mean of the middle third: it bounds how many families lie above and below a threshold."""
        scope, size = cell["scope_id"], known.sizes[cell["scope_id"]]
        having = self._having(week, scope, cell["indicator"])
        if having < 10:
            return
        for value, place, share in (
            (cell["value"], 0.5, 3), (cell["lower_quartile"], 0.25, 6), (cell["upper_quartile"], 0.75, 6),
        ):  # fmt: skip
            if value is None:
                continue
            below, width = _window(having, place, share)
            above = having - below - width
            lowest, highest = (value - 0.5) * width, (value + 0.5) * width
            if cell["indicator"] == "messages":
                known.within(scope, "active_use", 0, _reaching(2, having, below, width, highest) + size - having)
                if lowest > 0:
                    known.within(scope, "silent", 0, size - above - 1)
            else:
                known.within(scope, "silent", 0, _reaching(7, having, below, width, highest) + size - having)
                longest = lowest - 27 * width
                if longest > 0:
                    known.within(scope, "silent", above + math.ceil(longest), size)

    def _over_time(self, known: Mapping[int, _Week]) -> None:
        """Whoever has dropped out stays so: bounds go from week to week while a scope's families are the same."""
        for code in ("drop_out", "drop_out_silent", "drop_out_returned"):
            for scope in {scope for week in known.values() for scope in week.parent}:
                for weeks in (range(1, WEEKS), range(WEEKS - 2, -1, -1)):
                    for week in weeks:
                        other = week - 1 if weeks.step > 0 else week + 1
                        members = [self.published.members(number, scope) for number in (week, other)]
                        if not members[0] or members[0] != members[1]:
                            continue
                        at = (scope, code)
                        if weeks.step > 0 and at in known[other].low:
                            known[week].within(scope, code, known[other].low[at], known[week].sizes[scope])
                        elif weeks.step < 0 and at in known[other].high:
                            known[week].within(scope, code, 0, known[other].high[at])

    # ------------------------------------------------------------ linear programmes

    def _solved(self, week: int, known: _Week) -> Iterator[Claim]:
        """Claim what no other counts fit; a count that is published within its edges is no secret."""
        solver = _Solver(known)
        for scope in known.parent:
            families = self.published.families(week, scope)
            for code in _HOLDS:
                count, size = counted(families, code), len(families)
                for rest in (False, True):
                    exactly = size - count if rest else count
                    if exactly >= self.least or size < self.least:
                        # Known well or not: no small group.
                        continue
                    low, high = solver.bounds(scope, code, rest=rest)
                    if not low - _NEARLY <= exactly <= high + _NEARLY:
                        yield "solved", week, scope, code, False
                    elif high < self.least - _NEARLY:
                        yield "solved", week, scope, code, True
                    elif high - low < self.least - _NEARLY:
                        yield "narrowed", week, scope, code, True


class _Solver:
    """All counts of a week as unknowns of one linear programme; bounds that nothing tightens need none."""

    def __init__(self, known: _Week) -> None:
        self._known = known
        names = ("active_use", "regularity", "silent", "drop_out", "drop_out_silent", "drop_out_returned",
                 *(f"lost_{day}" for day in _SURVIVAL.values()))  # fmt: skip
        self._place = {(scope, name): number for number, (scope, name) in enumerate(
            (scope, name) for scope in known.parent for name in names)}  # fmt: skip
        self._limits = [(known.low.get(at, 0), known.high.get(at, known.sizes[at[0]])) for at in self._place]
        below: list[tuple[list[tuple[int, float]], float]] = []
        equal: list[list[tuple[int, float]]] = []
        for scope, size in known.sizes.items():

            def at(name: str, of: Hashable = scope) -> int:
                return self._place[of, name]

            below += [([(at(name), 1), (at(other), 1)], size) for name, other in _EXCLUDE]
            below += [([(at(part), 1), (at(whole), -1)], 0) for part, whole in _INCLUDED]
            equal.append([(at("drop_out"), 1), (at("drop_out_silent"), -1), (at("drop_out_returned"), -1)])
            parts = [part for part, over in known.parent.items() if over == scope]
            # Survival of a whole is not the sum of its parts'.
            equal += [[(at(name), 1), *((self._place[part, name], -1.0) for part in parts)] for name in _HOLDS if parts]
        for code, rest, low, high in known.rests:
            row = [(self._place[part, code], 1.0) for part in rest]
            below += [(row, high), ([(place, -1.0) for place, _ in row], -low)]
        self._below = _matrix([row for row, _ in below], len(self._place))
        self._most = [most for _, most in below]
        self._equal = _matrix(equal, len(self._place))
        self._found: dict[tuple[Hashable, str], tuple[float, float]] = {}

    def bounds(self, scope: Hashable, code: str, *, rest: bool) -> tuple[float, float]:
        """Return the least and the most that a count, or its complement, can be."""
        if (scope, code) not in self._found:
            aim = np.zeros(len(self._place))
            aim[self._place[scope, code]] = 1
            self._found[scope, code] = self._solve(aim), -self._solve(-aim)
        low, high = self._found[scope, code]
        size = self._known.sizes[scope]
        return (size - high, size - low) if rest else (low, high)

    def _solve(self, aim: Any) -> float:
        solved = linprog(aim, A_ub=self._below, b_ub=self._most, A_eq=self._equal, b_eq=np.zeros(self._equal.shape[0]),
                         bounds=self._limits, method="highs")  # fmt: skip
        assert solved.status == 0, solved.message
        return float(solved.fun)


def _matrix(rows: Sequence[Sequence[tuple[int, float]]], width: int) -> Any:
    entries = [(line, place, factor) for line, row in enumerate(rows) for place, factor in row]
    lines, places, factors = zip(*entries, strict=True)
    return coo_matrix((factors, (lines, places)), shape=(len(rows), width)).tocsr()


def _of(code: str) -> str:
    return f"lost_{_SURVIVAL[code]}" if code in _SURVIVAL else code


def _middle(cell: Mapping[str, Any]) -> float:
    edge = 2 * LEAST[Audience(cell["audience"])] - 5
    if cell["count"] <= edge:
        return (edge + 2) / 2
    return cell["n"] - (edge + 2) / 2 if cell["count"] >= cell["n"] - edge else float(cell["count"])


def _window(having: int, place: float, share: int) -> tuple[int, int]:
    """Return how many values lie below those whose mean is published, and how many those are."""
    width = min(having, max(5, math.ceil(having / share)))
    at = (having - 1) * place
    if 2 * at == having - 1 and (having - width) % 2:
        width += 1
    return min(max(round(at - (width - 1) / 2), 0), having - width), width


def _reaching(threshold: int, having: int, below: int, width: int, highest: float) -> int:
    """Return how many values at most reach a threshold, when those of the window sum up to ``highest`` at most."""
    inside = math.floor(highest / threshold)
    return having if inside >= width else having - below - width + inside


def summary(claims: Sequence[Claim]) -> dict[str, tuple[int, int]]:
    """Return for each way of finding how many claims were made, and how many were right."""
    counts: dict[str, tuple[int, int]] = {}
    for how, *_, right in claims:
        made, true = counts.get(how, (0, 0))
        counts[how] = made + 1, true + right
    return counts


__all__ = ["COUNTS", "PROGRAMME", "Attacker", "Claim", "counted", "summary"]
