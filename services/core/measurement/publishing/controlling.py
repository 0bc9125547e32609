"""Which numbers of a week are published, and how. Pure.

What is shown of a scope depends on how many families it has, never on what they did: an empty cell says nothing else.
Medians and pooled shares are of large enough scopes, with the programme's value standing in for families without one.
Shares of families are coded so that none tells of a small group (:mod:`.coding`), measured in units that do not
overlap, and added up for every scope above them: no subtraction finds more than what is published of the units.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from services.core.measurement.indicators.rules import INDICATORS, FamilyWeek, Indicator, Kind, Measure
from services.core.measurement.publishing.coding import (
    QUARTILE_FAMILIES,
    Units,
    added_up,
    coded,
    coded_ratio,
    units_of,
)
from services.core.measurement.publishing.sizes import MOVED, SIZES, TOLD, Dark, Sizes, sizes_of
from services.core.measurement.tables import UsagePopulation
from services.core.platform.disclosure import LEAST, Audience, rounded

CUMULATIVE: Final = frozenset(code for code, indicator in INDICATORS.items() if indicator.cumulative)
NOTHING: Final[dict[str, Any]] = {
    "n": None, "count": None, "value": None, "lower_quartile": None, "upper_quartile": None,
}  # fmt: skip
# Of fewer families of the whole programme with a value, an indicator is shown nowhere: that tells of no small group.
_HAVING_LEAST: Final = 2 * max(LEAST.values())
_SHARES: Final = (Kind.SHARE_OF_FAMILIES, Kind.SURVIVAL)

# Cells of cumulative indicators as they were published the week before: by audience, scope and indicator.
Kept = Mapping[tuple[str, Hashable, str], Mapping[str, Any]]


@dataclass(frozen=True)
class Scopes:
    """A programme, its sites and their cohorts: the families of each scope, and the scope that each is part of."""

    members: Mapping[uuid.UUID, Sequence[uuid.UUID]]
    parent: Mapping[Hashable, Hashable | None]

    @classmethod
    def of(cls, programme_id: uuid.UUID, population: Sequence[UsagePopulation]) -> Scopes:
        members: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
        parent: dict[Hashable, Hashable | None] = {}
        for member in population:
            for scope in (programme_id, member.site_id, member.cohort_id):
                members[scope].append(member.family_id)
            parent |= {programme_id: None, member.site_id: programme_id, member.cohort_id: member.site_id}
        return cls(members, parent)


def controlled_cells(
    scopes: Scopes,
    weeks: Mapping[uuid.UUID, FamilyWeek],
    changed: Mapping[Hashable, tuple[int, int]],
    dark_before: Dark = MappingProxyType({}),
    kept: Kept = MappingProxyType({}),
) -> tuple[list[dict[str, Any]], dict[str, frozenset[Hashable]]]:
    """Return every cell of a week for every audience, suppressed where it must be; and what stays hidden.

    ``changed``: how many families left and joined each scope since the week before. ``dark_before``: what this function
    returned for the week before in the same quarter. ``kept``: what a scope whose membership changed goes on showing of
    its cumulative indicators.
    """
    sizes = sizes_of(
        scopes.parent, {scope: len(members) for scope, members in scopes.members.items()}, changed, dark_before
    )
    shares = _Shares(scopes, weeks, sizes[Audience.PUBLIC])
    pooled = _pooled(scopes, weeks)
    cells: list[dict[str, Any]] = []
    for audience, of_audience in sizes.items():
        least = LEAST[audience]
        published = shares.published(least, of_audience)
        for code, indicator in INDICATORS.items():
            for scope, members in scopes.members.items():
                if indicator.of_the_whole and scopes.parent[scope] is not None:
                    continue
                if indicator.cumulative and scope in of_audience.moved:
                    shown = kept.get((audience.value, scope, code))
                elif indicator.kind in _SHARES:
                    shown = published.get((code, scope))
                elif scope in of_audience.hidden:
                    shown = None
                else:
                    shown = _shown(indicator, pooled.get((code, scope)), len(members), least)
                cells.append({
                    "audience": audience.value, "scope_id": scope, "indicator": code, "version": indicator.version,
                    **(shown or NOTHING),
                })  # fmt: skip
    stays = {
        f"{audience}/{key}": marked
        for audience, audience_sizes in sizes.items()
        for key, marked in (
            (SIZES, audience_sizes.small),
            (MOVED, audience_sizes.moved),
            (TOLD, audience_sizes.disclosed),
        )
    }
    return cells, stays


class _Shares:
    """Shares of families, measured in units and added up; the units are the same for every audience."""

    def __init__(self, scopes: Scopes, weeks: Mapping[uuid.UUID, FamilyWeek], strictest: Sizes) -> None:
        self._scopes = scopes
        self._weeks = weeks
        self._sizes: dict[Hashable, int] = {scope: len(members) for scope, members in scopes.members.items()}
        self._units: dict[str, Units] = {}
        self._measures: dict[tuple[str, Hashable], tuple[int, int | None]] = {}
        for code, indicator in INDICATORS.items():
            if indicator.kind in _SHARES and indicator.rest_of is None:
                excluded = strictest.hidden | strictest.moved if indicator.cumulative else strictest.hidden
                # A part is measured where the programme is: no part of a part is published.
                floor = indicator.floor if indicator.part_of is None else max(self._sizes.values(), default=0) + 1
                self._units[code] = units_of(scopes.parent, self._sizes, floor, excluded)
                for unit, group in self._units[code].groups.items():
                    self._measures[code, unit] = self._measure(indicator, group)

    def _measure(self, indicator: Indicator, group: Collection[Hashable]) -> tuple[int, int | None]:
        families = [self._weeks[family_id] for scope in group for family_id in self._scopes.members[_id(scope)]]
        measure = indicator.formula(families, None)
        return len(families), None if measure.value is None else measure.count

    def published(self, least: int, sizes: Sizes) -> dict[tuple[str, Hashable], dict[str, Any]]:
        """Return what is published of each share and scope for one audience."""
        cells: dict[tuple[str, Hashable], dict[str, Any]] = {}
        for code, units in self._units.items():
            if INDICATORS[code].part_of is not None:
                continue
            of_unit = {unit: self._coded(code, unit, least) for unit in units.groups}
            for scope, under in units.under.items():
                parts = [measure for unit in under if (measure := of_unit[unit]) is not None]
                n = sum(families for _, families in parts)
                if scope in sizes.hidden or not parts:
                    continue
                count = parts[0][0] if len(under) == 1 else added_up(parts, n, least)
                if count is not None:
                    cells[code, scope] = _share(count, rounded(n))
        for code, indicator in INDICATORS.items():
            if indicator.rest_of is not None:
                whole, part = indicator.rest_of
                self._divide(cells, whole, part, code, least)
        return cells

    def _coded(self, code: str, unit: Hashable, least: int) -> tuple[int, int] | None:
        families, count = self._measures[code, unit]
        shown = None if count is None else coded(count, families, least)
        return None if shown is None else (shown, families)

    def _divide(
        self, cells: dict[tuple[str, Hashable], dict[str, Any]], whole: str, part: str, rest: str, least: int
    ) -> None:  # fmt: skip
        """Publish a part of a published share, and what remains of it: both, or none where the whole is too small."""
        for unit in self._units[part].groups:
            cell = cells.get((whole, unit))
            _, count = self._measures[part, unit]
            shown = None if cell is None or count is None else coded(count, cell["count"], least)
            if cell is not None and shown is not None:
                cells[part, unit] = _share(shown, cell["n"])
                cells[rest, unit] = _share(cell["count"] - shown, cell["n"])


def _pooled(scopes: Scopes, weeks: Mapping[uuid.UUID, FamilyWeek]) -> dict[tuple[str, Hashable], Measure]:
    """Measure medians and pooled shares; one that too few families of the whole programme have is measured nowhere."""
    groups = {scope: [weeks[family_id] for family_id in members] for scope, members in scopes.members.items()}
    measures: dict[tuple[str, Hashable], Measure] = {}
    for root, over in scopes.parent.items():
        if over is not None:
            continue
        for code, indicator in INDICATORS.items():
            if indicator.kind in _SHARES:
                continue
            typical = indicator.formula(groups[_id(root)], None)
            if typical.families >= _HAVING_LEAST:
                measures |= {(code, scope): indicator.formula(families, typical) for scope, families in groups.items()}
    return measures


def _shown(indicator: Indicator, measure: Measure | None, members: int, least: int) -> dict[str, Any] | None:
    """Return a median or pooled share as it is published."""
    if measure is None or measure.value is None:
        return None
    cell = {**NOTHING, "n": rounded(members)}
    if indicator.kind is Kind.RATIO:
        return {**cell, "value": coded_ratio(measure.value)}
    cell["value"] = round(measure.value, indicator.digits)
    if indicator.kind is Kind.QUARTILES and members >= QUARTILE_FAMILIES * least:
        cell["lower_quartile"] = round(measure.lower_quartile or 0, indicator.digits)
        cell["upper_quartile"] = round(measure.upper_quartile or 0, indicator.digits)
    return cell


def _share(count: int, n: int) -> dict[str, Any]:
    # Computed from the rounded counts: an exact share would reveal the counts.
    return {**NOTHING, "n": n, "count": count, "value": round(count / n, 2)}


def _id(scope: Hashable) -> uuid.UUID:
    if not isinstance(scope, uuid.UUID):
        raise TypeError(scope)
    return scope
