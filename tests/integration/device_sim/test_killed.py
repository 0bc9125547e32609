"""kill -9 of the watch between any two steps: nothing is lost, nothing is doubled."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.broker.configuration import BrokerConfiguration
from services.broker.process import MosquittoProcess
from services.device_sim.sound import record_clip
from services.device_sim.speech import speech
from services.protocol.words import Codec
from tests.integration.device_sim.killed_watch import SPEAKING, SPOKEN_S, TEXTS
from tests.integration.device_sim.scripted_backend import Bench, Heard, ScriptedBackend, at_broker
from tests.support.sounds import encoded

_SECRET = "secret-of-every-watch-here"
_CHECKOUT = Path(__file__).parents[3]
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_AT_ONCE = 4
# More than the story has; what is beyond its end simply is not killed.
_STEPS_MAX = 150
_CHUNK_BYTES = SPEAKING.chunk_bytes
_SAID = record_clip(speech(SPOKEN_S, 1), Codec.AMR_NB).sound
_FOR_THE_CHILD = encoded("amr-nb", SPOKEN_S)


@dataclass
class Family:
    """The backend's rows of one watch."""

    credentials: dict[str, Any]
    entered: bool = False
    codes: int = 0
    texts: dict[str, dict[str, Any]] = field(default_factory=dict)
    conflicts: list[str] = field(default_factory=list)
    receipts: set[tuple[str, str]] = field(default_factory=set)
    acknowledged: int = 0
    clips: dict[str, bytes] = field(default_factory=dict)


class AutomaticBackend(ScriptedBackend):
    """Plays the backend's part for many watches by itself. A code is entered the moment it is shown."""

    def __init__(self, broker: MosquittoProcess, port: int, password: str) -> None:
        super().__init__(broker, port, password)
        self.families: dict[str, Family] = {}

    async def reacts(self, heard: Heard) -> None:
        """Answer as the page says."""
        if heard.user not in self.families:
            return
        family = self.families[heard.user]
        match heard.level:
            case "pairing":
                await self._answers_pairing(heard, family)
            case "hello":
                await self._answers_hello(heard, family)
            case "text":
                known = family.texts.setdefault(heard["id"], heard.fields)
                if known != heard.fields:
                    family.conflicts.append(heard["id"])
                await self.says(heard.user, "receipt", ref=heard["id"], code="stored")
            case "receipt":
                family.receipts.add((heard["ref"], heard["state"]))
                await self.says(heard.user, "receipt", ref=heard["ref"], state=heard["state"], code="stored")
                await self._announces(heard.user, family)
            case "ack":
                family.acknowledged = heard["version"]

    async def _answers_pairing(self, heard: Heard, family: Family) -> None:
        if heard["ask"] == "code":
            family.codes += 1
            qr = "https://example.org/pair#482913"
            await self.says(heard.user, "pairing", code="482913", qr=qr, expires_tst=self.server_tst + 600)
            family.entered = True
        if family.entered:
            credentials = family.credentials
            await self.says(heard.user, "pairing", paired=True, child_name="Mei", credentials=credentials)
        else:
            await self.says(heard.user, "pairing", paired=False)

    async def _answers_hello(self, heard: Heard, family: Family) -> None:
        await self.says(heard.user, "time", tst=self.server_tst)
        if heard["contacts_version"] != 3:
            for part in (1, 2):
                contacts = [{"id": f"g-{part}", "name": f"Aunt {part}"}]
                await self.says(heard.user, "contacts", version=3, part=part, parts=2, contacts=contacts)
        await self._announces(heard.user, family)

    async def _announces(self, user: str, family: Family) -> None:
        for seq, ref in enumerate(("i1", "i2"), 1):
            if (ref, "delivered") not in family.receipts:
                await self.says(user, f"item/{ref}", seq=seq, kind="text", from_="g-1", text=f"item {seq}")
                return


