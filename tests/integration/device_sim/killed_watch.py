"""Runs watches that are killed at a chosen step. Not a test: `test_killed.py` starts it and tells it what to run.

One line of JSON in, one line of JSON out. Each watch is a fork, because importing takes longer than its whole life.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from services.device_sim.sqlite_file import SqliteFile
from services.device_sim.watch.body import WatchTraits
from services.device_sim.watch.mqtt_connection import MqttConnection
from services.device_sim.watch.records import FactoryIdentity
from services.device_sim.watch.store import WatchStore
from services.device_sim.watch.watch import AlreadyPairedError, SimWatch
from services.protocol.pairing import Credentials, PairedWithCredentials
from tests.integration.device_sim.scripted_backend import PATIENT, QUICK

TEXTS = ("one", "two")
ITEMS = 2
SPOKEN_S = 0.8
SPEAKING = WatchTraits(chunk_bytes=512, fetch_window=2)


class Steps:
    """Counts the steps between which a watch can die, and dies at one of them (0: at none)."""

    def __init__(self, die_at: int) -> None:
        self.count = 0
        self._die_at = die_at

    def take(self) -> None:
        """One more step."""
        self.count += 1
        if self.count == self._die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch_over(self) -> None:
        """Make a step of the moment before and after everything that goes to disk or onto the network."""
        write, transaction, send = SqliteFile.write, SqliteFile.transaction, MqttConnection._send  # noqa: SLF001 - the seams

        def counted_write(file: SqliteFile, statement: str, *values: object) -> int:
            self.take()
            changed = write(file, statement, *values)
            self.take()
            return changed

        @contextlib.contextmanager
        def counted_transaction(file: SqliteFile) -> Iterator[None]:
            with transaction(file):
                yield
                self.take()
            self.take()

        def counted_send(connection: MqttConnection, packet: bytes) -> None:
            self.take()
            send(connection, packet)
            self.take()

        SqliteFile.write = counted_write  # type: ignore[method-assign, assignment]
        SqliteFile.transaction = counted_transaction  # type: ignore[method-assign, assignment]
        MqttConnection._send = counted_send  # type: ignore[method-assign, assignment]  # noqa: SLF001


async def live_in_words(serial: str, secret: str, folder: str, port: int) -> dict[str, Any]:
    """Live the story from wherever an earlier life was cut off; return what the watch shows at its end."""
    async with SimWatch(Path(folder), "127.0.0.1", port, serial=serial, secret=secret, timings=QUICK) as watch:
        if not watch.is_paired:
            with contextlib.suppress(AlreadyPairedError):
                await watch.pair()
        await watch.wait_online()
        for place, text in enumerate(TEXTS):
            if len(watch.sent()) <= place:
                watch.write("family", text)
        await watch.wait_until(lambda: len(watch.inbox()) == ITEMS)
        for item in watch.inbox():
            watch.read(item.ref)
        await watch.wait_until(lambda: watch.contacts_version == 3)
        await watch.wait_settled()
        return {
            "inbox": [(item.ref, item.text, item.state) for item in watch.inbox()],
            "sent": [(message.wire_id, message.state) for message in watch.sent()],
            "contacts": [contact.id for contact in watch.contacts()],
        }


async def live_in_voice(serial: str, secret: str, folder: str, port: int) -> dict[str, Any]:
    """Speak and listen as a watch that is paired, from wherever an earlier life was cut off."""
    options: dict[str, Any] = {"serial": serial, "secret": secret, "timings": PATIENT, "traits": SPEAKING}
    async with SimWatch(Path(folder), "127.0.0.1", port, **options) as watch:
        if not watch.sent():
            watch.voice.record("family", seconds=SPOKEN_S, seed=1)
        await watch.wait_until(lambda: bool(watch.inbox()))
        (item,) = watch.inbox()
        watch.voice.play(item.ref)
        await watch.wait_settled()
        (sent,) = watch.sent()
        return {"heard": (watch.voice.clip(item.ref) or b"").hex(), "sent": (sent.wire_id, sent.state)}


def pair_by_hand(serial: str, secret: str, folder: str, username: str) -> None:
    """Write into a fresh memory what pairing brings: these lives begin after it."""
    store = WatchStore(Path(folder))
    store.set_factory_identity(FactoryIdentity(serial, secret))
    if store.username() is None:
        credentials = Credentials(
            username=username, password=secret, client_id=username, prefix=f"sw/v1/{username}", host="127.0.0.1",
            port=1883,
        )  # fmt: skip
        store.store_credentials(PairedWithCredentials(child_name="Mei", credentials=credentials))
    store.close()


def run_one(request: dict[str, Any]) -> dict[str, Any]:
    """Fork a watch and wait for its end; tells how it ended, after how many steps, and what it showed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        steps = Steps(request.pop("die_at"))
        live = live_in_words
        if username := request.pop("speaks_as", None):
            live = live_in_voice
            pair_by_hand(request["serial"], request["secret"], request["folder"], username)
        steps.watch_over()
        outcome = 1
        with contextlib.suppress(TimeoutError):
            shown = asyncio.run(live(**request))
            os.write(writing, json.dumps({"steps": steps.count, **shown}).encode())
            outcome = 0
        os._exit(outcome)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        report = pipe.read()
    _, status = os.waitpid(child, 0)
    return {"exit": os.waitstatus_to_exitcode(status), **(json.loads(report) if report else {})}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(run_one(json.loads(line))), flush=True)  # noqa: T201 - its answer
