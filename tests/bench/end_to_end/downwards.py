"""A guardian speaks to a watch: from the request to the sound that the watch has verified."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import time
from collections.abc import Sequence
from typing import Any, Final

from tests.bench.end_to_end.crowd import Person
from tests.bench.end_to_end.loads import Measured, Side, connect_watches, measure, until_idle
from tests.bench.end_to_end.wire import Mqtt, Watch

_WITHIN_S: Final = 30
_WINDOW: Final = 4


class _Listener:
    """A watch that fetches what it is offered, window by window, and confirms it."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.watch = Watch(person.username, self._receive)
        self.verified: asyncio.Future[float] | None = None
        self._ref = ""
        self._voice: dict[str, Any] = {}
        self._parts: dict[int, bytes] = {}

    def _receive(self, client: Mqtt, topic: str, payload: bytes, _number: int) -> None:
        _, _, _, _, kind, *rest = topic.split("/")
        if kind == "item" and len(rest) == 1:
            item = json.loads(payload)
            self._ref, self._voice, self._parts = rest[0], item["voice"], {}
            self._fetch(client)
        elif kind == "item" and rest[0] == self._ref:
            self._parts[int(rest[1])] = payload
            if len(self._parts) == self._voice["chunks"]:
                self._verify(client)
            elif len(self._parts) % _WINDOW == 0:
                self._fetch(client)

    def _fetch(self, client: Mqtt) -> None:
        wanted = {"ref": self._ref, "from": len(self._parts), "count": _WINDOW}
        client.publish(self.watch.up + "fetch", json.dumps(wanted).encode())

    def _verify(self, client: Mqtt) -> None:
        sound = b"".join(self._parts[number] for number in sorted(self._parts))
        assert hashlib.sha256(sound).hexdigest() == self._voice["sha256"]
        if self.verified is not None and not self.verified.done():
            self.verified.set_result(time.perf_counter())
        client.publish(self.watch.up + "receipt", json.dumps({"ref": self._ref, "state": "delivered"}).encode())


async def voice_down(side: Side, people: Sequence[Person], *, clip: bytes, seconds: float) -> Measured:
    """Send clips that the watches play as they are, one guardian after the other."""
    measured = Measured()
    listeners = [_Listener(person) for person in people]
    await connect_watches(side, [listener.watch for listener in listeners])
    await until_idle(side)
    until = time.perf_counter() + seconds

    async def go_on(listener: _Listener) -> None:
        while time.perf_counter() < until:
            listener.verified = asyncio.get_running_loop().create_future()
            began = time.perf_counter()
            try:
                async with asyncio.timeout(_WITHIN_S):
                    await _post(side, listener.person, clip)
                    measured.latencies_s.append(await listener.verified - began)
                measured.count += 1
            except (TimeoutError, ConnectionError):
                measured.faults += 1
            await asyncio.sleep(0.05)

    await measure(side, measured, asyncio.gather(*map(go_on, listeners)))
    for listener in listeners:
        listener.watch.close()
    return measured


async def _post(side: Side, person: Person, clip: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", side.http_port)
    head = (
        f"POST /v1/children/{person.child_id}/voice-messages HTTP/1.1", "host: x", f"x-user: {person.username}",
        f"authorization: Bearer {side.tokens.get(person.username, '')}", "content-type: audio/amr",
        f"idempotency-key: {base64.b32encode(os.urandom(10)).decode().lower()}", f"content-length: {len(clip)}",
        "connection: close",
    )  # fmt: skip
    writer.write(("\r\n".join(head) + "\r\n\r\n").encode() + clip)
    answer = await reader.read()
    writer.close()
    if not answer.startswith(b"HTTP/1.1 201"):
        raise ConnectionError(answer[:200])
