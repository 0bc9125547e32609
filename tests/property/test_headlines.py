"""Two reports one after the other tell, by subtraction, of no group of fewer than k families."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.core.measurement.publishing.headlines import Fixed, is_renewed, shown_figures
from services.core.platform.disclosure import LEAST, Audience, rounded

FAMILIES = st.sets(st.integers(0, 79))
# The population of a site, quarter after quarter; families leave, join and come back.
QUARTERS = st.lists(FAMILIES, min_size=2, max_size=8)


def reports(quarters: list[set[int]], least: int) -> list[tuple[set[int] | None, int | None]]:
    """Return of each quarter's report whose figures it shows, and the figure; as the product carries them on."""
    headlines: list[tuple[set[int] | None, int | None]] = []
    standing: set[int] | None = None
    for families in quarters:
        if standing is None or is_renewed(len(standing - families), len(families - standing), least):
            figure = shown_figures(Fixed(len(families), 0, 0), least)["families"]
            standing = None if figure is None else families
            headlines.append((standing, figure))
        else:
            headlines.append(headlines[-1])
    return headlines


@given(st.sampled_from(list(Audience)), QUARTERS)
def test_no_figure_is_renewed_for_the_sake_of_fewer_than_k_families(
    audience: Audience, quarters: list[set[int]]
) -> None:
    least = LEAST[audience]
    headlines = reports(quarters, least)
    for (before, figure), (after, next_figure) in pairwise(headlines):
        if before is None or after is None:
            continue
        left, joined = len(before - after), len(after - before)
        # A reader who knows all but one family of both reports learns nothing of that one.
        assert left not in range(1, least)
        assert joined not in range(1, least)
        if not left and not joined:
            assert figure == next_figure
    # And what is shown is the size of a population of k families or more, to the nearest five.
    for families, figure in headlines:
        assert (families is None) is (figure is None)
        if families is not None:
            assert len(families) >= least
            assert figure == rounded(len(families))


@given(st.sampled_from(list(Audience)), FAMILIES, st.integers(0, 79))
def test_one_family_that_comes_or_goes_is_never_seen(audience: Audience, families: set[int], family: int) -> None:
    least = LEAST[audience]
    without, with_ = families - {family}, families | {family}
    for first, second in ((without, with_), (with_, without)):
        (_, before), (_, after) = reports([first, second], least)
        # Only a site that was not shown at all may appear, as a group of k.
        assert before == after or (before is None and len(second) == least)


@given(st.integers(0, 60), st.integers(0, 60), st.sampled_from(list(Audience)))
def test_figures_of_children_and_watches_are_shown_or_none_each_by_its_own_number(
    children: int, watches: int, audience: Audience
) -> None:
    least = LEAST[audience]
    shown = shown_figures(Fixed(least, children, watches), least)
    assert shown["families"] == rounded(least)
    for name, exactly in (("children", children), ("watches", watches)):
        assert shown[name] == (rounded(exactly) if exactly >= least else None)
    assert set(shown_figures(Fixed(least - 1, children, watches), least).values()) == {None}
