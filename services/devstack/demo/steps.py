"""The steps of a story and their results."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path

# The office starts a process for each of its commands: 30 s on a busy machine, and a newcomer's first run took more
# than 90 s. A step ends only after each of its waits could have ended, so that the message names the wait.
STEP_DEADLINE_S = 420.0
WAIT_DEADLINE_S = 180.0


@dataclass(frozen=True)
class StepResult:
    """The result of one step: its name, whether it passed, what was observed, and its duration."""

    step: str
    held: bool
    seen: str
    duration_ms: int


class StoryError(Exception):
    """A step failed; the message says what was observed instead of the expected."""


def expect(seen: object, wanted: object, what: str) -> None:
    """Raise StoryError unless the observed value equals the expected one."""
    if seen != wanted:
        message = f"{what}: {seen!r} instead of {wanted!r}"
        raise StoryError(message)


def describe_failure(error: Exception, waited_s: float) -> str:
    """Return a sentence on why a step did not hold; for a deadline, with the expression that it waited for."""
    if not isinstance(error, TimeoutError):
        return f"{type(error).__name__}: {error}"
    here = Path(__file__).parent
    # The deadline of a step replaces the CancelledError that carries the frames below the step.
    frames = [
        frame
        for cause in (error, error.__cause__, error.__context__)
        if cause is not None
        for frame in traceback.extract_tb(cause.__traceback__)
        if Path(frame.filename).parent == here and frame.name != "play"
    ]
    if not frames:
        return f"still waiting after {waited_s:.0f} s"
    last = frames[-1]
    return f"still waiting after {waited_s:.0f} s for: {last.line} ({Path(last.filename).name}, line {last.lineno})"
