"""What watches and guardians do in a bench: check-ins, hellos, voice and SOS; and how long each takes."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import json
import os
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.bench.end_to_end.crowd import PASSWORD, Person
from tests.bench.end_to_end.lab import CpuMeter, StatementCounter
from tests.bench.end_to_end.wire import Mqtt, Watch

_CHUNK_BYTES: Final = 4096
_WITHIN_S: Final = 30


@dataclass
class Measured:
    """One round: how many, in how long, the latencies in seconds, and the CPU seconds by part."""

    count: int = 0
    span_s: float = 0.0
    latencies_s: list[float] = field(default_factory=list)
    # Without what the same processes spend while nothing happens.
    cpu_s: dict[str, float] = field(default_factory=dict)
    statements: int = 0
    commits: int = 0
    faults: int = 0

    def percentile_ms(self, share: float) -> float:
        """Return a percentile of the latencies."""
        ordered = sorted(self.latencies_s)
        return 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0

    @property
    def each_s(self) -> float:
        """Messages a second."""
        return self.count / self.span_s if self.span_s else 0.0

    def cpu_us_each(self) -> dict[str, float]:
        """Return CPU microseconds a message by part."""
        return {name: 1e6 * seconds / max(1, self.count) for name, seconds in self.cpu_s.items()}


@dataclass(frozen=True)
class Side:
    """One of those that take turns: where its broker and its event stream are, and what it spends."""

    mqtt_port: int
    http_port: int
    meter: CpuMeter
    counter: StatementCounter
    says_hello: bool
    # Returns once nothing waits for any watch.
    until_settled: Callable[[], Awaitable[None]]
    # Guardians' tokens by the user name of the child's watch.
    tokens: dict[str, str] = field(default_factory=dict)
    # CPU seconds a second by part while nothing happens.
    idle: Mapping[str, float] = field(default_factory=dict)
    tls_port: int = 0
    # The versions of the lists that all watches hold.
    lists: Mapping[str, int] = field(default_factory=dict)
    # Called where a measurement begins and ends, for profiles.
    begins: Callable[[], None] = lambda: None
    ends: Callable[[], None] = lambda: None

    @contextlib.asynccontextmanager
    async def measuring(self, measured: Measured) -> AsyncIterator[None]:
        """Record what the block costs: CPU by part, statements and commits."""
        before = await self.counter.read()
        self.begins()
        self.meter.restart()
        began_s = time.perf_counter()
        yield
        span_s = time.perf_counter() - began_s
        spent_s = self.meter.spent_s()
        self.ends()
        after = await self.counter.read()
        measured.cpu_s = {name: max(0.0, used - span_s * self.idle.get(name, 0.0)) for name, used in spent_s.items()}
        measured.statements = after.statements - before.statements
        measured.commits = after.commits - before.commits


class _Wearer:
    """A watch that keeps ``window`` location messages of ``each`` fixes on their way."""

    def __init__(self, person: Person, each: int, measured: Measured) -> None:
        self.watch = Watch(person.username, self._receive)
        self._each = each
        self._measured = measured
        self._sent_at: list[float] = []
        self._stored = 0
        self.counting = self.stopped = False

    def send(self) -> None:
        """Send the next message."""
        now = int(time.time())
        fixes = [
            {
                "_type": "location", "lat": round(23.02 + random.random() / 2000, 5), "tid": "me", "acc": 18,
                "lon": round(113.75 + random.random() / 2000, 5), "id": os.urandom(8).hex(), "source": "gps",
                "tst": now - (random.randrange(3600) if self._each > 1 else 1),
            }
            for _ in range(self._each)
        ]  # fmt: skip
        self._sent_at.append(time.perf_counter())
        payload = json.dumps(fixes if self._each > 1 else fixes[0]).encode()
        self.watch.mqtt.publish(f"{self.watch.up}location", payload)

    def _receive(self, _: Mqtt, topic: str, payload: bytes, _number: int) -> None:
        if not topic.endswith("/receipt"):
            return
        receipt = json.loads(payload)
        stored = len(receipt.get("refs") or [1])
        if receipt["code"] not in {"stored", "duplicate"}:
            self._measured.faults += 1
            stored = 0
        self._stored += max(stored, 1)
        if self.counting:
            self._measured.count += stored
        if self._stored >= self._each and self._sent_at:
            self._stored -= self._each
            sent_at = self._sent_at.pop(0)
            if self.counting:
                self._measured.latencies_s.append(time.perf_counter() - sent_at)
            if not self.stopped:
                self.send()


async def checkins(side: Side, people: Sequence[Person], *, each: int, window: int, seconds: float) -> Measured:
    """Check-ins of all these watches to their receipts, for a while after half a second of warming up."""
    measured = Measured()
    wearers = [_Wearer(person, each, measured) for person in people]
    await connect_watches(side, [wearer.watch for wearer in wearers])
    for wearer in wearers:
        for _ in range(window):
            wearer.send()
    await asyncio.sleep(0.5)
    for wearer in wearers:
        wearer.counting = True
    await measure(side, measured, _until_counted(measured, len(people) * window * each, seconds))
    for wearer in wearers:
        wearer.counting, wearer.stopped = False, True
    await asyncio.sleep(0.5)
    for wearer in wearers:
        wearer.watch.close()
    return measured


async def _until_counted(measured: Measured, least: int, seconds: float) -> None:
    """Wait for a time, and then until so many are counted: the receipts of a busy machine come in few batches."""
    until_s = time.perf_counter() + 10 * seconds
    await asyncio.sleep(seconds)
    while measured.count < least and time.perf_counter() < until_s:  # noqa: ASYNC110 - a count has no event
        await asyncio.sleep(0.05)


async def hellos(side: Side, people: Sequence[Person]) -> Measured:
    """All these watches say hello again at once after a reconnect, to their ``down/time`` and until nothing waits."""
    measured = Measured()
    watches = [Watch(person.username) for person in people]
    await connect_watches(side, watches)
    for watch in watches:
        watch.close()
    async with side.measuring(measured):
        await connect_watches(side, watches, hello=False)
        await greet_all(side, watches, measured)
    for watch in watches:
        watch.close()
    return measured


async def greet_all(side: Side, watches: Sequence[Watch], measured: Measured) -> None:
    """Have all these watches say hello at once, and wait until nothing is due to any of them."""

    async def greet(watch: Watch) -> None:
        began = time.perf_counter()
        try:
            await watch.say_hello()
        except (TimeoutError, ConnectionError):
            measured.faults += 1
            return
        measured.latencies_s.append(time.perf_counter() - began)
        measured.count += 1

    began = time.perf_counter()
    await asyncio.gather(*(greet(watch) for watch in watches))
    measured.span_s = time.perf_counter() - began
    # What is read and sent besides belongs to the cost of a hello.
    await until_idle(side)


class _Pair:
    """A watch that speaks or calls, and a guardian who follows the event stream."""

    def __init__(self, person: Person, side: Side) -> None:
        self.person = person
        self._side = side
        self.watch = Watch(person.username, self._receive)
        self._ref = ""
        self._event: asyncio.Future[float] | None = None
        self._receipt: asyncio.Future[float] | None = None
        self._following: asyncio.Task[None] | None = None

    async def follow(self) -> None:
        reader, self._writer = await asyncio.open_connection("127.0.0.1", self._side.http_port)
        token = self._side.tokens.get(self.person.username, "")
        head = [
            "GET /v1/events HTTP/1.1",
            "host: x",
            f"x-user: {self.person.username}",
            f"authorization: Bearer {token}",
        ]
        self._writer.write(("\r\n".join(head) + "\r\n\r\n").encode())
        await reader.readuntil(b"\r\n\r\n")
        self._following = asyncio.create_task(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            is_due = self._event is not None and not self._event.done()
            if is_due and line.startswith((b"event: message.created", b"event: alert.raised")):
                assert self._event is not None
                self._event.set_result(time.perf_counter())

    def _receive(self, _: Mqtt, topic: str, payload: bytes, _number: int) -> None:
        if topic.endswith("/receipt") and self._receipt is not None and not self._receipt.done():
            receipt: dict[str, Any] = json.loads(payload)
            if receipt.get("ref") == self._ref and receipt["code"] in {"stored", "duplicate"}:
                self._receipt.set_result(time.perf_counter())

    async def speak(self, clip: bytes, *, one_by_one: bool) -> float:
        """Send a clip; return the seconds from its ``end`` to the guardian's event."""
        self._begin()
        chunks = [clip[place : place + _CHUNK_BYTES] for place in range(0, len(clip), _CHUNK_BYTES)]
        acknowledged = []
        for number, chunk in enumerate(chunks):
            future = self.watch.mqtt.publish_acknowledged(f"{self.watch.up}voice/{self._ref}/{number}", chunk)
            if one_by_one:
                await future
            acknowledged.append(future)
        await asyncio.gather(*acknowledged)
        end = {
            "to": "family", "codec": "amr-nb", "bytes": len(clip), "chunks": len(chunks), "duration_ms": 15000,
            "sha256": hashlib.sha256(clip).hexdigest(), "tst": int(time.time()),
        }  # fmt: skip
        return await self._send_last(f"voice/{self._ref}/end", end)

    async def call(self) -> float:
        """Send an SOS; return the seconds to the guardian's event."""
        self._begin()
        return await self._send_last("alert", {"id": self._ref, "kind": "sos", "tst": int(time.time())})

    def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        self._ref = os.urandom(8).hex()
        self._event, self._receipt = loop.create_future(), loop.create_future()

    async def _send_last(self, kind: str, content: dict[str, Any]) -> float:
        assert self._event is not None
        assert self._receipt is not None
        began = time.perf_counter()
        self.watch.mqtt.publish(self.watch.up + kind, json.dumps(content).encode())
        async with asyncio.timeout(_WITHIN_S):
            at, _ = await asyncio.gather(self._event, self._receipt)
        return at - began

    def close(self) -> None:
        self.watch.close()
        if self._following is not None:
            self._following.cancel()
        self._writer.close()


