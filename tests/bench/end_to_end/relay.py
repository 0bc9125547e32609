"""Baselines of voice in both directions, hello and SOS: a file flushed to disk, rows, PUBACK, receipt, HTTP stream.

*bare* writes one row a message; *lean* the rows that the product writes (`lean_rows`). Both import nothing of the
product: no log-in of phones, no sealing, no decoding, no renditions.

    python -m tests.bench.end_to_end.relay bare|lean MQTT_PORT USER PASSWORD DSN HTTP_PORT FOLDER
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import sys
import time
import traceback
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

import asyncpg

from tests.bench.end_to_end.lean_rows import LeanRows
from tests.bench.end_to_end.relayed import Clip, Rows
from tests.bench.end_to_end.wire import Mqtt, connect

_TABLE = (
    "CREATE TABLE IF NOT EXISTS bare_message (id uuid PRIMARY KEY, who text, ref text, kind text, size int, sha text,"
    " at timestamptz DEFAULT now())"
)
_INSERT = "INSERT INTO bare_message (id, who, ref, kind, size, sha) VALUES ($1, $2, $3, $4, $5, $6)"
_CHUNK_BYTES: Final = 4096


class BareRows:
    """One row a message, and none for chunks."""

    keeps_chunks = False

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def chunks(self, chunks: list[tuple[str, str, int, bytes]]) -> None:
        """Nothing: the chunks are acknowledged after the end of their clip."""

    async def reserve(self, user: str, clip: Clip) -> None:
        """Nothing: the name of the file is in the row of the message."""

    async def voice(self, user: str, clip: Clip) -> None:
        """Write the row of a recording."""
        await self._pool.execute(_INSERT, clip.id, user, clip.ref, "voice", clip.size_bytes, clip.sha256)

    async def alert(self, user: str, ref: str) -> None:
        """Write the row of an SOS."""
        await self._pool.execute(_INSERT, uuid.uuid4(), user, ref, "alert", 0, "")

    async def hellos(self, hellos: list[tuple[str, str]]) -> None:
        """Write the rows of hellos."""
        await self._pool.executemany(_INSERT, [(uuid.uuid4(), user, nonce, "hello", 0, "") for user, nonce in hellos])

    async def voice_down(self, user: str, clip: Clip) -> None:
        """Write the row of a recording for a watch."""
        await self._pool.execute(_INSERT, clip.id, user, clip.ref, "down", clip.size_bytes, clip.sha256)

    async def fetched(self, user: str, ref: str, first: int) -> None:
        """Nothing: no progress is kept."""

    async def delivered(self, user: str, ref: str) -> None:
        """Note the receipt of a watch."""
        await self._pool.execute("UPDATE bare_message SET kind = 'done' WHERE who = $1 AND ref = $2", user, ref)


def _write_durably(path: Path, sound: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(descriptor, sound)
    os.fsync(descriptor)
    os.close(descriptor)


class Relay:
    """The relay between watches by MQTT and guardians by HTTP; the rows are written by ``rows``."""

    def __init__(self, rows: Rows, folder: Path) -> None:
        self._rows = rows
        self._folder = folder
        self._chunks: defaultdict[tuple[str, str], dict[int, tuple[bytes, int]]] = defaultdict(dict)
        self._unwritten: list[tuple[str, str, int, bytes, int]] = []
        # How many chunks of a recording are not committed yet.
        self._uncommitted: Counter[tuple[str, str]] = Counter()
        self._greeting: list[tuple[str, str, int]] = []
        self._down: dict[str, bytes] = {}
        self._streams: defaultdict[str, set[asyncio.StreamWriter]] = defaultdict(set)
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy: set[str] = set()
        # The end of a recording waits here for the commit of its chunks.
        self._written = asyncio.Condition()
        self.client: Mqtt

    def receive(self, _client: Mqtt, topic: str, payload: bytes, number: int) -> None:
        """Handle an uplink."""
        _, _, user, _, kind, *more = topic.split("/")
        if kind == "voice" and more[1] != "end":
            self._chunks[user, more[0]][int(more[1])] = (payload, number)
            if self._rows.keeps_chunks:
                self._unwritten.append((user, more[0], int(more[1]), payload, number))
                self._uncommitted[user, more[0]] += 1
                self._batch("chunks", self._write_chunks)
        elif kind == "voice":
            self._start(self._end(user, more[0], payload, number))
        elif kind == "alert":
            self._start(self._alert(user, payload, number))
        elif kind == "hello":
            self._greeting.append((user, json.loads(payload)["conn"], number))
            self._batch("hellos", self._greet)
        elif kind == "fetch":
            self._start(self._fetch(user, json.loads(payload), number))
        elif kind == "receipt":
            self._start(self._delivered(user, json.loads(payload)["ref"], number))
        else:
            self.client.acknowledge(number)

    def _start(self, step: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(step)
        self._tasks.add(task)
        task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # A baseline that loses messages measures nothing: its row fails.
            traceback.print_exception(error)
            os._exit(1)

    def _batch(self, name: str, write: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run one writer of a kind at a time: it takes all that has arrived until its turn."""
        if name not in self._busy:
            self._busy.add(name)
            self._start(write())

    async def _write_chunks(self) -> None:
        while self._unwritten:
            batch, self._unwritten = self._unwritten, []
            await self._rows.chunks([chunk[:4] for chunk in batch])
            for sender, ref, _, _, number in batch:
                self.client.acknowledge(number)
                self._uncommitted[sender, ref] -= 1
            async with self._written:
                self._written.notify_all()
        self._busy.discard("chunks")

    async def _end(self, user: str, ref: str, payload: bytes, number: int) -> None:
        end = json.loads(payload)
        async with self._written:
            await self._written.wait_for(lambda: not self._uncommitted[user, ref])
        del self._uncommitted[user, ref]
        chunks = self._chunks.pop((user, ref), {})
        sound = b"".join(chunks[place][0] for place in sorted(chunks))
        code = "missing"
        if hashlib.sha256(sound).hexdigest() == end["sha256"]:
            code = "stored"
            clip = Clip(uuid.uuid4(), ref, len(sound), end["sha256"])
            await self._rows.reserve(user, clip)
            await asyncio.to_thread(_write_durably, self._folder / clip.id.hex, sound)
            await self._rows.voice(user, clip)
        if not self._rows.keeps_chunks:
            for of_chunk in chunks.values():
                self.client.acknowledge(of_chunk[1])
        self.client.acknowledge(number)
        self._publish(user, "receipt", {"ref": ref, "code": code})
        self._tell(user, "message.created", ref)

    async def _alert(self, user: str, payload: bytes, number: int) -> None:
        ref = json.loads(payload)["id"]
        await self._rows.alert(user, ref)
        self.client.acknowledge(number)
        self._publish(user, "receipt", {"ref": ref, "code": "stored"})
        self._tell(user, "alert.raised", ref)

    async def _greet(self) -> None:
        while self._greeting:
            batch, self._greeting = self._greeting[:200], self._greeting[200:]
            await self._rows.hellos([(user, nonce) for user, nonce, _ in batch])
            for user, _, number in batch:
                self.client.acknowledge(number)
                self._publish(user, "time", {"tst": int(time.time())})
        self._busy.discard("hellos")

    async def _send_down(self, user: str, sound: bytes, writer: asyncio.StreamWriter) -> None:
        clip = Clip(uuid.uuid4(), os.urandom(8).hex(), len(sound), hashlib.sha256(sound).hexdigest())
        await self._rows.reserve(user, clip)
        await asyncio.to_thread(_write_durably, self._folder / clip.id.hex, sound)
        await self._rows.voice_down(user, clip)
        self._down[clip.ref] = sound
        voice = {"chunks": -(-len(sound) // _CHUNK_BYTES), "bytes": len(sound), "sha256": clip.sha256}
        self._publish(user, f"item/{clip.ref}", {"ref": clip.ref, "kind": "message", "voice": voice})
        writer.write(b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    async def _fetch(self, user: str, wanted: dict[str, int | str], number: int) -> None:
        ref, first, count = str(wanted["ref"]), int(wanted["from"]), int(wanted["count"])
        await self._rows.fetched(user, ref, first)
        self.client.acknowledge(number)
        sound = self._down[ref]
        for place in range(first, min(first + count, -(-len(sound) // _CHUNK_BYTES))):
            chunk = sound[place * _CHUNK_BYTES : (place + 1) * _CHUNK_BYTES]
            self.client.publish(f"sw/v1/{user}/down/item/{ref}/{place}", chunk)

    async def _delivered(self, user: str, ref: str, number: int) -> None:
        await self._rows.delivered(user, ref)
        self.client.acknowledge(number)
        self._down.pop(ref, None)
        self._tell(user, "message.state", ref)

    def _publish(self, user: str, kind: str, content: dict[str, object]) -> None:
        self.client.publish(f"sw/v1/{user}/down/{kind}", json.dumps(content).encode())

    def _tell(self, user: str, kind: str, ref: str) -> None:
        for writer in self._streams[user]:
            writer.write(f"event: {kind}\r\ndata: {json.dumps({'id': ref})}\r\n\r\n".encode())

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one event stream until its client goes away, or take one recording."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            user = head.split("x-user: ")[1].split("\r\n")[0]
            if head.startswith("post "):
                sound = await reader.readexactly(int(head.split("content-length: ")[1].split("\r\n")[0]))
                self._start(self._send_down(user, sound, writer))
                return
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\nevent: ready\r\n\r\n")
            self._streams[user].add(writer)
            await reader.read()
            self._streams[user].discard(writer)


async def main() -> None:
    """Relay until killed."""
    kind, mqtt_port, user, password, dsn, http_port, folder = sys.argv[1:8]
    async with asyncpg.create_pool(dsn, min_size=8, max_size=8) as pool:
        await pool.execute(_TABLE)
        relay = Relay(BareRows(pool) if kind == "bare" else LeanRows(pool), Path(folder))
        relay.client = await connect(
            int(mqtt_port), user, password, relay.receive, client_id=f"{kind}-relay", acknowledges=False
        )
        await relay.client.subscribe("sw/v1/+/up/#")
        server = await asyncio.start_server(relay.serve, "127.0.0.1", int(http_port), limit=1 << 20)
        print("ready", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
