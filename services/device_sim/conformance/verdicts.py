"""The verdict on each sentence: held, broken, or not seen. Evidence of the first breach is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.protocol.sentences import Sentence


class Outcome(StrEnum):
    """Outcome for one sentence."""

    HELD = "held"
    BROKEN = "broken"
    NOT_SEEN = "not seen"


@dataclass(frozen=True)
class Verdict:
    """A sentence and its outcome. For a broken one: what came, what was expected, and the frame as it came."""

    sentence: Sentence
    outcome: Outcome
    came: str = ""
    expected: str = ""
    frame: str = ""
    step: str = ""
    times: int = 0  # how often it was seen


class Verdicts:
    """Collects outcomes. A breach stays a breach, however often the sentence was held before or is afterwards."""

    def __init__(self, sentences: Sequence[Sentence]) -> None:
        self._found = {sentence.number: Verdict(sentence, Outcome.NOT_SEEN) for sentence in sentences}
        self.step = ""

    def held(self, *numbers: str) -> None:
        """Record that sentences were seen held."""
        for number in numbers:
            last = self._found[number]
            if last.outcome is not Outcome.BROKEN:
                times = last.times + 1
                self._found[number] = Verdict(last.sentence, Outcome.HELD, step=last.step or self.step, times=times)

    def broken(self, number: str, *, came: str, expected: str, frame: str = "") -> None:
        """Record a breach; the first one is kept."""
        last = self._found[number]
        if last.outcome is not Outcome.BROKEN:
            self._found[number] = Verdict(
                last.sentence, Outcome.BROKEN, came, expected, frame, self.step, last.times + 1
            )

    def check(self, number: str, holds: object, *, came: str, expected: str, frame: str = "") -> bool:
        """Record `held` or `broken`; return whether it holds."""
        if holds:
            self.held(number)
        else:
            self.broken(number, came=came, expected=expected, frame=frame)
        return bool(holds)

    def outcome(self, number: str) -> Outcome:
        """Return the outcome so far."""
        return self._found[number].outcome

    def all(self) -> list[Verdict]:
        """Return every sentence in the order of the contract."""
        return list(self._found.values())

    def with_outcome(self, outcome: Outcome) -> list[Verdict]:
        """Return the sentences with this outcome, in the order of the contract."""
        return [verdict for verdict in self._found.values() if verdict.outcome is outcome]

    @property
    def seen_share(self) -> float:
        """Share of the sentences that were seen, held or broken: 0 to 1."""
        return 1 - len(self.with_outcome(Outcome.NOT_SEEN)) / len(self._found)
