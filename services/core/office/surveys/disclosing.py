"""Disclosure control of survey reports over all sites and the programme together, as for usage metrics. Pure.

Readers can combine reports: the programme's numbers minus the published sites' numbers reveal a suppressed site.
Therefore all scopes are controlled together, counts are rounded, and shares are computed from the rounded counts.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from services.core.office.surveys.comparison import Answers, Attrition, Comparison, Estimate, Interval, compare, wilson
from services.core.platform.disclosure import LEAST, Audience, Groups, hidden_groups, rounded

_LEAST: Final = LEAST[Audience.STAFF]
# Means of answers between 0 and a few tens: a further digit would reveal a single family's answer.
_DIGITS: Final = 1


@dataclass(frozen=True)
class Waves:
    """The answers to one question by family, baseline and endline."""

    baseline: Answers
    endline: Answers

    def of(self, families: frozenset[str]) -> Waves:
        """Return the answers of these families only."""
        return Waves(
            {family_id: answer for family_id, answer in self.baseline.items() if family_id in families},
            {family_id: answer for family_id, answer in self.endline.items() if family_id in families},
        )

    @property
    def matched(self) -> list[str]:
        """Return the families that answered both waves."""
        return sorted(self.baseline.keys() & self.endline.keys())

    @property
    def lost(self) -> list[str]:
        """Return the families that answered the baseline only."""
        return sorted(self.baseline.keys() - self.endline.keys())


def controlled(
    question: str, kind: str, waves: Waves, sites: Mapping[uuid.UUID, frozenset[str]], programme: uuid.UUID
) -> dict[uuid.UUID, Comparison]:
    """Return one question's comparison for the programme and for each site, without the suppressed values.

    ``sites``: the families of each site; a family belongs to one site.
    """
    everybody = frozenset[str]().union(*sites.values())
    scopes = {programme: waves.of(everybody)} | {site: waves.of(families) for site, families in sites.items()}
    # A site without any answer is no part of the total and does not count as a small group.
    answered = {scope: answers for scope, answers in scopes.items() if answers.baseline or answers.endline}
    dark = _Dark.of(kind, answered, {scope: None if scope == programme else programme for scope in answered})
    return {
        scope: Comparison(question, kind, suppressed=True)
        if scope in dark.pairs or scope not in answered
        else _publishable(compare(question, kind, answers.baseline, answers.endline), answers, dark.of_scope(scope))
        for scope, answers in scopes.items()
    }


@dataclass(frozen=True)
class _Dark:
    """The scopes in which each value is suppressed: pairs, shares, number lost, baseline answers of the lost."""

    pairs: frozenset[Hashable]
    before: frozenset[Hashable]
    after: frozenset[Hashable]
    changed: frozenset[Hashable]
    lost: frozenset[Hashable]
    answers_of_lost: frozenset[Hashable]

    @classmethod
    def of(
        cls, kind: str, scopes: Mapping[uuid.UUID, Waves], parent: Mapping[Hashable, Hashable | None]
    ) -> _Dark:  # fmt: skip
        def count(of: Callable[[Waves], float]) -> dict[Hashable, int]:
            return {scope: int(of(waves)) for scope, waves in scopes.items()}

        def hidden(
            of: Callable[[Waves], float], whole: dict[Hashable, int], known: frozenset[Hashable]
        ) -> frozenset[Hashable]:  # fmt: skip
            return hidden_groups(Groups(parent, count(of), whole), _LEAST, known)

        matched, lost = count(lambda answers: len(answers.matched)), count(lambda answers: len(answers.lost))
        pairs = hidden_groups(Groups(parent, matched), _LEAST)
        gone = hidden(lambda answers: len(answers.lost), count(lambda answers: len(answers.baseline)), pairs)
        if kind != "yes_no":
            return cls(pairs, pairs, pairs, pairs, gone, gone)
        return cls(
            pairs=pairs,
            before=hidden(lambda answers: sum(answers.baseline[family] for family in answers.matched), matched, pairs),
            after=hidden(lambda answers: sum(answers.endline[family] for family in answers.matched), matched, pairs),
            changed=hidden(
                lambda answers: sum(answers.baseline[family] != answers.endline[family] for family in answers.matched),
                matched,
                pairs,
            ),
            lost=gone,
            answers_of_lost=hidden(
                lambda answers: sum(answers.baseline[family] for family in answers.lost), lost, gone
            ),
        )

    def of_scope(self, scope: Hashable) -> Mapping[str, bool]:
        return {name: scope in hidden for name, hidden in vars(self).items()}


def _publishable(exact: Comparison, waves: Waves, dark: Mapping[str, bool]) -> Comparison:
    """Return the publishable comparison: rounded counts, shares of rounded counts, rounded means."""
    is_share = exact.kind == "yes_no"
    matched = rounded(exact.matched)

    def published(estimate: Estimate | None, *, hidden: bool) -> Estimate | None:
        if estimate is None or hidden:
            return None
        return _share(estimate.value, exact.matched) if is_share else _mean(estimate)

    before = published(exact.before, hidden=dark["before"])
    return replace(
        exact,
        matched=matched,
        before=before,
        after=published(exact.after, hidden=dark["after"]),
        difference=None if exact.difference is None else _mean(exact.difference),
        bootstrap=_short(exact.bootstrap),
        p_value=None if exact.p_value is None or dark["changed"] else round(exact.p_value, 2),
        attrition=_attrition(waves, before, dark, is_share=is_share),
    )


def _attrition(
    waves: Waves, before: Estimate | None, dark: Mapping[str, bool], *, is_share: bool
) -> Attrition | None:  # fmt: skip
    if dark["lost"]:
        return None
    lost = [waves.baseline[family] for family in waves.lost]
    mean = sum(lost) / len(lost)
    spoken = None if dark["answers_of_lost"] else _share(mean, len(lost)) if is_share else Estimate(mean, None)
    return Attrition(
        baseline=rounded(len(waves.baseline)),
        matched=rounded(len(waves.matched)),
        lost_share=_share(len(lost) / len(waves.baseline), len(waves.baseline)),
        baseline_of_matched=None if before is None else before.value,
        baseline_of_lost=None if spoken is None else round(spoken.value, 2 if is_share else _DIGITS),
    )


def _share(value: float, total: int) -> Estimate | None:
    """Return a share computed from the rounded counts: an exact share would reveal the counts."""
    count, whole = rounded(round(value * total)), rounded(total)
    if not 0 < count < whole:
        return None
    interval = wilson(count, whole)
    return Estimate(round(count / whole, 2), Interval(round(interval.low, 2), round(interval.high, 2)))


def _mean(estimate: Estimate) -> Estimate:
    return Estimate(round(estimate.value, _DIGITS), _short(estimate.interval))


def _short(interval: Interval | None) -> Interval | None:
    return None if interval is None else Interval(round(interval.low, _DIGITS), round(interval.high, _DIGITS))
