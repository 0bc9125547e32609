"""Whoever retries goes on however a run ends, and ends only by a cancellation of its own."""

from __future__ import annotations

import asyncio

import pytest

from services.core.platform.retrying import RunCancelledError, run_with_retries


async def test_a_run_that_is_cancelled_from_inside_has_failed_and_is_run_again() -> None:
    failures: list[Exception] = []
    runs = 0

    async def run() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            # As a timeout that expires in a task whose task group has failed, up to Python 3.11.2.
            raise asyncio.CancelledError

    await run_with_retries(run, lambda error, _: failures.append(error))
    assert runs == 2
    assert [type(error) for error in failures] == [RunCancelledError]


async def test_a_cancellation_ends_the_run_and_the_retries() -> None:
    begun = asyncio.Event()
    ended = asyncio.Event()

    async def run() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    retrying = asyncio.create_task(run_with_retries(run, lambda _error, _number: None))
    await begun.wait()
    retrying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await retrying
    assert ended.is_set()
