"""Simulated programmes of an attack on published usage: families that fall silent, leave and join within quarters.

Their weeks are published by the product's own function, week after week, as the worker does it.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from services.core.measurement.indicators.rules import DropOut, FamilyWeek, quarter_of
from services.core.measurement.publishing.controlling import CUMULATIVE, Scopes, controlled_cells
from services.core.measurement.publishing.sizes import MOVED, Dark
from services.core.measurement.tables import UsagePopulation
from services.core.platform.disclosure import LEAST

PROGRAMME: Final = uuid.UUID(int=1)
FIRST_WEEK: Final = date(2026, 1, 5)
# A quarter and the beginning of the next.
WEEKS: Final = 16


@dataclass(frozen=True)
class Life:
    """One family: its place, the weeks in which it takes part, and what it did in each."""

    site: uuid.UUID
    cohort: uuid.UUID
    # Its first week, and the first in which it is counted no more.
    first: int
    gone: int
    weeks: tuple[FamilyWeek, ...]


@dataclass
class Published:
    """Every cell of every week, and what is true: the population of each scope in each week."""

    cells: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    scopes: list[Scopes] = field(default_factory=list)
    lives: Mapping[uuid.UUID, Life] = field(default_factory=dict)

    def families(self, week: int, scope: Hashable) -> list[FamilyWeek]:
        """Return the weeks of the families that a scope had in a week."""
        return [self.lives[member].weeks[week] for member in self.members(week, scope)]

    def members(self, week: int, scope: Hashable) -> Sequence[uuid.UUID]:
        """Return the families that a scope had in a week."""
        return self.scopes[week].members.get(scope, ()) if isinstance(scope, uuid.UUID) else ()


def programme(seed: int, sites: int, cohorts: tuple[int, int], sizes: tuple[int, int]) -> dict[uuid.UUID, Life]:
    """Return a programme: so many cohorts a site, each of so many families (from, to)."""
    chance = random.Random(seed)
    lives: dict[uuid.UUID, Life] = {}
    for site in range(sites):
        # Some sites are livelier than others: shares near 0 and 100 % happen.
        mood = chance.choice((0.3, 1, 1, 3))
        for cohort in range(chance.randint(*cohorts)):
            for _ in range(chance.randint(*sizes)):
                family_id = uuid.UUID(int=1_000_000 + len(lives))
                lives[family_id] = _life(
                    chance, family_id, uuid.UUID(int=1000 + site), uuid.UUID(int=100_000 + 100 * site + cohort), mood
                )
    return lives


def _life(chance: random.Random, family_id: uuid.UUID, site: uuid.UUID, cohort: uuid.UUID, mood: float) -> Life:
    first = chance.randint(1, WEEKS - 1) if chance.random() < 0.06 else 0
    gone = chance.randint(1, WEEKS) if chance.random() < 0.06 else WEEKS
    # Nobody is counted before the quarter that follows its first week.
    rate = mood * chance.lognormvariate(1.2, 0.9)
    stops = int(chance.expovariate(0.012))
    returns = stops + 3 if chance.random() < 0.3 else None
    weeks = []
    quiet = dropped = 0
    reason: DropOut | None = None
    for week in range(WEEKS):
        present = returns is None or week < returns
        spoken = 0 if week >= stops or not present else sum(chance.random() < rate / 20 for _ in range(20))
        answered = sum(chance.random() < 0.6 for _ in range(spoken))
        calls = int(present and week < stops and chance.random() < 0.1)
        quiet = 0 if spoken + calls else quiet + 7
        if reason is None:
            dropped = week
            reason = DropOut.RETURNED if not present else DropOut.SILENT if quiet >= 28 else None
        talked = min(7, spoken + calls)
        weeks.append(
            FamilyWeek(
                family_id=family_id, assigned_days=7 if present else 0, to_child=spoken, to_family=answered,
                voice_s=7 * (spoken + answered), delivered=spoken, delivered_5_min=int(0.8 * (spoken + answered)),
                delivered_24_h=spoken + answered, played_7_d=int(0.9 * spoken), calls=calls,
                worn_s=3600 * talked * 6, contact_days=talked, longest_gap_days=min(28, quiet or chance.randint(1, 6)),
                silent_days=quiet, heartbeat_hours=chance.randint(40, 98) if present else 0,
                low_battery_days=chance.randint(0, 2) if present else 0, reboots=int(chance.random() < 0.1),
                child_waits=((chance.randint(600, 90_000), True),) * answered,
                parent_waits=((chance.randint(600, 90_000), True),) * spoken,
                followed_days=7 * ((dropped if reason else week) + 1), drop_out_reason=reason,
            )
        )  # fmt: skip
    return Life(site, cohort, first, gone, tuple(weeks))


def publish(lives: Mapping[uuid.UUID, Life]) -> Published:
    """Publish every week as the worker does it: populations are fixed at each quarter's start, leavers are erased."""
    published = Published(lives=lives)
    dark: Dark = {}
    fixed: list[uuid.UUID] = []
    kept: dict[tuple[str, Hashable, str], dict[str, Any]] = {}
    before: Mapping[uuid.UUID, Sequence[uuid.UUID]] = {}
    began: Mapping[uuid.UUID, Sequence[uuid.UUID]] = {}
    for week in range(WEEKS):
        monday = FIRST_WEEK + timedelta(weeks=week)
        is_new = week == 0 or quarter_of(monday) != quarter_of(monday - timedelta(weeks=1))
        if is_new:
            fixed = [family_id for family_id, life in lives.items() if life.first <= week < life.gone]
        present = [family_id for family_id in fixed if week < lives[family_id].gone]
        scopes = Scopes.of(PROGRAMME, [_population(family_id, lives[family_id]) for family_id in present])
        changed: dict[Hashable, tuple[int, int]] = {
            scope: _difference(before.get(scope, ()), members) for scope, members in scopes.members.items() if before
        }
        if is_new:
            dark = {
                f"{audience}/{MOVED}": frozenset(
                    scope for scope in dark.get(f"{audience}/{MOVED}", frozenset())
                    if isinstance(scope, uuid.UUID) and scope in scopes.members
                    and sum(_difference(began.get(scope, ()), scopes.members[scope])) < least
                )
                for audience, least in LEAST.items()
            }  # fmt: skip
            began = scopes.members
        cells, dark = controlled_cells(
            scopes, {family_id: lives[family_id].weeks[week] for family_id in present}, changed, dark, kept
        )
        kept = {
            (cell["audience"], cell["scope_id"], cell["indicator"]): {
                name: cell[name] for name in ("n", "count", "value", "lower_quartile", "upper_quartile")
            }
            for cell in cells
            if cell["indicator"] in CUMULATIVE and cell["value"] is not None
        }
        published.cells += [(week, cell) for cell in cells]
        published.scopes.append(scopes)
        before = scopes.members
    return published


def _population(family_id: uuid.UUID, life: Life) -> UsagePopulation:
    return UsagePopulation(
        quarter=FIRST_WEEK, programme_id=PROGRAMME, family_id=family_id, site_id=life.site, cohort_id=life.cohort
    )


def _difference(then: Sequence[uuid.UUID], now: Sequence[uuid.UUID]) -> tuple[int, int]:
    return len(set(then) - set(now)), len(set(now) - set(then))
