"""Every watch says hello at once: each has its time soon, whatever else waits, and the newest hello counts."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import text

from services.protocol import limits
from tests.integration.mqtt_bridge.conftest import stand
from tests.support.bridge_process import bridge_process
from tests.support.many_watches import many_watches
from tests.support.watch import HandWatch, Stand

__all__ = ["stand"]

DEADLINE_S = 300.0
CPU_OF_A_WATCH_S = 30 / 2000
# How many connect at the same moment: a listen queue is not what is tested here.
CONNECTING = 50


@contextlib.asynccontextmanager
async def _watches(stand: Stand, count: int) -> AsyncIterator[list[HandWatch]]:
    """Connect so many paired watches that have subscribed and not said hello."""
    worn = await many_watches(stand.database, count)
    await stand.install()
    gate = asyncio.Semaphore(CONNECTING)
    async with contextlib.AsyncExitStack() as connections:

        async def connect(username: str, password: str) -> HandWatch:
            async with gate:
                return await connections.enter_async_context(stand.watch(username, password))

        yield await asyncio.gather(*(connect(*login) for login in worn))


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
        began_at, used_s = time.monotonic(), bridge.cpu_s()
        async with asyncio.timeout(DEADLINE_S):
            took = sorted(await asyncio.gather(*(_time_of(watch, began_at) for watch in watches)))
        used_s = bridge.cpu_s() - used_s
        percentiles = statistics.quantiles(took, n=100)
        print(  # noqa: T201 - the figures of the run
            f"{count} hellos at once: time after p50 {percentiles[49]:.1f} s, p95 {percentiles[94]:.1f} s,"
            f" p99 {percentiles[98]:.1f} s, last {took[-1]:.1f} s; {bridge.log.count('uplink_failed')} failures logged;"
            f" the bridge used {used_s:.1f} s of a core, {1000 * used_s / count:.1f} ms a watch"
        )
        assert len(took) == count
        # 2,000 within 30 s of one core, whatever else the machine does.
        assert used_s <= CPU_OF_A_WATCH_S * count
        assert bridge.log.count("uplink_failed") <= 1


# The number of a family's events at its end: none can be recorded, as if the row were damaged.
_NUMBER_EVENTS = (
    "UPDATE family SET event_seq = :number FROM watch_identity"
    " WHERE watch_identity.family_id = family.family_id AND watch_identity.username = ANY(:names)"
)


async def test_hellos_that_fail_for_a_fault_of_ours_are_logged_once(stand: Stand, tmp_path: Path) -> None:
    async def number_events(number: int, watches: Sequence[HandWatch]) -> None:
        names = [watch.prefix.rpartition("/")[2] for watch in watches]
        async with stand.database.begin() as work:
            await work.run(text(_NUMBER_EVENTS), {"number": number, "names": names})

    async with _watches(stand, 30) as watches, bridge_process(stand, tmp_path / "bridge.log", reads=True) as bridge:
        await number_events(2**63 - 1, watches)
        try:
            # Each is tried in a batch and alone, and its watch asked to come again.
            for attempt in range(2):
                await asyncio.gather(*(watch.say("hello", {"conn": f"n{attempt}", "tst": 0}) for watch in watches))
                answers = await asyncio.gather(*(watch.hears("receipt", within_s=60) for watch in watches))
                assert {answer["code"] for answer in answers} == {"retry"}
        finally:
            await number_events(1_000_000, watches)
        assert bridge.log.count('"uplink_failed"') == 1
        assert bridge.log.count('"uplink_batch_split"') <= 1
        await watches[0].say("hello", {"conn": "n3", "tst": 0})
        assert await watches[0].hears("time", within_s=60)