async def to_guardians(
    side: Side,
    people: Sequence[Person],
    *,
    clip: bytes | None,
    seconds: float,
    pause_s: float,
    one_by_one: bool = False,
    in_turns: bool = False,
) -> Measured:
    """Voice messages (or SOS, without a clip) from their last packet to the guardian's event.

    ``in_turns``: one child after the other, each once; else all at the same time, each again and again.
    """
    measured = Measured()
    pairs = [_Pair(person, side) for person in people]
    await connect_watches(side, [pair.watch for pair in pairs])
    for pair in pairs:
        await pair.follow()
    await until_idle(side)
    until = time.perf_counter() + seconds

    async def go_on(turns: Iterable[_Pair]) -> None:
        for pair in turns:
            if time.perf_counter() >= until:
                return
            try:
                took_s = await (pair.call() if clip is None else pair.speak(clip, one_by_one=one_by_one))
            except TimeoutError:
                measured.faults += 1
                continue
            measured.latencies_s.append(took_s)
            measured.count += 1
            await asyncio.sleep(pause_s)

    senders = [go_on(pairs)] if in_turns else [go_on(itertools.repeat(pair)) for pair in pairs]
    await measure(side, measured, asyncio.gather(*senders))
    for pair in pairs:
        pair.close()
    return measured


async def connect_watches(side: Side, watches: Sequence[Watch], *, hello: bool = True) -> None:
    """Connect watches, have them say hello and wait until they have what they are sent."""
    for start in range(0, len(watches), 50):
        some = watches[start : start + 50]
        for watch in some:
            watch.hold(side.lists)
        await asyncio.gather(*(watch.connect(side.mqtt_port, PASSWORD) for watch in some))
        if hello and side.says_hello:
            await asyncio.gather(*(watch.say_hello() for watch in some))
    if hello and side.says_hello:
        await until_idle(side)


async def measure(side: Side, measured: Measured, work: Any) -> None:
    """Await ``work`` and record how long it took and what it cost."""
    async with side.measuring(measured):
        began = time.perf_counter()
        await work
        measured.span_s = time.perf_counter() - began


async def until_idle(side: Side, *, at_most_s: float = 15.0) -> None:
    """Return once nothing waits and the processes use little more than idle ones for a fifth of a second."""
    await side.until_settled()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(at_most_s):
            before = sum(side.meter.spent_s().values())
            while True:
                await asyncio.sleep(0.2)
                now = sum(side.meter.spent_s().values())
                if now - before < 0.01 + 0.2 * sum(side.idle.values()):
                    return
                before = now
