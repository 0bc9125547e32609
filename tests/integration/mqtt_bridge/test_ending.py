"""A bridge that is told to end ends, whatever happens in that moment."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.mqtt_bridge.connection import connect
from services.mqtt_bridge.main import keep_running
from tests.support.watch import Stand


async def test_a_cancellation_together_with_the_brokers_answer_is_not_swallowed(stand: Stand) -> None:
    async with connect(stand.settings, "sw-ending", keep_session=False) as connection:
        publishing = asyncio.create_task(connection.publish("sw/v1/w-nobody/down/time", b"{}"))
        inner = connection._inner  # noqa: SLF001 - the one place where both can be made to come together
        told = inner.on_publish

        assert told is not None

        def answered_and_cancelled(*arguments: Any) -> None:
            told(*arguments)
            publishing.cancel()

        inner.on_publish = answered_and_cancelled
        with pytest.raises(asyncio.CancelledError):
            await publishing
        inner.on_publish = told


async def test_a_part_that_fails_while_it_is_cancelled_does_not_begin_again() -> None:
    begun = asyncio.Event()
    times = 0

    async def run_once() -> None:
        nonlocal times
        times += 1
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            message = "lost while ending"
            raise ConnectionError(message)

    running = asyncio.create_task(keep_running("part", run_once))
    await begun.wait()
    running.cancel()
    async with asyncio.timeout(20):
        await asyncio.gather(running, return_exceptions=True)
    assert running.cancelled()
    assert times == 1
