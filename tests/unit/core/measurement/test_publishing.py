"""Published drop-out: reasons of the whole programme alone, both or none; survival, though a site began late."""

from __future__ import annotations

import uuid
from collections.abc import Hashable, Sequence
from datetime import date
from typing import Any

from services.core.measurement.indicators.rules import DropOut, FamilyWeek
from services.core.measurement.publishing.controlling import Kept, Scopes, controlled_cells
from services.core.measurement.publishing.sizes import MOVED, Dark, sizes_of
from services.core.measurement.tables import UsagePopulation
from services.core.platform.disclosure import Audience

PROGRAMME = uuid.UUID(int=1)
SITES = (uuid.UUID(int=10), uuid.UUID(int=11))
SIZE = 100


def a_week(
    silent: int, returned: int, dark: Dark, changed: int = 0, kept: Kept | None = None
) -> tuple[list[dict[str, Any]], Dark]:
    """Return the cells of a programme of two sites of 100 families, in each of which so many dropped out."""
    reasons = [DropOut.SILENT] * silent + [DropOut.RETURNED] * returned
    weeks = {
        family_id: FamilyWeek(family_id=family_id, drop_out_reason=reasons[place] if place < len(reasons) else None)
        for site in SITES
        for place, family_id in enumerate(families_of(site))
    }
    population = [
        UsagePopulation(
            quarter=date(2026, 1, 5),
            programme_id=uuid.UUID(int=1),
            family_id=family_id,
            site_id=site,
            cohort_id=uuid.UUID(int=site.int + 100),
        )
        for site in SITES
        for family_id in families_of(site)
    ]
    return controlled_cells(Scopes.of(PROGRAMME, population), weeks, {PROGRAMME: (changed, 0)}, dark, kept or {})


def families_of(site: uuid.UUID, size: int = SIZE) -> Sequence[uuid.UUID]:
    return [uuid.UUID(int=1000 * site.int + place) for place in range(size)]


def published(cells: Sequence[dict[str, Any]], audience: str = "staff") -> dict[str, tuple[int | None, float | None]]:
    """Return what is told of drop-out in the programme; fails should a site or cohort have a cell of a reason."""
    reasons = [cell for cell in cells if cell["indicator"].startswith("drop_out_")]
    assert {cell["scope_id"] for cell in reasons} == {PROGRAMME}
    return {
        cell["indicator"]: (cell["count"], cell["value"])
        for cell in cells
        if cell["scope_id"] == PROGRAMME and cell["audience"] == audience and cell["indicator"].startswith("drop_out")
    }


NOTHING = (None, None)


def test_both_reasons_are_told_of_the_programme_when_both_are_large() -> None:
    # Two sites of 100: 2 x 15 fell silent, 2 x 10 gave the watch back.
    cells, _ = a_week(15, 10, {})
    assert published(cells) == {
        "drop_out": (50, 0.25), "drop_out_silent": (30, 0.15), "drop_out_returned": (20, 0.1),
    }  # fmt: skip


def test_a_small_reason_is_an_edge_and_the_other_what_remains_of_the_drop_out() -> None:
    # 2 x 17 of 200 dropped out, of whom 2 x 2 returned: at most 5. The others are what remains.
    cells, _ = a_week(15, 2, {})
    assert published(cells) == {"drop_out": (35, 0.17), "drop_out_silent": (30, 0.15), "drop_out_returned": (5, 0.03)}
    # Outside, reasons of fewer than forty are told of neither.
    assert published(cells, "public") == {
        "drop_out": (35, 0.17),
        "drop_out_silent": NOTHING,
        "drop_out_returned": NOTHING,
    }
    cells, _ = a_week(30, 2, {})
    assert published(cells, "public") == {
        "drop_out": (65, 0.33), "drop_out_silent": (50, 0.25), "drop_out_returned": (15, 0.07),
    }  # fmt: skip


def test_reasons_of_too_small_a_drop_out_are_told_of_neither() -> None:
    # 2 x 4 dropped out: 10. What is shown depends on the published number alone.
    cells, _ = a_week(3, 1, {})
    assert published(cells) == {"drop_out": (10, 0.05), "drop_out_silent": NOTHING, "drop_out_returned": NOTHING}


def test_a_whole_of_large_parts_is_added_up_from_what_is_published_of_them() -> None:
    # Three sites of 200: 3, 42 and 90 dropped out.
    sites = {uuid.UUID(int=20 + number): dropped for number, dropped in enumerate((3, 42, 90))}
    weeks, population = {}, []
    for site, dropped in sites.items():
        for place in range(200):
            family_id = uuid.UUID(int=1000 * site.int + place)
            weeks[family_id] = FamilyWeek(
                family_id=family_id, drop_out_reason=DropOut.SILENT if place < dropped else None
            )
            population.append(
                UsagePopulation(
                    quarter=date(2026, 1, 5), programme_id=PROGRAMME, family_id=family_id, site_id=site,
                    cohort_id=uuid.UUID(int=site.int + 100),
                )
            )  # fmt: skip
    cells, _ = controlled_cells(Scopes.of(PROGRAMME, population), weeks, {})
    counts = {cell["scope_id"]: cell["count"] for cell in cells
              if (cell["indicator"], cell["audience"]) == ("drop_out", "staff")}  # fmt: skip
    # The first at its edge counts as 3.5.
    assert [counts[scope] for scope in (*sites, PROGRAMME)] == [5, 40, 90, 135]


