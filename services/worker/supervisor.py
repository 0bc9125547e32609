"""Runs the loops of the worker together and judges them for the health page."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

import structlog

from services.core.platform.db.faults import is_database_unavailable
from services.core.platform.retrying import run_with_retries
from services.worker.pulse import Pulse

log = structlog.get_logger()


class LoopEndedError(Exception):
    """A loop ended, which none ever does; the process must end as well, so that whatever started it starts it anew."""

    def __init__(self, loop_name: str) -> None:
        super().__init__(f"the loop {loop_name} ended")
        self.loop_name = loop_name


class Loop(Protocol):
    """One kind of work that goes on for as long as the process lives."""

    @property
    def name(self) -> str:
        """The name in logs and on the health page."""

    @property
    def silence_max_s(self) -> float:
        """How long one step may take at most, with room to spare."""

    async def run(self, pulse: Pulse) -> None:
        """Work until cancelled, and beat at every step. A failure is retried by the supervisor; a return is a fault."""


class Supervisor:
    """Runs every loop and retries a loop that fails; the end of a loop is the end of :meth:`run`."""

    def __init__(self, loops: Sequence[Loop]) -> None:
        self._loops = list(loops)
        self._pulses = [Pulse(loop.name, loop.silence_max_s) for loop in loops]

    async def run(self) -> None:
        """Run until cancelled; raises LoopEndedError when a loop returns or cannot be retried."""
        running = {
            asyncio.create_task(self._keep(loop, pulse)): loop.name
            for loop, pulse in zip(self._loops, self._pulses, strict=True)
        }
        try:
            ended, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in running:
                task.cancel()
            results = await asyncio.gather(*running, return_exceptions=True)
        for task, result in zip(running, results, strict=True):
            if task in ended:
                log.critical("worker_loop_ended", loop=running[task], error=type(result).__qualname__)
        raise LoopEndedError(running[next(iter(ended))])

    @staticmethod
    async def _keep(loop: Loop, pulse: Pulse) -> None:
        def report(error: Exception, failures: int) -> None:
            pulse.beat()
            if is_database_unavailable(error):
                log.warning("worker_loop_waits", loop=loop.name, error=type(error).__qualname__, attempt=failures)
                return
            pulse.record_failure(loop.name)
            log.error("worker_loop_failed", loop=loop.name, attempt=failures, exc_info=error)

        await run_with_retries(lambda: loop.run(pulse), report)

    async def hung_loops(self) -> str | None:
        """Return the names of the loops that hang, or None. A restart of the process mends it."""
        return ", ".join(self.hung) or None

    async def failing_work(self) -> str | None:
        """Return the names of the work that keeps failing, or None. A restart of the process would not mend it."""
        return ", ".join(self.failing) or None

    @property
    def hung(self) -> list[str]:
        """The names of the loops that hang."""
        return [pulse.loop_name for pulse in self._pulses if pulse.is_hung]

    @property
    def failing(self) -> list[str]:
        """The names of the loops and sweeps that keep failing."""
        return [name for pulse in self._pulses for name in pulse.failing]