class SpeakingBackend(AutomaticBackend):
    """The same for watches that are paired: one clip each way."""

    async def reacts(self, heard: Heard) -> None:
        """Answer as the page says."""
        family = self.families[heard.user]
        match heard.level:
            case "hello":
                await self.says(heard.user, "time", tst=self.server_tst)
                await self._announces(heard.user, family)
            case "end_of_voice":
                await self._answers_end(heard, family)
            case "fetch":
                for number in range(heard["from"], heard["from"] + heard["count"]):
                    await self.says_raw(heard.user, f"item/v1/{number}", chunk_of(_FOR_THE_CHILD, number))
            case "receipt":
                family.receipts.add((heard["ref"], heard["state"]))
                await self.says(heard.user, "receipt", ref=heard["ref"], state=heard["state"], code="stored")

    async def _announces(self, user: str, family: Family) -> None:
        if ("v1", "delivered") not in family.receipts:
            await self.announces_clip(user, "v1", _FOR_THE_CHILD, _CHUNK_BYTES)

    async def _answers_end(self, heard: Heard, family: Family) -> None:
        chunks = self.chunks.get((heard.user, heard["ref"]), {})
        missing = [number for number in range(heard["chunks"]) if number not in chunks]
        if missing:
            await self.says(heard.user, "receipt", ref=heard["ref"], code="missing", missing=missing)
            return
        family.clips[heard["ref"]] = b"".join(chunks[number] for number in range(heard["chunks"]))
        assert hashlib.sha256(family.clips[heard["ref"]]).hexdigest() == heard["sha256"]
        await self.says(heard.user, "receipt", ref=heard["ref"], code="stored")


def chunk_of(sound: bytes, number: int) -> bytes:
    return sound[number * _CHUNK_BYTES : (number + 1) * _CHUNK_BYTES]


@contextlib.asynccontextmanager
async def runner() -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that runs watches one after the other."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.device_sim.killed_watch",
        cwd=_CHECKOUT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


async def run_watch(process: asyncio.subprocess.Process, **request: Any) -> dict[str, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(request).encode() + b"\n")
    await process.stdin.drain()
    report: dict[str, Any] = json.loads(await process.stdout.readline())
    return report


def serial_of(number: int) -> str:
    return f"KILL{number:04d}"


