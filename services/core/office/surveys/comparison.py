"""Baseline and endline in matched pairs: change, confidence interval, attrition. Pure.

The methods carry their textbook names and come from scipy: Wilson's interval for shares, the exact McNemar test for
paired yes/no answers, Student's t and a seeded percentile bootstrap for mean differences; all at 95 %. scipy is
imported on use: the import takes a second, and most processes never need it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

# Smaller groups of families are suppressed, because a single family could be identified.
FEWEST: Final = 5
_SEED: Final = 20170301
_RESAMPLES: Final = 2000

Answers = Mapping[str, float]


@dataclass(frozen=True)
class Interval:
    """A 95 % confidence interval."""

    low: float
    high: float


@dataclass(frozen=True)
class Estimate:
    """A share or a mean with its interval; None where it would identify a family."""

    value: float
    interval: Interval | None


@dataclass(frozen=True)
class Attrition:
    """Families that answered the baseline and not the endline; None: suppressed because a side is too small."""

    baseline: int
    matched: int
    lost_share: Estimate | None
    # Mean baseline answers of the retained and of the lost families: a difference indicates attrition bias.
    baseline_of_matched: float | None
    baseline_of_lost: float | None


@dataclass(frozen=True)
class Comparison:
    """One question before and after; ``suppressed``: too few pairs, so every other value is withheld."""

    question: str
    kind: str
    suppressed: bool
    matched: int = 0
    before: Estimate | None = None
    after: Estimate | None = None
    difference: Estimate | None = None
    bootstrap: Interval | None = None
    # Exact McNemar p-value for yes/no questions; None for the other kinds.
    p_value: float | None = None
    attrition: Attrition | None = None


def compare(question: str, kind: str, baseline: Answers, endline: Answers) -> Comparison:
    """Return the change between two waves of answers by family; fewer than 5 pairs are suppressed."""
    families = sorted(baseline.keys() & endline.keys())
    if len(families) < FEWEST:
        return Comparison(question, kind, suppressed=True)
    before, after = [baseline[family] for family in families], [endline[family] for family in families]
    attrition = _attrition(baseline, families)
    if kind == "yes_no":
        return _of_shares(question, before, after, attrition)
    return _of_means(question, kind, before, after, attrition)


def wilson(count: int, total: int) -> Interval:
    """Return Wilson's 95 % interval of a share (E. B. Wilson, 1927), without continuity correction."""
    from scipy.stats import binomtest  # noqa: PLC0415 - see above

    interval = binomtest(count, total).proportion_ci(confidence_level=0.95, method="wilson")
    return Interval(float(interval.low), float(interval.high))


def mcnemar(gained: int, dropped: int) -> float:
    """Return the exact two-sided p-value of McNemar's test from the discordant pairs (Q. McNemar, 1947)."""
    from scipy.stats import binomtest  # noqa: PLC0415

    return float(binomtest(gained, gained + dropped, 0.5).pvalue) if gained + dropped else 1.0


def paired_t(differences: Sequence[float]) -> Interval:
    """Return Student's 95 % interval of a mean difference of pairs."""
    from scipy.stats import ttest_1samp  # noqa: PLC0415

    if len(set(differences)) == 1:
        return Interval(differences[0], differences[0])
    interval = ttest_1samp(differences, 0.0).confidence_interval(0.95)
    return Interval(float(interval.low), float(interval.high))


def bootstrapped(differences: Sequence[float]) -> Interval:
    """Return the 95 % percentile bootstrap interval of a mean difference; seeded, so the result is reproducible."""
    import numpy as np  # noqa: PLC0415
    from scipy.stats import bootstrap  # noqa: PLC0415

    if len(set(differences)) == 1:
        return Interval(differences[0], differences[0])
    resampled = bootstrap(
        (np.asarray(differences),), np.mean, confidence_level=0.95, n_resamples=_RESAMPLES, method="percentile",
        rng=np.random.default_rng(_SEED),
    )  # fmt: skip
    return Interval(float(resampled.confidence_interval.low), float(resampled.confidence_interval.high))


def _of_shares(question: str, before: list[float], after: list[float], attrition: Attrition) -> Comparison:
    gained = sum(1 for old, new in zip(before, after, strict=True) if new > old)
    dropped = sum(1 for old, new in zip(before, after, strict=True) if new < old)
    return Comparison(
        question, "yes_no", suppressed=False, matched=len(before),
        before=_share(before), after=_share(after), p_value=mcnemar(gained, dropped), attrition=attrition,
    )  # fmt: skip


def _of_means(question: str, kind: str, before: list[float], after: list[float], attrition: Attrition) -> Comparison:
    differences = [new - old for old, new in zip(before, after, strict=True)]
    return Comparison(
        question, kind, suppressed=False, matched=len(before),
        before=Estimate(_mean(before), None), after=Estimate(_mean(after), None),
        difference=Estimate(_mean(differences), paired_t(differences)), bootstrap=bootstrapped(differences),
        attrition=attrition,
    )  # fmt: skip


def _share(answers: Sequence[float]) -> Estimate | None:
    """Return a share; None for 0 % and 100 %, which would reveal every family's answer."""
    count = int(sum(answers))
    if count in {0, len(answers)}:
        return None
    return Estimate(count / len(answers), wilson(count, len(answers)))


def _attrition(baseline: Answers, matched: Sequence[str]) -> Attrition:
    lost = [answer for family, answer in baseline.items() if family not in set(matched)]
    total = len(baseline)
    if 0 < len(lost) < FEWEST:
        return Attrition(len(matched), len(matched), None, None, None)
    stayed = _mean([baseline[family_id] for family_id in matched])
    share = Estimate(len(lost) / total, wilson(len(lost), total))
    return Attrition(total, len(matched), share, stayed, _mean(lost) if lost else None)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
