"""Published results of a survey: sites and programme together, worked by hand."""

from __future__ import annotations

import uuid

from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.core.office.surveys.comparison import Comparison, Interval
from services.core.office.surveys.disclosing import Waves, controlled

PROGRAMME, NORTH, SOUTH, EAST = (uuid.UUID(int=number) for number in range(4))


def families(site: str, count: int) -> list[str]:
    return [f"{site}{number:02d}" for number in range(count)]


def published(kind: str, baseline: dict[str, float], endline: dict[str, float]) -> dict[uuid.UUID, Comparison]:
    everybody = set(baseline) | set(endline)
    sites = {
        site: frozenset(family for family in everybody if family.startswith(letter))
        for site, letter in ((NORTH, "n"), (SOUTH, "s"), (EAST, "e"))
    }
    return controlled("q", kind, Waves(baseline, endline), sites, PROGRAMME)


def test_counts_are_rounded_and_shares_follow_from_the_rounded_counts() -> None:
    # Given 22 pairs at one site, of which 8 said yes before and 13 after; 6 more answered before only, 2 of them yes.
    pairs, gone = families("n", 22), families("nx", 6)
    before = {pair: float(place < 8) for place, pair in enumerate(pairs)}
    before |= {family: float(place < 2) for place, family in enumerate(gone)}
    after = {pair: float(place < 13) for place, pair in enumerate(pairs)}
    comparison = published("yes_no", before, after)[NORTH]
    # Then 22 is told as 20, 8 as 10 and 13 as 15; 28 as 30, of which 6 lost are told as 5.
    assert (comparison.matched, comparison.suppressed) == (20, False)
    assert comparison.before is not None
    assert comparison.after is not None
    assert (comparison.before.value, comparison.after.value) == (0.5, 0.75)
    # Wilson for 10 of 20: 0.30 to 0.70.
    assert comparison.before.interval == Interval(0.3, 0.7)
    assert comparison.attrition is not None
    assert (comparison.attrition.baseline, comparison.attrition.matched) == (30, 20)
    assert comparison.attrition.lost_share is not None
    assert comparison.attrition.lost_share.value == 0.17
    # The answers of the six are two against four: fewer than five.
    assert comparison.attrition.baseline_of_lost is None
    # Five changed, and exact McNemar of 5 against 0 is 2 / 32.
    assert comparison.p_value == 0.06


def test_a_small_site_takes_another_one_along_that_would_give_it_away() -> None:
    # Given a site of 4 pairs, and two of 20 and 30; all three are in the programme's number.
    everybody = families("n", 4) + families("s", 20) + families("e", 30)
    before = {family: float(place % 7) for place, family in enumerate(everybody)}
    reports = published("number", before, {family: value + 2 for family, value in before.items()})
    # Then it is not told, nor is the next smallest: programme less the others would be the four.
    assert {site for site, report in reports.items() if report.suppressed} == {NORTH, SOUTH}
    difference = reports[PROGRAMME].difference
    assert difference is not None
    assert difference.value == 2.0
    assert reports[NORTH] == Comparison("q", "number", suppressed=True)


def test_fewer_than_five_who_changed_are_told_by_no_p_value() -> None:
    pairs = families("n", 30)
    before = {pair: float(place < 12) for place, pair in enumerate(pairs)}
    comparison = published("yes_no", before, before | {pairs[0]: 0.0, pairs[20]: 1.0})[NORTH]
    assert (comparison.p_value, comparison.before) == (None, comparison.after)


ANSWERS = st.lists(st.tuples(st.sampled_from("nse"), st.booleans(), st.none() | st.booleans()), max_size=60)


@settings(max_examples=60, deadline=None)
@given(ANSWERS)
@example([("n", False, False)] * 5)  # nobody was asked at two of the three sites
def test_no_exact_count_is_told_and_no_small_site_can_be_had_by_subtraction(
    answers: list[tuple[str, bool, bool | None]],
) -> None:
    # Whatever was answered: every count that is told is a multiple of five, every share one of two such counts.
    names = [f"{site}{number:03d}" for number, (site, _, _) in enumerate(answers)]
    before = {name: float(answer) for name, (_, answer, _) in zip(names, answers, strict=True)}
    after = {name: float(answer) for name, (_, _, answer) in zip(names, answers, strict=True) if answer is not None}
    reports = published("yes_no", before, after)
    pairs = {site: sum(name[0] == letter and name in after for name in names)
             for site, letter in ((NORTH, "n"), (SOUTH, "s"), (EAST, "e"))}  # fmt: skip
    assert all(reports[site].suppressed for site, count in pairs.items() if count < 5)
    # A site where no family was asked is no part of the programme: its zero is no secret.
    answered = {
        site for site, letter in ((NORTH, "n"), (SOUTH, "s"), (EAST, "e")) if any(n[0] == letter for n in names)
    }
    hidden = [site for site in answered if reports[site].suppressed]
    if hidden and not reports[PROGRAMME].suppressed:
        assert len(hidden) >= 2
        assert sum(pairs[site] for site in hidden) >= 5
    for report in reports.values():
        for share in (report.before, report.after):
            if share is not None:
                counts = {round(count / report.matched, 2) for count in range(5, report.matched, 5)}
                assert share.value in counts