def username_of(number: int) -> str:
    return "w-aaaaaaaaaa" + _LETTERS[number // 32] + _LETTERS[number % 32]


def check(family: Family, shown: dict[str, Any]) -> None:
    assert shown["exit"] == 0
    assert sorted(text["text"] for text in family.texts.values()) == sorted(TEXTS)
    assert family.conflicts == []
    assert shown["sent"] == [[wire_id, "stored"] for wire_id in [message[0] for message in shown["sent"]]]
    assert {message[0] for message in shown["sent"]} == set(family.texts)
    assert shown["inbox"] == [["i1", "item 1", "played"], ["i2", "item 2", "played"]]
    assert family.receipts == {(ref, state) for ref in ("i1", "i2") for state in ("delivered", "played")}
    assert shown["contacts"] == ["g-1", "g-2"]


async def test_a_watch_killed_at_any_step_goes_on_where_it_was(
    configuration: BrokerConfiguration, mosquitto: Path, tmp_path: Path
) -> None:
    port = configuration.plain_port
    families: dict[str, Family] = {}
    for number in range(_STEPS_MAX + 1):
        user = username_of(number)
        credentials = {"username": user, "password": _SECRET, "client_id": user, "prefix": f"sw/v1/{user}"}
        family = Family({**credentials, "host": "127.0.0.1", "port": port})
        families |= {f"f-{serial_of(number)}": family, user: family}

    def request(number: int, die_at: int) -> dict[str, Any]:
        folder = str(tmp_path / serial_of(number))
        return {"serial": serial_of(number), "secret": _SECRET, "folder": folder, "port": port, "die_at": die_at}

    async with contextlib.AsyncExitStack() as stack:
        bench = await stack.enter_async_context(at_broker(configuration, mosquitto, AutomaticBackend))
        processes = await prepare(stack, bench, families)
        whole = await run_watch(processes[0], **request(0, 0))
        check(families[username_of(0)], whole)
        steps = int(whole["steps"])
        assert 40 < steps < _STEPS_MAX

        async def live_twice(process: asyncio.subprocess.Process, number: int) -> bool:
            first = await run_watch(process, **request(number, number))
            check(families[username_of(number)], await run_watch(process, **request(number, 0)))
            return was_killed(first)

        killed = await at_every_step(processes, steps, live_twice)
    # The order of what comes over the network differs a little from life to life, so the last steps may not be reached.
    assert killed > 0.8 * steps


async def test_a_watch_killed_while_it_speaks_and_listens_goes_on_where_it_was(
    configuration: BrokerConfiguration, mosquitto: Path, tmp_path: Path
) -> None:
    families = {username_of(number): Family({}) for number in range(_STEPS_MAX + 1)}
    up, down = -(-len(_SAID) // _CHUNK_BYTES), -(-len(_FOR_THE_CHILD) // _CHUNK_BYTES)

    def request(number: int, die_at: int) -> dict[str, Any]:
        return {
            "serial": serial_of(number), "secret": _SECRET, "folder": str(tmp_path / serial_of(number)),
            "port": configuration.plain_port, "die_at": die_at, "speaks_as": username_of(number),
        }  # fmt: skip

    async with contextlib.AsyncExitStack() as stack:
        bench = await stack.enter_async_context(at_broker(configuration, mosquitto, SpeakingBackend))
        processes = await prepare(stack, bench, families)

        async def live_on(process: asyncio.subprocess.Process, number: int) -> int:
            shown = await run_watch(process, **request(number, 0))
            family, user = families[username_of(number)], username_of(number)
            assert shown["exit"] == 0
            ((ref, clip),) = family.clips.items()
            assert (clip, shown["sent"]) == (_SAID, [ref, "stored"])
            assert bytes.fromhex(shown["heard"]) == _FOR_THE_CHILD
            assert family.receipts == {("v1", "delivered"), ("v1", "played")}
            sent = Counter(frame.level for frame in bench.backend.heard if frame.user == user)
            fetched = sum(
                frame["count"] for frame in bench.backend.heard if (frame.user, frame.level) == (user, "fetch")
            )
            # Arrived chunks are not repeated, except the chunk and the window in which it was killed.
            assert sent["chunk_of_voice"] <= up + 1
            assert fetched <= down + SPEAKING.fetch_window
            return int(shown["steps"])

        async def live_twice(process: asyncio.subprocess.Process, number: int) -> bool:
            first = await run_watch(process, **request(number, number))
            await live_on(process, number)
            return was_killed(first)

        steps = await live_on(processes[0], 0)
        assert 40 < steps < _STEPS_MAX
        killed = await at_every_step(processes, steps, live_twice)
    assert killed > 0.8 * steps


def was_killed(life: dict[str, Any]) -> bool:
    assert life["exit"] in {0, -9}
    return bool(life["exit"] == -9)


async def prepare(
    stack: contextlib.AsyncExitStack, bench: Bench, families: dict[str, Family]
) -> list[asyncio.subprocess.Process]:
    """Let the families in and start what runs their watches."""
    assert isinstance(bench.backend, AutomaticBackend)
    bench.backend.families = families
    await bench.backend.lets_all_in(dict.fromkeys(families, _SECRET))
    return [await stack.enter_async_context(runner()) for _ in range(_AT_ONCE)]


async def at_every_step(
    processes: list[asyncio.subprocess.Process],
    steps: int,
    live_twice: Callable[[asyncio.subprocess.Process, int], Awaitable[bool]],
) -> int:
    """Have a watch of its own die at each step and live on; return how many were killed indeed."""
    waiting = list(range(1, steps + 1))

    async def work(process: asyncio.subprocess.Process) -> list[bool]:
        killed = []
        while waiting:
            killed.append(await live_twice(process, waiting.pop()))
        return killed

    return sum(map(sum, await asyncio.gather(*(work(process) for process in processes))))
