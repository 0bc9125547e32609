"""Everything is killed while a recording is exactly half way: it goes on where it was, and nothing is sent again."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from sqlalchemy import func
from sqlmodel import col, select

from services.api.family.routes.uploads import PART_MAX_BYTES
from services.core.conversation.audio_assets.tables import AudioChunk
from services.device_sim.parent.types import ServerAwayError
from services.device_sim.sound import record_clip
from services.device_sim.speech import speech
from services.device_sim.watch.timings import Timings
from services.device_sim.watch.watch import SimWatch
from services.protocol.words import Codec
from tests.e2e.conftest import Play, installation, pair, play
from tests.support.checker import Confirmed, Conversation
from tests.support.networks import Cable

__all__ = ["installation", "play"]

PARTS = ("broker", "bridge", "api", "worker", "postgres")


async def _kill_everything(play: Play) -> None:
    for part in PARTS:
        await asyncio.to_thread(play.installation.kill, part)
    await asyncio.to_thread(play.installation.wait_ready)


@pytest.mark.long
async def test_what_the_child_says_goes_on_half_way_after_all_was_killed(play: Play) -> None:
    home = await play.home()
    minute = record_clip(speech(60.0, 3), Codec.AMR_NB)
    async with play.parent(home.phone) as parent, Cable(play.installation.ports["mosquitto_plain_port"]) as cable:
        # Plain on loopback: over TLS a watch goes where the pairing told it to.
        watch = SimWatch(
            play.folder / home.serial, "127.0.0.1", cable.port, None,
            serial=home.serial, secret=home.secret, timings=Timings.quick(),
        )  # fmt: skip
        async with watch:
            await pair(watch, parent, str(home.child_id))
            cable.cut_after(len(minute.sound) // 2)
            kept = watch.voice.record("family", minute)
            await cable.is_cut.wait()
            await _kill_everything(play)
            # The broker had taken some for the bridge when they died: they are not lost with them.
            before = await _chunks_of(play, kept.wire_id)
            assert 0 < before < -(-len(minute.sound) // 4096)
            cable.mend()
            event = await watch.wait_for("chunks_missing", timeout_s=60)
            kept = await watch.wait_stored(kept, timeout_s=60)
            assert event["missing"] <= -(-len(minute.sound) // 4096) - before, "only what is missing is sent again"
            talk = Conversation(play, home, parent, watch, up=[Confirmed(kept.wire_id, minute.sound)])
            await talk.check()


class _StopsAfterParts(httpx.AsyncHTTPTransport):
    """Carries so many parts of an upload, then nothing; notes where each part began."""

    def __init__(self, parts: int | None) -> None:
        super().__init__()
        self._parts = parts
        self.offsets: list[int] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "PATCH":
            if self._parts is not None and len(self.offsets) >= self._parts:
                raise httpx.ConnectError("away")
            self.offsets.append(int(request.headers["upload-offset"]))
        return await super().handle_async_request(request)


@pytest.mark.long
async def test_what_the_mother_says_goes_on_half_way_after_all_was_killed(play: Play) -> None:
    home = await play.home()
    # The watch is given AMR-NB as it is, so that the bytes of both ends can be compared.
    child_id, minute = str(home.child_id), record_clip(speech(60.0, 4), Codec.AMR_NB)
    async with play.parent(home.phone) as parent, play.watch(home) as watch:
        await pair(watch, parent, child_id)
    first, second = _StopsAfterParts(1), _StopsAfterParts(None)
    async with play.parent(home.phone, first) as parent:
        with pytest.raises(ServerAwayError):
            await parent.voice.speak_in_parts(child_id, minute.sound, "audio/amr", timeout_s=1)
    assert first.offsets == [0]
    await _kill_everything(play)
    async with play.parent(home.phone, second) as parent, play.watch(home) as watch:
        (sent,) = await parent.send_waiting(timeout_s=60)
        assert second.offsets == [PART_MAX_BYTES], "what had arrived is not sent again"
        talk = Conversation(play, home, parent, watch, down=[Confirmed(str(sent.message_id), minute.sound)])
        await talk.check()


async def _chunks_of(play: Play, ref: str) -> int:
    async with play.database.begin() as work:
        counted = select(func.count()).where(col(AudioChunk.ref) == ref)
        return (await work.session.exec(counted)).one()
