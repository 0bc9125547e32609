"""Run something for as long as the process lives: whenever it fails, run it again after a growing, random pause."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

# Pauses grow to 10 s; their randomness keeps processes from returning to a recovered database at one moment.
_PAUSES: Final = wait_random_exponential(multiplier=0.2, max=10)
# A run that lasted this long worked: its end is a new failure and not another failed attempt.
_STEADY_AFTER_S: Final = 30.0


class RunCancelledError(RuntimeError):
    """A run was cancelled although nobody cancelled whoever awaits it."""


async def run_with_retries(run: Callable[[], Awaitable[None]], on_failure: Callable[[Exception, int], None]) -> None:
    """Await ``run()`` until it returns; retry after every Exception, without end.

    ``on_failure`` gets the exception and the number of failed attempts in a row, before the pause.
    """
    loop = asyncio.get_running_loop()

    def report(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, Exception):
            on_failure(error, state.attempt_number)

    async for attempt in AsyncRetrying(retry=retry_if_exception_type(Exception), wait=_PAUSES, before_sleep=report):
        with attempt:
            started_at_s = loop.time()
            try:
                await _in_own_task(run)
            except Exception:
                if loop.time() - started_at_s > _STEADY_AFTER_S:
                    attempt.retry_state.attempt_number = 1
                raise


async def _in_own_task(run: Callable[[], Awaitable[None]]) -> None:
    """Run in a task of its own: an exception raised during a cancellation would replace the cancellation otherwise.

    A run that ends by a cancellation of its own has failed. It happens up to Python 3.11.2: a task whose task group
    failed counts as cancelled for ever, and a timeout that expires in it is raised as CancelledError. Passed on, it
    would end whoever retries without a word.
    """
    running = asyncio.ensure_future(run())
    try:
        await asyncio.wait({running})
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    if running.cancelled():
        message = "a run was cancelled from inside"
        raise RunCancelledError(message)
    running.result()
