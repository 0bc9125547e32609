"""When a batch is committed: soon without any company, at once for a message that depends on it, and within bounds."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from typing import cast

import pytest

from services.mqtt_bridge import batch
from services.mqtt_bridge.batch import Batcher, Waiting
from services.mqtt_bridge.connection import Incoming
from services.protocol.topics import Uplink, UplinkKind, parse_uplink
from services.watch_link.backend import Backend
from services.watch_link.replies import Reply

ANA, BEN = "w-aaaaaaaaaaaa", "w-bbbbbbbbbbbb"
WITHIN_S = 5.0


def chunk(username: str, number: int) -> Waiting:
    name = f"sw/v1/{username}/up/voice/abcdefabcdef/{number}"
    topic = parse_uplink(name)
    assert isinstance(topic, Uplink)
    message = Incoming(name, b"sound", number + 1, None)
    return Waiting(message, topic)


class Recorder:
    """A batcher whose batches fail as a whole, and what it handles alone and settles."""

    def __init__(self) -> None:
        self.settled: list[list[str]] = []
        self.changed = asyncio.Event()
        self.batcher = Batcher(UplinkKind.VOICE_CHUNK, cast("Backend", None), self._handle, self._settle)

    async def _handle(self, _: Incoming) -> list[Reply]:
        return []

    async def _settle(self, messages: Sequence[Incoming], _: Sequence[Reply]) -> None:
        self.settled.append([message.topic.split("/")[2] + message.topic[-2:] for message in messages])
        self.changed.set()

    async def until_settled(self, count: int) -> None:
        async with asyncio.timeout(WITHIN_S):
            while sum(map(len, self.settled)) < count:
                self.changed.clear()
                await self.changed.wait()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Batcher]:
        task = asyncio.create_task(self.batcher.run())
        try:
            yield self.batcher
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(autouse=True)
def long_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what must not wait for company is settled within a test."""
    monkeypatch.setattr(batch, "COLLECT_S", 60.0)


async def test_each_message_is_acknowledged_without_a_later_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "COLLECT_S", 0.02)
    recorder = Recorder()
    async with recorder.running() as batcher:
        # Many modems have one message in flight: the next chunk comes after the acknowledgement of this one.
        for number in range(3):
            began_s = time.monotonic()
            batcher.put(chunk(ANA, number))
            await recorder.until_settled(number + 1)
            assert time.monotonic() - began_s < WITHIN_S
    assert recorder.settled == [[f"{ANA}/{number}"] for number in range(3)]


async def test_what_depends_on_a_batch_brings_it_forward_and_comes_after_it() -> None:
    recorder = Recorder()
    followed: list[int] = []
    async with recorder.running() as batcher:
        assert not batcher.follow(ANA, lambda: followed.append(0)), "nothing to wait for"
        for number in range(3):
            batcher.put(chunk(ANA, number))
        batcher.put(chunk(BEN, 0))
        assert batcher.follow(ANA, lambda: followed.append(len(recorder.settled)))
        await recorder.until_settled(4)
        await asyncio.sleep(0)
        assert followed == [1], "after the commit of the batch"
        assert not batcher.follow(ANA, lambda: followed.append(0))
    assert len(recorder.settled) == 1, "one commit for the chunks of both"


@pytest.mark.parametrize(("bound", "value"), [("MESSAGES_MAX", 2), ("BYTES_MAX", 10)])
async def test_a_full_batch_waits_for_no_more(monkeypatch: pytest.MonkeyPatch, bound: str, value: int) -> None:
    monkeypatch.setattr(batch, bound, value)
    recorder = Recorder()
    async with recorder.running() as batcher:
        for number in range(4):
            batcher.put(chunk(ANA, number))
        await recorder.until_settled(4)
    assert [len(messages) for messages in recorder.settled] == [2, 2]
