"""Every watch says hello at once: each has its time soon, whatever else waits, and the newest hello counts."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.protocol import limits
from tests.integration.mqtt_bridge.conftest import stand
from tests.support.bridge_process import bridge_process
from tests.support.watch import HandWatch, Stand
from tests.support.world import make_home, wear

__all__ = ["stand"]

DEADLINE_S = 300.0
# How many connect at the same moment: a listen queue is not what is tested here.
CONNECTING = 50


@contextlib.asynccontextmanager
async def _watches(stand: Stand, count: int) -> AsyncIterator[list[HandWatch]]:
    """Connect so many paired watches that have subscribed and not said hello."""
    worn = []
    for _ in range(count):
        home = await make_home(stand.database)
        worn.append(await wear(stand.database, home))
    await stand.install()
    gate = asyncio.Semaphore(CONNECTING)
    async with contextlib.AsyncExitStack() as connections:

        async def connect(username: str, password: str) -> HandWatch:
            async with gate:
                return await connections.enter_async_context(stand.watch(username, password))

        yield await asyncio.gather(*(connect(one.username, one.password) for one in worn))


async def _time_of(watch: HandWatch, began_at: float) -> float:
    """Say hello as the contract asks until the time comes; return how long that took."""
    waits = iter((*limits.HELLO_REPEAT_S, DEADLINE_S))
    for attempt in range(len(limits.HELLO_REPEAT_S) + 1):
        await watch.say("hello", {"conn": f"n{attempt}", "tst": 0})
        with contextlib.suppress(TimeoutError):
            await watch.hears("time", within_s=next(waits))
            return time.monotonic() - began_at
    pytest.fail("a watch was not answered")


# Two thousand families are made first, which takes a busy machine a quarter of an hour.
@pytest.mark.timeout(2700)
@pytest.mark.parametrize("count", [100, pytest.param(2000, marks=pytest.mark.long)])
async def test_every_watch_has_its_time_although_all_say_hello_at_once(
    stand: Stand, tmp_path: Path, count: int
) -> None:
    async with _watches(stand, count) as watches, bridge_process(stand, tmp_path / "bridge.log", reads=True) as bridge:
        began_at = time.monotonic()
        async with asyncio.timeout(DEADLINE_S):
            took = sorted(await asyncio.gather(*(_time_of(watch, began_at) for watch in watches)))
        percentiles = statistics.quantiles(took, n=100)
        print(  # noqa: T201 - the figures of the run
            f"{count} hellos at once: time after p50 {percentiles[49]:.1f} s, p95 {percentiles[94]:.1f} s,"
            f" p99 {percentiles[98]:.1f} s, last {took[-1]:.1f} s; {bridge.log.count('uplink_failed')} failures logged"
        )
        assert len(took) == count
        assert bridge.log.count("uplink_failed") <= 1
