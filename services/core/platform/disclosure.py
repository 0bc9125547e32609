"""Disclosure control of counts. Pure: small groups are suppressed, and counts that reveal them by subtraction.

The model assumes a reader who knows every published count exactly, although counts are rounded to 5, and who knows that
cohorts make up a site and sites the programme. Suppressed counts are safe when that reader can show neither a
suppressed count nor its complement to be a small group, nor narrow it to fewer than k + 1 values.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf
from typing import Final

ROUNDED_TO: Final = 5
_OFF_BY: Final = ROUNDED_TO // 2


class Audience(StrEnum):
    """Readers inside the programme (staff, factory), or outside (brand, public)."""

    STAFF = "staff"
    PUBLIC = "public"


# Smaller groups of families are suppressed.
LEAST: Final = {Audience.STAFF: 5, Audience.PUBLIC: 10}


def rounded(count: int) -> int:
    """Return a count to the nearest 5."""
    return ROUNDED_TO * ((count + _OFF_BY) // ROUNDED_TO)


def membership_is_telling(gone: int, come: int, least: int) -> bool:
    """Return whether a week is withheld: its members differ from those of the week before by 1 to k-1 families."""
    return 0 < gone + come < least


@dataclass(frozen=True)
class Groups:
    """Counts of families in a tree of groups: ``parent`` names the whole that a group is part of.

    ``whole`` is the total that each count is a part of; None for counts of all families, which have no complement.
    ``most`` is an upper bound of a suppressed count that a reader knows from elsewhere. ``known`` are groups that were
    published before and have not changed since: suppressing them protects nothing.
    """

    parent: Mapping[Hashable, Hashable | None]
    count: Mapping[Hashable, int]
    whole: Mapping[Hashable, int] | None = None
    most: Mapping[Hashable, int] = field(default_factory=dict)
    known: frozenset[Hashable] = frozenset()

    def children(self) -> dict[Hashable, list[Hashable]]:
        """Return the parts of each whole, in a fixed order."""
        parts: dict[Hashable, list[Hashable]] = defaultdict(list)
        for group in sorted(self.parent, key=str):
            over = self.parent[group]
            if over is not None:
                parts[over].append(group)
        return parts

    def rest(self, group: Hashable) -> int | None:
        """Return the complement of a count, None without a total."""
        return None if self.whole is None else self.whole[group] - self.count[group]


def hidden_groups(groups: Groups, least: int, withheld: Iterable[Hashable] = ()) -> frozenset[Hashable]:
    """Return the groups to suppress: small ones, withheld ones, and those that would reveal them."""
    hidden = set(withheld)
    for group, count in groups.count.items():
        rest = groups.rest(group)
        if count < least or (rest is not None and rest < least):
            hidden.add(group)
    parts = groups.children()
    while True:
        more = _gives_away(groups, parts, hidden, least)
        if more is None:
            return frozenset(hidden)
        hidden.add(more)


def _gives_away(
    groups: Groups, parts: Mapping[Hashable, list[Hashable]], hidden: set[Hashable], least: int
) -> Hashable | None:
    """Return one more group to suppress, or None when no suppressed count can be derived."""
    # Suppressed and never published; and groups whose suppression would not help.
    unseen, useless = hidden - groups.known, hidden | groups.known
    for over, under in parts.items():
        dark = [group for group in under if group in unseen]
        if over in unseen:
            lit = _smallest(groups, [group for group in under if group not in groups.known])
            if not dark and lit is not None:
                return lit
        elif dark and (
            len(dark) == 1
            or sum(groups.count[group] for group in dark) < least
            or (groups.whole is not None and sum(groups.rest(group) or 0 for group in dark) < least)
        ):
            lit = _smallest(groups, [group for group in under if group not in useless])
            if lit is not None or over not in groups.known:
                return over if lit is None else lit
    for group in _disclosed(groups, parts, hidden, least):
        over = groups.parent[group]
        siblings = [] if over is None else [other for other in parts[over] if other not in useless]
        further = _smallest(groups, siblings)
        if further is None and over is not None and over not in hidden:
            further = over
        if further is None:
            further = _smallest(groups, [other for other in groups.parent if other not in hidden])
        if further is not None:
            return further
    return None


def _smallest(groups: Groups, among: Iterable[Hashable]) -> Hashable | None:
    return min(among, key=lambda group: (groups.count[group], str(group)), default=None)


def _disclosed(
    groups: Groups, parts: Mapping[Hashable, list[Hashable]], hidden: set[Hashable], least: int
) -> list[Hashable]:
    """Return the suppressed groups that a reader can show to be small, or can narrow too far; complements as well."""
    revealed: set[Hashable] = set()
    unseen = hidden - groups.known
    for of_the_rest in (False, True)[: 1 if groups.whole is None else 2]:
        known = ranges(groups, parts, hidden, of_the_rest=of_the_rest)
        revealed |= {group for group in unseen if known[group][1] < least or known[group][1] - known[group][0] < least}
    return sorted(revealed, key=str)


def ranges(
    groups: Groups, parts: Mapping[Hashable, list[Hashable]], hidden: set[Hashable], *, of_the_rest: bool = False
) -> dict[Hashable, tuple[float, float]]:
    """Return the interval in which a reader can place each count, or each complement. Exact: groups form a tree.

    Upwards each whole is bounded by its parts, then downwards each part by its whole minus its siblings. Published
    counts are taken as known exactly: rounding can be undone where two bounds meet, such as a complement that must not
    be small, or the same count a week before.
    """
    bounds: dict[Hashable, tuple[float, float]] = {}
    for group in groups.parent:
        whole = inf if groups.whole is None else groups.whole[group]
        least_rest = max(0, whole - groups.most.get(group, whole)) if groups.whole is not None else 0
        exactly = (groups.rest(group) or 0) if of_the_rest else groups.count[group]
        if group not in hidden or group in groups.known:
            bounds[group] = exactly, exactly
        elif of_the_rest:
            bounds[group] = least_rest, whole
        else:
            bounds[group] = 0, whole - least_rest
    downwards = sorted(groups.parent, key=lambda group: _depth(groups, group))
    for over in reversed(downwards):
        if under := parts.get(over):
            lowest, highest = _sums(bounds, under)
            bounds[over] = max(bounds[over][0], lowest), min(bounds[over][1], highest)
    for over in downwards:
        under = parts.get(over, [])
        lowest, _ = _sums(bounds, under)
        tightened = {}
        for group in under:
            low, high = bounds[group]
            _, others_highest = _sums(bounds, [other for other in under if other != group])
            tightened[group] = max(low, bounds[over][0] - others_highest), min(high, bounds[over][1] - (lowest - low))
        bounds.update(tightened)
    return bounds


def _sums(bounds: Mapping[Hashable, tuple[float, float]], among: Iterable[Hashable]) -> tuple[float, float]:
    both = [bounds[group] for group in among]
    return sum(low for low, _ in both), sum(high for _, high in both)


def _depth(groups: Groups, group: Hashable) -> int:
    depth, over = 0, groups.parent[group]
    while over is not None:
        depth, over = depth + 1, groups.parent[over]
    return depth
