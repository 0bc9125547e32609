"""kill -9 of the watch between any two steps: nothing is lost, nothing is doubled."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from services.broker.configuration import BrokerConfiguration
from services.broker.process import MosquittoProcess
from tests.integration.device_sim.killed_watch import TEXTS
from tests.integration.device_sim.scripted_backend import Heard, ScriptedBackend, at_broker

_SECRET = "secret-of-every-watch-here"
_CHECKOUT = Path(__file__).parents[3]
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_AT_ONCE = 4
# More than the story has; what is beyond its end simply is not killed.
_STEPS_MAX = 150


@dataclass
class Family:
    """What the backend knows of one watch."""

    credentials: dict[str, Any]
    entered: bool = False
    codes: int = 0
    texts: dict[str, dict[str, Any]] = field(default_factory=dict)
    conflicts: list[str] = field(default_factory=list)
    receipts: set[tuple[str, str]] = field(default_factory=set)
    acknowledged: int = 0


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
                known = family.texts.setdefault(heard["id"], heard.said)
                if known != heard.said:
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


async def run_watch(process: asyncio.subprocess.Process, **asked: Any) -> dict[str, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(asked).encode() + b"\n")
    await process.stdin.drain()
    told: dict[str, Any] = json.loads(await process.stdout.readline())
    return told


def serial_of(number: int) -> str:
    return f"KILL{number:04d}"


def username_of(number: int) -> str:
    return "w-aaaaaaaaaa" + _LETTERS[number // 32] + _LETTERS[number % 32]


def check(family: Family, shown: dict[str, Any]) -> None:
    assert shown["exit"] == 0
    assert sorted(one["text"] for one in family.texts.values()) == sorted(TEXTS)
    assert family.conflicts == []
    assert shown["sent"] == [[wire_id, "stored"] for wire_id in [one[0] for one in shown["sent"]]]
    assert {one[0] for one in shown["sent"]} == set(family.texts)
    assert shown["inbox"] == [["i1", "item 1", "played"], ["i2", "item 2", "played"]]
    assert family.receipts == {(ref, state) for ref in ("i1", "i2") for state in ("delivered", "played")}
    assert shown["contacts"] == ["g-1", "g-2"]


@pytest.mark.timeout(300)
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

    def asked(number: int, die_at: int) -> dict[str, Any]:
        folder = str(tmp_path / serial_of(number))
        return {"serial": serial_of(number), "secret": _SECRET, "folder": folder, "port": port, "die_at": die_at}

    async with contextlib.AsyncExitStack() as stack:
        bench = await stack.enter_async_context(at_broker(configuration, mosquitto, AutomaticBackend))
        assert isinstance(bench.backend, AutomaticBackend)
        bench.backend.families = families
        await bench.backend.lets_all_in(dict.fromkeys(families, _SECRET))
        processes = [await stack.enter_async_context(runner()) for _ in range(_AT_ONCE)]
        whole = await run_watch(processes[0], **asked(0, 0))
        check(families[username_of(0)], whole)
        steps = int(whole["steps"])
        assert 40 < steps < _STEPS_MAX
        waiting = list(range(1, steps + 1))
        killed = []

        async def work(process: asyncio.subprocess.Process) -> None:
            while waiting:
                number = waiting.pop()
                first = await run_watch(process, **asked(number, number))
                assert first["exit"] in {0, -9}
                killed.append(first["exit"] == -9)
                check(families[username_of(number)], await run_watch(process, **asked(number, 0)))

        await asyncio.gather(*(work(process) for process in processes))
    # The order of what comes over the network differs a little from life to life, so the last steps may not be reached.
    assert sum(killed) > 0.8 * steps
