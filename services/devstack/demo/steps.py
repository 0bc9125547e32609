"""What a story is told in: its steps, what did not hold, and what was expected instead."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StepTaken:
    """One step of the story: what was done, what was seen, and how long it took."""

    step: str
    held: bool
    seen: str
    duration_ms: int


class StoryError(Exception):
    """Something was not as the story says; the message tells what was seen instead."""


def expect(seen: object, wanted: object, what: str) -> None:
    """Raise StoryError unless what was seen is what was wanted."""
    if seen != wanted:
        message = f"{what}: {seen!r} instead of {wanted!r}"
        raise StoryError(message)
