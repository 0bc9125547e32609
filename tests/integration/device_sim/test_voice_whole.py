"""Parent and child speak through everything that is real: API, worker, bridge and broker."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.platform.db.database import Database
from services.core.platform.erasure_ledger import ErasureLedger
from services.device_sim.parent.parent import SimParent
from services.device_sim.parent.types import state_at_child
from services.device_sim.sound import speech_wav
from services.device_sim.watch.body import WatchTraits
from services.device_sim.watch.records import FactoryIdentity
from services.device_sim.watch.store import WatchStore
from services.device_sim.watch.timings import Timings
from services.device_sim.watch.watch import SimWatch
from services.protocol.pairing import Credentials, PairedWithCredentials
from services.protocol.words import Codec
from services.worker.main import Outside, all_loops, run_loops
from services.worker.supervisor import Supervisor
from tests.integration.device_sim.api_server import Server, log_in
from tests.integration.mqtt_bridge.conftest import stand
from tests.support.sms import file_sender
from tests.support.sounds import duration_ms
from tests.support.watch import Stand
from tests.support.world import Home, Worn

# AAC begins with a frame of silence and ends with a whole one: 43 ms each at 24 kHz, and the child's frames of 20 ms.
AAC_MS = 150
__all__ = ["stand"]  # the fixture of another folder


@contextlib.asynccontextmanager
async def at_work(stand: Stand, transcoder: Transcoder) -> AsyncIterator[None]:
    """Run a bridge and a worker for the block."""
    ledger = ErasureLedger(stand.settings.erasure_ledger)
    supervisor = Supervisor(all_loops(transcoder, ledger, Outside(file_sender(stand.settings.sms_file), {})))
    running = asyncio.create_task(run_loops(supervisor, transcoder.database, ledger))
    try:
        async with stand.bridge():
            yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@contextlib.asynccontextmanager
async def logged_in(server: Server, database: Database, home: Home, folder: Path) -> AsyncIterator[SimParent]:
    """Log the parent in; before a worker runs, which sends the SMS away that holds the code."""
    async with SimParent(server.url, folder) as parent:
        await log_in(parent, database, home.phone)
        yield parent


def watch_of(folder: Path, stand: Stand, home: Home, worn: Worn, **traits: Any) -> SimWatch:
    """Return the family's watch, which remembers being paired."""
    store = WatchStore(folder)
    store.set_factory_identity(FactoryIdentity(home.serial, home.secret))
    credentials = Credentials(
        username=worn.username, password=worn.password, client_id=worn.username, prefix=f"sw/v1/{worn.username}",
        host="127.0.0.1", port=stand.plain_port,
    )  # fmt: skip
    store.store_credentials(PairedWithCredentials(child_name="Mei", credentials=credentials))
    store.close()
    return SimWatch(folder, "127.0.0.1", stand.plain_port, timings=Timings.quick(), traits=WatchTraits(**traits))


@pytest.mark.parametrize(
    ("traits", "starts"),
    [
        ({"chunk_bytes": 1024, "fetch_window": 2}, b"#!AMR\n"),
        ({"plays": (Codec.OPUS,), "records": (Codec.OPUS,), "binary": False, "max_payload_bytes": 1024}, b"OggS"),
    ],
    ids=["amr-nb", "opus in base64"],
)
async def test_a_parent_speaks_a_child_hears_and_answers_and_is_heard(
    stand: Stand, transcoder: Transcoder, server: Server, database: Database, tmp_path: Path, traits: dict[str, Any],
    starts: bytes,
) -> None:  # fmt: skip
    home, worn = await stand.home()
    child = str(home.child_id)
    async with (
        logged_in(server, database, home, tmp_path / "phone") as parent,
        at_work(stand, transcoder),
        watch_of(tmp_path / "watch", stand, home, worn, **traits) as watch,
    ):
        sent = await parent.voice.speak_in_parts(child, speech_wav(4.0, seed=1), "audio/wav")
        received = await watch.wait_for("received", item_kind="voice")
        assert abs(received["duration_ms"] - 4000) < 60
        clip = watch.voice.clip(received["ref"]) or b""
        assert clip.startswith(starts)
        assert abs(duration_ms(clip) - 4000) < 60
        watch.voice.play(received["ref"])
        played = await parent.wait_for_message(child, lambda message: state_at_child(message) == "played")
        assert played.message_id == sent.message_id

        recorded = watch.voice.record("family", seconds=2.5, seed=2)
        assert (await watch.wait_stored(recorded)).detail is None
        answer = await parent.wait_for_message(
            child,
            lambda message: (
                message.direction == "to_family" and message.voice is not None and message.voice.state == "ready"
            ),
        )
        assert [(count.unread, count.unplayed) for count in await parent.voice.unread()] == [(1, 1)]
        assert abs(duration_ms(await parent.voice.hear(child, answer.message_id)) - 2500) < AAC_MS
        await parent.mark(child, answer.message_id, "played")
        await watch.wait_for("sent_state", wire_id=recorded.wire_id, state="played")
        assert [(count.unread, count.unplayed) for count in await parent.voice.unread()] == [(0, 0)]
        await watch.wait_settled()


async def test_a_reconnect_in_the_middle_of_both_ways_loses_nothing(
    stand: Stand, transcoder: Transcoder, server: Server, database: Database, tmp_path: Path
) -> None:
    home, worn = await stand.home()
    child = str(home.child_id)
    traits = {"chunk_bytes": 512, "fetch_window": 1}
    async with (
        logged_in(server, database, home, tmp_path / "phone") as parent,
        at_work(stand, transcoder),
        watch_of(tmp_path / "watch", stand, home, worn, **traits) as watch,
    ):
        await watch.wait_online()
        await parent.voice.speak(child, speech_wav(5.0, seed=1), "audio/wav")
        recorded = watch.voice.record("family", seconds=8.0, seed=2)
        for first in (3, 7):
            await watch.wait_for("fetching", first=first)
            await watch.go_offline()
            await watch.go_online()
        received = await watch.wait_for("received", item_kind="voice")
        assert abs(duration_ms(watch.voice.clip(received["ref"]) or b"") - 5000) < 60
        assert (await watch.wait_stored(recorded)).detail is None
        await watch.wait_settled()
        (message, _) = (await parent.messages(child)).messages
        assert message.voice is not None
        assert message.direction == "to_family"
        assert abs(duration_ms(await parent.voice.hear(child, message.message_id)) - 8000) < AAC_MS
