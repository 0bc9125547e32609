"""A step of the demo that does not hold says why: for a deadline, what it waited for."""

from __future__ import annotations

import asyncio

import pytest

from services.devstack.demo import steps as story_steps
from services.devstack.demo.steps import StoryError, describe_failure


async def _wait_for_ever() -> None:
    await asyncio.Event().wait()


async def _step_with_a_deadline_of_its_own() -> None:
    async with asyncio.timeout(0):
        await _wait_for_ever()


async def _step_without() -> None:
    await _wait_for_ever()


async def play(step: str) -> str:
    """Play one step as the story does."""
    steps = {"own deadline": _step_with_a_deadline_of_its_own, "deadline of the story": _step_without}
    try:
        async with asyncio.timeout(0.01):
            await steps[step]()
    except TimeoutError as error:
        return describe_failure(error, 0.01)
    return "it held"


@pytest.mark.parametrize("step", ["own deadline", "deadline of the story"])
async def test_a_deadline_names_what_it_waited_for(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The steps of the story stand in its folder; here they stand in this one.
    monkeypatch.setattr(story_steps, "__file__", __file__)
    seen = await play(step)
    assert seen.startswith("still waiting after 0 s for: await asyncio.Event().wait() (test_demo_failures.py, line ")


def test_any_other_failure_keeps_its_own_words() -> None:
    assert describe_failure(StoryError("contacts: 2 instead of 3"), 1) == "StoryError: contacts: 2 instead of 3"


def test_a_step_outlives_each_of_its_waits() -> None:
    assert story_steps.STEP_DEADLINE_S > 2 * story_steps.WAIT_DEADLINE_S
