"""Before and after, against numbers worked by hand or printed in textbooks."""

from __future__ import annotations

import math

import pytest

from services.core.office.surveys.comparison import Estimate, compare, mcnemar, paired_t, wilson


def by_family(values: list[float]) -> dict[str, float]:
    return {f"F-{index:02d}": value for index, value in enumerate(values)}


def test_wilson_by_hand() -> None:
    # p = 8/10, z = 1.959964: centre (0.8 + z^2/20) / (1 + z^2/10) = 0.992073/1.384146 = 0.716740
    # half z * sqrt(0.8 * 0.2 / 10 + z^2/400) / 1.384146 = 1.959964 * 0.160015 / 1.384146 = 0.226582
    interval = wilson(8, 10)
    assert (interval.low, interval.high) == pytest.approx((0.490157, 0.943321), abs=2e-5)


def test_mcnemar_by_hand() -> None:
    # 6 families gained, 1 dropped: p = 2 * (C(7,0) + C(7,1)) / 2^7 = 2 * 8 / 128
    assert mcnemar(6, 1) == pytest.approx(0.125)
    assert mcnemar(0, 0) == 1.0


def test_paired_t_by_hand() -> None:
    # Differences 1 2 3 4 5: mean 3, s = sqrt(2.5) = 1.581139, t(0.975, 4) = 2.776445
    # half = 2.776445 * 1.581139 / sqrt(5) = 1.963243
    interval = paired_t([1, 2, 3, 4, 5])
    assert (interval.low, interval.high) == pytest.approx((1.036757, 4.963243), abs=1e-5)
    assert paired_t([2, 2, 2]).low == 2


def test_yes_and_no_in_pairs() -> None:
    # 10 pairs: 2 yes before, 7 yes after; 6 gained, 1 dropped.
    before = by_family([1, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    after = by_family([1, 0, 1, 1, 1, 1, 1, 1, 0, 0])
    comparison = compare("calls", "yes_no", before, after)
    assert comparison.matched == 10
    assert comparison.p_value == pytest.approx(0.125)
    assert comparison.before is not None
    assert comparison.after is not None
    assert (comparison.before.value, comparison.after.value) == (0.2, 0.7)


def test_means_in_pairs_with_a_bootstrap_that_says_the_same_twice() -> None:
    before, after = by_family([1, 1, 1, 1, 1]), by_family([2, 3, 4, 5, 6])
    first, second = (compare("talks", "number", before, after) for _ in range(2))
    assert first == second
    assert first.difference is not None
    assert first.difference.value == 3
    assert first.bootstrap is not None
    # The bootstrap of the mean of 1..5: within the values, around 3, and narrower than Student's.
    assert 1.0 < first.bootstrap.low < 2.2
    assert 3.8 < first.bootstrap.high < 5.0


def test_fewer_than_five_pairs_tell_nothing() -> None:
    comparison = compare("talks", "number", by_family([1, 2, 3, 4]), by_family([2, 3, 4, 5]))
    assert comparison.suppressed
    assert (comparison.matched, comparison.before, comparison.attrition) == (0, None, None)


def test_nobody_and_everybody_are_not_told() -> None:
    comparison = compare("calls", "yes_no", by_family([0] * 6), by_family([1] * 6))
    assert (comparison.before, comparison.after) == (None, None)


def test_who_was_lost_is_told_when_they_are_enough_to_hide_in() -> None:
    # 10 answered first, 5 of them again; those lost had begun lower (mean 1) than those who stayed (mean 3).
    before = by_family([3, 3, 3, 3, 3, 1, 1, 1, 1, 1])
    lost = compare("talks", "number", before, by_family([4, 4, 4, 4, 4])).attrition
    assert lost is not None
    assert lost.lost_share == Estimate(0.5, wilson(5, 10))
    assert (lost.baseline_of_matched, lost.baseline_of_lost) == (3, 1)
    few = compare("talks", "number", before, by_family([4] * 8)).attrition
    assert few is not None
    # Two lost families: neither their share nor a total to subtract from.
    assert (few.lost_share, few.baseline_of_lost, few.baseline, few.matched) == (None, None, 8, 8)
    none = compare("talks", "number", before, by_family([4] * 10)).attrition
    assert none is not None
    assert none.lost_share is not None
    assert none.lost_share.value == 0
    assert not math.isnan(none.lost_share.value)
