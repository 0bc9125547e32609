"""A paired watch that floods: the memory of the bridge stays bounded, and other watches are answered."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path

import pytest

from services.mqtt_bridge.backlog import ALL_HARD_MAX_BYTES
from services.protocol import limits
from tests.integration.mqtt_bridge.conftest import stand
from tests.support.bridge_process import BridgeProcess, bridge_process
from tests.support.watch import HandWatch, Stand

__all__ = ["stand"]

DEADLINE_S = 120.0
# The largest payload that a packet of the protocol's limit carries.
PAYLOAD = b"x" * (limits.PACKET_MAX_BYTES - 200)
# The backlog's bound: what was read is admitted or answered before the socket is read again.
GROWTH_MAX_MIB = ALL_HARD_MAX_BYTES / 2**20


async def _measure(bridge: BridgeProcess, readings: list[float]) -> None:
    while True:
        readings.append(bridge.memory_mib())
        await asyncio.sleep(0.02)


async def _answer_times(watch: HandWatch, count: int) -> list[float]:
    """Send texts one after the other and return how long each waited for its receipt."""
    times = []
    for number in range(count):
        sent_at = time.monotonic()
        await watch.say("text", {"id": f"t81kd02mq{number:03d}", "to": "family", "text": "hi", "tst": 0})
        answer = await watch.hears("receipt", within_s=DEADLINE_S)
        assert answer["code"] == "stored"
        times.append(time.monotonic() - sent_at)
    return times


async def _flood(watch: HandWatch, leaf: str, messages: int) -> None:
    for _ in range(messages // 100):
        await asyncio.gather(*(watch.say(leaf, PAYLOAD) for _ in range(100)))


@pytest.mark.parametrize("messages", [400, pytest.param(3000, marks=pytest.mark.long)])
@pytest.mark.parametrize("leaf", ["text", "voice/k3m9q2x7d5fa/0"])
async def test_a_watch_that_floods_costs_the_bridge_bounded_memory_and_others_no_answer(
    stand: Stand, tmp_path: Path, leaf: str, messages: int
) -> None:
    _, flooding = await stand.home()
    _, worn = await stand.home()
    async with (
        bridge_process(stand, tmp_path / "bridge.log", reads=True) as bridge,
        stand.watch(flooding.username, flooding.password) as flooder,
        stand.watch(worn.username, worn.password) as watch,
    ):
        calm = await _answer_times(watch, 5)
        readings: list[float] = [bridge.memory_mib()]
        measuring = asyncio.create_task(_measure(bridge, readings))
        flood = asyncio.create_task(_flood(flooder, leaf, messages))
        times = []
        while not flood.done():
            sent_at = time.monotonic()
            await watch.say("receipt", {"ref": "nothing", "state": "delivered"})
            await watch.hears("receipt", within_s=DEADLINE_S)
            times.append(time.monotonic() - sent_at)
        await flood
        measuring.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await measuring
        print(  # noqa: T201 - the figures of the run
            f"{messages} messages of {len(PAYLOAD) // 1024} KiB: memory {readings[0]:.0f} to {max(readings):.0f} MiB,"
            f" answers of another watch {max(calm):.2f} s before, at most {max(times):.2f} s ({len(times)}) meanwhile"
        )
        assert max(readings) - readings[0] < GROWTH_MAX_MIB
        assert times