def kept_of(cells: Sequence[dict[str, Any]]) -> dict[tuple[str, Hashable, str], dict[str, Any]]:
    """Return shown cells as the next week reads them."""
    return {
        (cell["audience"], cell["scope_id"], cell["indicator"]): {
            name: cell[name] for name in ("n", "count", "value", "lower_quartile", "upper_quartile")
        }
        for cell in cells
        if cell["value"] is not None
    }


def cumulative(cells: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [cell for cell in cells if cell["indicator"].startswith(("drop_out", "survival_"))]


def test_a_small_scope_is_withheld_for_the_week_in_which_few_left_and_a_large_one_only_what_is_cumulative() -> None:
    every_scope: frozenset[Hashable] = frozenset({PROGRAMME})
    for size, is_hidden in ((99, True), (100, False)):
        sizes = sizes_of({PROGRAMME: None}, {PROGRAMME: size}, {PROGRAMME: (3, 0)}, {})[Audience.STAFF]
        assert sizes.hidden == (every_scope if is_hidden else frozenset())
        assert sizes.moved == every_scope
        # In the next week it is shown, and its cumulative indicators stand still.
        before = {f"staff/{MOVED}": sizes.moved}
        sizes = sizes_of({PROGRAMME: None}, {PROGRAMME: size}, {PROGRAMME: (0, 0)}, before)[Audience.STAFF]
        assert sizes.hidden == frozenset()
        assert sizes.moved == every_scope


def test_when_few_leave_cumulative_indicators_stand_still() -> None:
    # Given a week, one before which three of the programme are gone, and one after it.
    before, dark = a_week(15, 10, {})
    then, dark = a_week(16, 12, dark, changed=3, kept=kept_of(before))
    assert published(then) == published(before)
    after, dark = a_week(20, 15, dark, kept=kept_of(then))
    assert published(after) == published(before)
    # Where nothing had been shown before, nothing is until the quarter's end.
    _, dark = a_week(15, 10, {}, changed=3)
    assert set(published(a_week(15, 10, dark)[0]).values()) == {NOTHING}
    # The next quarter begins anew, for a population that differs by enough.
    assert published(a_week(15, 10, {})[0])["drop_out_returned"] == (20, 0.1)


def a_quarter(*, leaver_had_dropped_out: bool) -> list[dict[str, Any]]:
    """Return the cumulative cells of three weeks of a site of 80, of whom one leaves before the second."""
    site = SITES[0]
    members = list(families_of(site))[:80]
    lives = {
        family_id: FamilyWeek(
            family_id=family_id, followed_days=90 if place < 20 else 200,
            drop_out_reason=DropOut.SILENT if place < 20 else None,
        )
        for place, family_id in enumerate(members)
    }  # fmt: skip
    leaver = members[0] if leaver_had_dropped_out else members[-1]
    cells: list[dict[str, Any]] = []
    dark: Dark = {}
    kept: dict[tuple[str, Hashable, str], dict[str, Any]] = {}
    for week in range(3):
        present = [member for member in members if week == 0 or member != leaver]
        population = [
            UsagePopulation(
                quarter=date(2026, 1, 5), programme_id=PROGRAMME, family_id=family_id, site_id=site,
                cohort_id=uuid.UUID(int=110),
            )
            for family_id in present
        ]  # fmt: skip
        scopes = Scopes.of(PROGRAMME, population)
        changed: dict[Hashable, tuple[int, int]] = {}
        if week == 1:
            changed |= dict.fromkeys(scopes.members, (1, 0))
        published, dark = controlled_cells(
            scopes, {family_id: lives[family_id] for family_id in present}, changed, dark, kept
        )
        kept = kept_of(cumulative(published))
        cells += cumulative(published)
    return cells


def test_the_weeks_after_a_single_family_left_do_not_tell_whether_it_had_dropped_out() -> None:
    assert a_quarter(leaver_had_dropped_out=True) == a_quarter(leaver_had_dropped_out=False)
    shown = [cell for cell in a_quarter(leaver_had_dropped_out=True) if cell["value"] is not None]
    assert {cell["indicator"] for cell in shown} >= {"drop_out", "survival_182"}


def test_a_site_that_began_late_does_not_hide_what_the_programme_is_told_of_a_whole_year() -> None:
    # Given three sites of 200 followed for 400 days, and one of 200 for 90 days; at each, 40 dropped out at 60 days.
    sites = {uuid.UUID(int=20 + number): 400 if number else 90 for number in range(4)}
    weeks = {
        family_id: FamilyWeek(
            family_id=family_id, followed_days=60 if place < 40 else days,
            drop_out_reason=DropOut.SILENT if place < 40 else None,
        )
        for site, days in sites.items()
        for place, family_id in enumerate(families_of(site, 200))
    }  # fmt: skip
    population = [
        UsagePopulation(
            quarter=date(2026, 1, 5),
            programme_id=uuid.UUID(int=1),
            family_id=family_id,
            site_id=site,
            cohort_id=uuid.UUID(int=site.int + 100),
        )
        for site in sites
        for family_id in families_of(site, 200)
    ]
    cells, _ = controlled_cells(Scopes.of(PROGRAMME, population), weeks, {})
    values = {cell["scope_id"]: cell["value"] for cell in cells
            if (cell["indicator"], cell["audience"]) == ("survival_364", "staff")}  # fmt: skip
    assert [values[scope] for scope in (PROGRAMME, *sites)] == [0.8, None, 0.8, 0.8, 0.8]
