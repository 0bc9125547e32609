"""What the reader of uplinks does with a message on its arrival, without broker and Postgres."""

from __future__ import annotations

import pytest

from services.core.platform.blobs.store import BlobStore
from services.core.platform.db.database import Database
from services.core.platform.settings import Environment, Settings
from services.mqtt_bridge.connection import Connection, Incoming
from services.mqtt_bridge.uplink import Reading, UplinkReader
from services.watch_link.backend import Backend

SPEAKERS = [f"w-speaker{letter * 6}" for letter in "ab"]
CALLER, WRITER = "w-callercaller", "w-writerwriter"
CLIP = "1234567890ab"


class _Broker(Connection):
    """A connection that notes the numbers of acknowledged messages."""

    def __init__(self) -> None:
        super().__init__()
        self.acknowledged: list[int] = []

    def acknowledge(self, number: int) -> None:
        self.acknowledged.append(number)


class _Uplinks:
    """A reader of uplinks that has just connected."""

    def __init__(self, reader: UplinkReader, backend: Backend) -> None:
        self._broker = _Broker()
        self._reading = Reading(backend, self._broker, reader)
        self._backlog = reader.backlog
        self._sent = 0

    def arrive(self, user: str, leaf: str, payload: bytes = b"{}") -> None:
        """Have a message arrive."""
        self._sent += 1
        self._reading.admit(Incoming(f"sw/v1/{user}/up/{leaf}", payload, self._sent, self._broker))

    def counts(self) -> tuple[int, int]:
        """Return how many messages are to be handled or in work, and how many were acknowledged."""
        return self._backlog.messages, len(self._broker.acknowledged)

    async def next(self) -> str:
        """Return user and last level of the topic of the message whose turn it is, which then is in work."""
        user, message = await self._backlog.next()
        return f"{user} {message.topic.rpartition('/')[2]}"


@pytest.fixture
async def uplinks(tmp_path_factory: pytest.TempPathFactory) -> _Uplinks:
    settings = Settings(
        environment=Environment.TEST, database_url="postgresql://nobody@127.0.0.1:1/none",
        blob_url=f"file:{tmp_path_factory.mktemp('blobs')}",
    )  # fmt: skip
    database, blobs = Database.of(settings), BlobStore.of(settings)
    return _Uplinks(UplinkReader(settings, database, blobs), Backend(database, blobs, settings))


async def test_an_sos_and_a_text_overtake_the_chunks_of_other_watches(uplinks: _Uplinks) -> None:
    for speaker in SPEAKERS:
        uplinks.arrive(speaker, f"voice/{CLIP}/0")
    uplinks.arrive(WRITER, "text")
    uplinks.arrive(CALLER, "alert")
    assert {await uplinks.next(), await uplinks.next()} == {f"{CALLER} alert", f"{WRITER} text"}
    assert await uplinks.next() == f"{SPEAKERS[0]} 0"


@pytest.mark.parametrize("leaf", ["location", "text", "alert", "usage", f"voice/{CLIP}/0"])
@pytest.mark.parametrize("is_in_work", [False, True])
async def test_the_repeats_of_what_is_not_answered_are_acknowledged_and_make_no_work(
    uplinks: _Uplinks, leaf: str, *, is_in_work: bool
) -> None:
    uplinks.arrive(WRITER, leaf)
    if is_in_work:
        await uplinks.next()
    for _ in range(3):
        uplinks.arrive(WRITER, leaf)
    assert uplinks.counts() == (1, 3)
    uplinks.arrive(WRITER, leaf, b'{"other": 1}')
    uplinks.arrive(CALLER, leaf)
    assert uplinks.counts() == (3, 3)


@pytest.mark.parametrize("leaf", ["hello", f"voice/{CLIP}/end"])
async def test_the_last_hello_and_the_last_end_of_a_clip_count(uplinks: _Uplinks, leaf: str) -> None:
    for _ in range(4):
        uplinks.arrive(WRITER, leaf)
    assert uplinks.counts() == (1, 3)
