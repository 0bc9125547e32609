"""The share of a fleet that one process plays: connects at a rate, lets watches and parents write, counts."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import httpx

from services.device_sim.fleet.light_parent import LightParent
from services.device_sim.fleet.light_watch import KEEPALIVE_S, LightWatch
from services.device_sim.fleet.machine import raise_file_limit
from services.device_sim.fleet.measures import OwnCost, percentile, resident_bytes
from services.device_sim.fleet.plan import FleetPlan, Member
from services.device_sim.fleet.tls_wire import PlainWire, TlsWire
from services.protocol import limits

# Connections without a log-in. A gate in front of a broker keeps few for one address, and closes the oldest beyond.
_LOGGING_IN_MAX: Final = 128
_TELL_EVERY_S: Final = 1.0
_PINGED: Final = 50
_CREATED: Final = 201


@dataclass
class PartResult:
    """Everything that one process counted, unreduced, so that several can be put together."""

    watches: int = 0
    logged_in: int = 0
    logged_in_within_s: float = 0.0
    online: int = 0
    lost_connections: int = 0
    streams: int = 0
    refused: int = 0
    memory_bytes: int | None = None
    lag_p99_s: float = 0.0
    cpu_share: float = 0.0
    online_s: list[float] = field(default_factory=list)
    receipts_s: list[float] = field(default_factory=list)
    to_parent_s: list[float] = field(default_factory=list)
    to_watch_s: list[float] = field(default_factory=list)
    # Ids, for the checker: what was sent, confirmed and delivered, upwards and downwards.
    sent_up: list[str] = field(default_factory=list)
    confirmed_up: list[str] = field(default_factory=list)
    checkable_up: list[str] = field(default_factory=list)
    delivered_up: list[str] = field(default_factory=list)
    sent_down: list[str] = field(default_factory=list)
    confirmed_down: list[str] = field(default_factory=list)
    delivered_down: list[str] = field(default_factory=list)

    def as_fields(self) -> dict[str, Any]:
        """Return the counts as JSON values."""
        return asdict(self)


class FleetPart:
    """One process's watches and parents. Latencies count from the intended time of sending."""

    def __init__(self, members: Sequence[Member], plan: FleetPlan, tell: Callable[[dict[str, Any]], None]) -> None:
        self._memory_before = resident_bytes()
        self._plan = plan
        self._members = members
        self._tell = tell
        self._result = PartResult(watches=len(members))
        self._watches = [LightWatch(member, self) for member in members]
        self._parents: dict[str, LightParent] = {}
        self._connecting_s: dict[str, float] = {}
        self._awaited_hellos: dict[LightWatch, tuple[int, float]] = {}
        self._logging_in = asyncio.Semaphore(_LOGGING_IN_MAX)
        self._unlogged: set[LightWatch] = set()
        self._unanswered_s: dict[str, float] = {}
        self._unseen_s: dict[str, float] = {}
        self._fresh_s: list[float] = []
        self._is_ending = False
        self._tick = asyncio.Event()

    async def run(self) -> PartResult:
        """Connect, write, wait for the last answers, compare, disconnect."""
        raise_file_limit()
        self._tls = self._plan.tls()
        limits_of_streams = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        async with (
            OwnCost() as cost,
            httpx.AsyncClient(base_url=self._plan.api_url, limits=limits_of_streams, trust_env=False) as client,
        ):
            teller, pinger = asyncio.create_task(self._tell_again()), asyncio.create_task(self._ping_in_turn())
            await self._connect_all()
            before, after = self._memory_before, resident_bytes()
            if before is not None and after is not None:
                self._result.memory_bytes = max(0, after - before)
            streams = await self._open_streams(client)
            await asyncio.gather(self._write_up(), self._write_down())
            await self._until(lambda: not self._unanswered_s and not self._unseen_s, self._plan.answered_within_s)
            await self._read_histories()
            for task in (*streams, teller, pinger):
                task.cancel()
            await asyncio.gather(*streams, teller, pinger, return_exceptions=True)
        self._is_ending = True
        for watch in self._watches:
            watch.close()
        await asyncio.sleep(0)
        self._result.lag_p99_s, self._result.cpu_share = percentile(cost.lags_s, 0.99), cost.cpu_share
        return self._result

    # ---------------------------------------------------------------- what watches hear

    def logged_in(self, watch: LightWatch, at_s: float) -> None:
        """Count a log-in and let another watch connect."""
        self._result.logged_in += 1
        self._result.logged_in_within_s = at_s - self._began_s
        self._end_logging_in(watch)

    def said_hello(self, watch: LightWatch, at_s: float) -> None:
        """Remember when a hello without an answer is repeated."""
        times, _ = self._awaited_hellos.get(watch, (-1, 0.0))
        waits = limits.HELLO_REPEAT_S
        self._awaited_hellos[watch] = (times + 1, at_s + waits[min(times + 1, len(waits) - 1)])

    def went_online(self, watch: LightWatch, at_s: float) -> None:
        """Count a watch whose hello was answered."""
        self._awaited_hellos.pop(watch, None)
        self._result.online += 1
        self._result.online_s.append(at_s - self._connecting_s.pop(watch.username, at_s))
        self._tick.set()

    def was_answered(self, ref: str, code: str, at_s: float) -> None:
        """Count a receipt."""
        intended_s = self._unanswered_s.pop(ref, None)
        if intended_s is None:
            return
        self._result.receipts_s.append(at_s - intended_s)
        self._fresh_s.append(at_s - intended_s)
        if code in {"stored", "duplicate"}:
            self._result.confirmed_up.append(ref)
        else:
            self._result.refused += 1
            self._unseen_s.pop(ref, None)
        self._tick.set()

    def received_text(self, text: str, at_s: float) -> None:
        """Count a parent's text on the watch."""
        ref = text.rpartition(" ")[2]
        self._result.delivered_down.append(ref)
        if (intended_s := self._unseen_s.pop(ref, None)) is not None:
            self._result.to_watch_s.append(at_s - intended_s)
            self._tick.set()

    def was_lost(self, watch: LightWatch) -> None:
        """Count a connection that ended by itself, or never began."""
        self._end_logging_in(watch)
        if not self._is_ending:
            self._result.lost_connections += 1
            self._connecting_s.pop(watch.username, None)
            self._awaited_hellos.pop(watch, None)
            self._tick.set()

    def _end_logging_in(self, watch: LightWatch) -> None:
        if watch in self._unlogged:
            self._unlogged.discard(watch)
            self._logging_in.release()

    # ---------------------------------------------------------------- what parents hear

    def stream_opened(self) -> None:
        """Count an event stream."""
        self._result.streams += 1
        self._tick.set()

    def saw_text(self, text: str, at_s: float) -> None:
        """Count a child's text that reached its parent."""
        if (intended_s := self._unseen_s.pop(text.rpartition(" ")[2], None)) is not None:
            self._result.to_parent_s.append(at_s - intended_s)
            self._tick.set()

    def text_answered(self, ref: str, status: int, at_s: float) -> None:
        """Count the answer to a parent's text."""
        intended_s = self._unanswered_s.pop(ref, at_s)
        if status == _CREATED:
            self._result.confirmed_down.append(ref)
            self._fresh_s.append(at_s - intended_s)
        else:
            self._result.refused += 1
            self._unseen_s.pop(ref, None)
        self._tick.set()

    # ---------------------------------------------------------------- connecting

    async def _connect_all(self) -> None:
        loop, plan, tls = asyncio.get_running_loop(), self._plan, self._tls
        self._began_s = loop.time()

        async def connect(watch: LightWatch) -> None:
            try:
                await loop.create_connection(
                    lambda: PlainWire(watch) if tls is None else TlsWire(watch, tls, plan.host), plan.host, plan.port
                )
            except OSError:
                self.was_lost(watch)

        tasks = []
        for number, watch in enumerate(self._watches):
            due_s = self._began_s + number / plan.connects_per_s
            if (wait_s := due_s - loop.time()) > 0:
                await asyncio.sleep(wait_s)
            await self._logging_in.acquire()
            self._unlogged.add(watch)
            self._connecting_s[watch.username] = due_s
            tasks.append(asyncio.create_task(connect(watch)))
        await asyncio.gather(*tasks)
        repeater = asyncio.create_task(self._repeat_hellos())
        await self._until(lambda: not self._connecting_s, plan.online_within_s)
        repeater.cancel()
        await asyncio.gather(repeater, return_exceptions=True)

    async def _repeat_hellos(self) -> None:
        while True:
            await asyncio.sleep(1)
            now_s = asyncio.get_running_loop().time()
            for watch in [watch for watch, (_, due_s) in self._awaited_hellos.items() if due_s <= now_s]:
                watch.say_hello()

    async def _ping_in_turn(self) -> None:
        """Ping every watch twice a keepalive, a few at a time."""
        while self._watches:
            for begin in range(0, len(self._watches), _PINGED):
                await asyncio.sleep(KEEPALIVE_S / 2 * _PINGED / len(self._watches))
                for watch in self._watches[begin : begin + _PINGED]:
                    watch.ping()

    async def _open_streams(self, client: httpx.AsyncClient) -> list[asyncio.Task[None]]:
        members = [member for member in self._members if member.has_parent][: self._plan.parents]
        self._parents = {member.username: LightParent(client, member, self) for member in members}
        streams = [asyncio.create_task(parent.run()) for parent in self._parents.values()]
        await self._until(lambda: self._result.streams >= len(streams), self._plan.online_within_s)
        return streams

    # ---------------------------------------------------------------- writing

    async def _write_up(self) -> None:
        writers = [watch for watch in self._watches if watch.is_online]
        # Those whose parent listens come first, so that a short run reaches them.
        writers.sort(key=lambda watch: watch.username not in self._parents)
        async for number, due_s in self._beats(self._plan.texts_per_s if writers else 0.0):
            watch, ref = writers[number % len(writers)], secrets.token_hex(8)
            # From the intended time: a simulator that falls behind must not hide how long others waited.
            self._unanswered_s[ref] = due_s
            self._result.sent_up.append(ref)
            if watch.username in self._parents:
                self._unseen_s[ref] = due_s
                self._result.checkable_up.append(ref)
            watch.write_text(ref, f"fleet {ref}", int(time.time()))

    async def _write_down(self) -> None:
        writers = list(self._parents.values())
        tasks = []
        async for number, due_s in self._beats(self._plan.parent_texts_per_s if writers else 0.0):
            ref = secrets.token_hex(8)
            self._unanswered_s[ref] = self._unseen_s[ref] = due_s
            self._result.sent_down.append(ref)
            tasks.append(asyncio.create_task(writers[number % len(writers)].write(ref, f"fleet {ref}")))
        await asyncio.gather(*tasks)

    async def _beats(self, per_s: float) -> Any:  # noqa: ANN401 - an async generator of numbers and times
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        for number in range(int(per_s * self._plan.seconds)):
            due_s = began_s + number / per_s
            if (wait_s := due_s - loop.time()) > 0:
                await asyncio.sleep(wait_s)
            yield number, due_s

    async def _read_histories(self) -> None:
        for parent in self._parents.values():
            with contextlib.suppress(httpx.HTTPError):
                self._result.delivered_up += [text.rpartition(" ")[2] for text in await parent.texts_of_child()]

    # ---------------------------------------------------------------- waiting and telling

    async def _until(self, holds: Callable[[], bool], within_s: float) -> None:
        try:
            async with asyncio.timeout(within_s):
                while not holds():
                    self._tick.clear()
                    await self._tick.wait()
        except TimeoutError:
            return

    async def _tell_again(self) -> None:
        while True:
            await asyncio.sleep(_TELL_EVERY_S)
            result, fresh, self._fresh_s = self._result, self._fresh_s, []
            self._tell({
                "logged_in": result.logged_in, "online": result.online, "streams": result.streams,
                "sent": len(result.sent_up) + len(result.sent_down),
                "confirmed": len(result.confirmed_up) + len(result.confirmed_down), "fresh_s": fresh,
            })  # fmt: skip
