"""Two reports one after the other tell, by subtraction, of no group of fewer than k families."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.core.measurement.publishing.headlines import Fixed, is_renewed, shown_figures
from services.core.platform.disclosure import LEAST, Audience

FAMILIES = st.sets(st.integers(0, 79))
# The population of each of three sites, quarter after quarter; families leave, join, come back, and move.
QUARTERS = st.lists(st.tuples(FAMILIES, FAMILIES, FAMILIES), min_size=2, max_size=8)


@given(st.sampled_from(list(Audience)), QUARTERS)
def test_subtracting_two_consecutive_reports_finds_no_group_below_k(
    audience: Audience, quarters: list[tuple[set[int], ...]]
) -> None:
    least = LEAST[audience]
    standing: list[set[int] | None] = [None, None, None]
    totals = []
    for population in quarters:
        for site, families in enumerate(population):
            before = standing[site]
            if before is None or is_renewed(len(before - families), len(families - before), least):
                standing[site] = families if len(families) >= least else None
            after = standing[site]
            if before and after:
                # A reader of both reports learns of groups that left and joined: none, or at least k.
                assert all(len(group) == 0 or len(group) >= least for group in (before - after, after - before))
        figures = [shown_figures(Fixed(len(one), 0, 0), least)["families"] for one in standing if one is not None]
        assert all(figure is not None and figure >= least for figure in figures)
        totals.append(sum(figure or 0 for figure in figures))
    # A programme's figure is the sum of its sites' published ones: subtracting sites from it leaves nothing.
    assert all(total % 5 == 0 for total in totals)


@given(st.integers(0, 60), st.integers(0, 60), st.sampled_from([5, 10]))
def test_figures_change_with_groups_of_k_and_more_only(gone: int, come: int, least: int) -> None:
    renewed = is_renewed(gone, come, least)
    assert renewed is (gone + come > 0 and gone not in range(1, least) and come not in range(1, least))
