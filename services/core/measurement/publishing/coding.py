"""How a share is published so that its value tells of no small group, whatever it is. Pure.

A count below 2k, and one whose complement is below 2k, is published as an edge: "at most" and "at least". An edge
stands for all counts from none to 2k - 5 and more, so that neither a group nor its complement can be told to be smaller
than k, nor narrowed to fewer than k + 1 values. That holds for all indicators of a scope together: one that includes
another, or excludes it, bounds it by an edge at the strictest. What is the exact sum of others is computed from what is
published of them, and tells nothing beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.core.measurement.indicators.rules import INDICATORS, Cell, Kind
from services.core.platform.disclosure import LEAST, ROUNDED_TO, Audience, rounded

# A share is published of a scope with so many times k families; a median (of thirds), quartiles (of sixths).
SHARE_FAMILIES: Final = 4
MEDIAN_FAMILIES: Final = 3
QUARTILE_FAMILIES: Final = 6
# Pooled shares are published in twentieths, and the outermost ones stand for everything beyond.
STEPS: Final = 20
_CODED_SINCE_VERSION: Final = 2
_SHARES: Final = (Kind.SHARE_OF_FAMILIES, Kind.SURVIVAL)


def edge(least: int) -> int:
    """Return the lowest count that is published; it stands for all below."""
    return 2 * least - ROUNDED_TO


def coded(count: int, families: int, least: int) -> int | None:
    """Return a count as it is published: rounded to 5, within the edges; None for a scope that is too small.

    A function of both rounded numbers: the edges tell nothing that rounding to 5 would not.
    """
    if families < SHARE_FAMILIES * least:
        return None
    return _within(edge(least), rounded(count), rounded(families))


def added_up(parts: Sequence[tuple[int, int]], families: int, least: int) -> int | None:
    """Return the count of a whole from what is published of its parts, each (count, families).

    An estimate: a part at an edge counts as the middle of what it stands for. It is never an edge itself.
    """
    if families < SHARE_FAMILIES * least:
        return None
    middles = sum(_middle(count, rounded(size), least) for count, size in parts)
    return _within(edge(least) + ROUNDED_TO, rounded(round(middles)), rounded(families))


def _within(edge_: int, count: int, families: int) -> int:
    return min(max(count, edge_), families - edge_)


def _middle(count: int, families: int, least: int) -> float:
    """Return the middle of all counts for which a published one stands."""
    half = (edge(least) + ROUNDED_TO // 2) / 2
    if count == edge(least):
        return half
    return families - half if count == families - edge(least) else count


def coded_ratio(value: float) -> float:
    """Return a pooled share in steps of 5 %, within the outermost ones."""
    return round(min(max(round(value * STEPS), 1), STEPS - 1) / STEPS, 2)


def bound_of(cell: Cell, audience: Audience) -> str | None:
    """Return ``at_most`` or ``at_least`` for a value at its edge; None for one that stands for itself."""
    indicator = INDICATORS[cell.indicator]
    if cell.value is None or cell.version < _CODED_SINCE_VERSION:
        return None
    if indicator.kind is Kind.RATIO:
        step = round(cell.value * STEPS)
        return "at_most" if step <= 1 else "at_least" if step >= STEPS - 1 else None
    if indicator.kind not in _SHARES or cell.count is None or cell.n is None:
        return None
    if cell.count <= edge(LEAST[audience]):
        return "at_most"
    return "at_least" if cell.count >= cell.n - edge(LEAST[audience]) else None


@dataclass(frozen=True)
class Units:
    """The groups of which shares are measured; every other published share is added up from theirs.

    ``groups``: the families' scopes that make up each unit, by the scope whose part it is. A unit of one scope is
    published as that scope; one of several is the rest of a whole, in no table of its own. ``under``: the units of each
    scope that has a share.
    """

    groups: Mapping[Hashable, frozenset[Hashable]]
    under: Mapping[Hashable, Sequence[Hashable]]


def units_of(
    parent: Mapping[Hashable, Hashable | None],
    sizes: Mapping[Hashable, int],
    floor: int,
    excluded: Collection[Hashable],
) -> Units:
    """Divide a tree of scopes: a whole is split where each of its parts has ``floor`` families, the rest together too.

    Decided by sizes alone. ``excluded`` scopes are only counted among a rest.
    """
    parts: dict[Hashable, list[Hashable]] = {}
    for scope in sorted(parent, key=str):
        over = parent[scope]
        if over is not None:
            parts.setdefault(over, []).append(scope)
    groups: dict[Hashable, frozenset[Hashable]] = {}
    under: dict[Hashable, Sequence[Hashable]] = {}

    def divide(whole: Hashable) -> Sequence[Hashable]:
        own, rest = _split(
            parts.get(whole, []), sizes, lambda part: sizes[part] >= floor and part not in excluded, floor
        )
        if own:
            units = [unit for part in own for unit in divide(part)]
            if rest:
                groups["rest", whole] = frozenset(rest)
                units.append(("rest", whole))
        else:
            groups[whole] = frozenset({whole})
            units = [whole]
        under[whole] = units
        return units

    for scope, over in parent.items():
        if over is None:
            divide(scope)
    return Units(groups, under)


def _split(
    parts: Sequence[Hashable], sizes: Mapping[Hashable, int], is_large: Callable[[Hashable], bool], floor: int
) -> tuple[list[Hashable], list[Hashable]]:
    """Return the parts that stand for themselves, and the others; these are none, or ``floor`` families together."""
    own = sorted((part for part in parts if is_large(part)), key=lambda part: (sizes[part], str(part)))
    rest = [part for part in parts if not is_large(part)]
    # A rest of one scope would be had by subtraction in the very week in which that scope is withheld.
    while rest and own and (sum(sizes[part] for part in rest) < floor or len(rest) == 1):
        rest.append(own.pop(0))
    return own, rest
