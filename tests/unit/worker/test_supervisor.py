"""The worker's loops: one that ends ends the process, one that hangs is its own fault, one that fails is named."""

from __future__ import annotations

import asyncio

import pytest
import structlog

from services.worker.pulse import Pulse
from services.worker.supervisor import LoopEndedError, Supervisor


class Steady:
    """A loop that works until it is cancelled."""

    name = "steady"
    silence_max_s = 60.0
    was_cancelled = False

    async def run(self, pulse: Pulse) -> None:
        pulse.beat()
        try:
            await asyncio.Event().wait()
        finally:
            self.was_cancelled = True


class Ending:
    """A loop that returns, as none may."""

    name = "ending"
    silence_max_s = 60.0

    async def run(self, pulse: Pulse) -> None:
        pulse.beat()


class Failing:
    """A loop that fails at every attempt, and counts them."""

    name = "failing"
    silence_max_s = 60.0

    def __init__(self) -> None:
        self.failed_twice = asyncio.Event()
        self.attempts = 0

    async def run(self, pulse: Pulse) -> None:
        pulse.beat()
        self.attempts += 1
        if self.attempts == 3:
            self.failed_twice.set()
        message = "a secret in a message"
        raise ZeroDivisionError(message)


async def test_a_loop_that_ends_ends_the_others_and_is_named() -> None:
    steady = Steady()
    with structlog.testing.capture_logs() as lines, pytest.raises(LoopEndedError, match="ending"):
        await Supervisor([steady, Ending()]).run()
    assert steady.was_cancelled
    assert [(line["event"], line["loop"]) for line in lines] == [("worker_loop_ended", "ending")]


async def test_a_loop_that_keeps_failing_is_retried_and_named_and_is_no_reason_for_a_restart() -> None:
    failing, steady = Failing(), Steady()
    supervisor = Supervisor([steady, failing])
    with structlog.testing.capture_logs() as lines:
        running = asyncio.create_task(supervisor.run())
        await failing.failed_twice.wait()
        assert await supervisor.failing_work() == "failing"
        assert await supervisor.hung_loops() is None
        assert not steady.was_cancelled
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert {line["event"] for line in lines} == {"worker_loop_failed"}
    assert "secret" not in str([{**line, "exc_info": ""} for line in lines])


def test_a_pulse_is_hung_after_its_silence_and_well_after_the_next_beat() -> None:
    now_s = [0.0]
    pulse = Pulse("exports", 60.0, clock=lambda: now_s[0])
    seen = []
    for at_s in (60.0, 60.1):
        now_s[0] = at_s
        seen.append(pulse.is_hung)
    pulse.beat()
    seen.append(pulse.is_hung)
    assert seen == [False, True, False]


def test_one_failure_may_be_a_collision_and_two_in_a_row_are_named_until_it_works() -> None:
    pulse = Pulse("sweeps", 60.0)
    assert pulse.record_failure("count_some") == 1
    assert pulse.failing == []
    assert pulse.record_failure("count_some") == 2
    assert pulse.failing == ["count_some"]
    pulse.record_success("count_some")
    assert pulse.failing == []
