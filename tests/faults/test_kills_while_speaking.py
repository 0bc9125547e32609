"""Kill each process while both sides speak: every clip that was confirmed is there, once, with its own bytes."""

from __future__ import annotations

import asyncio

import pytest

from services.device_sim.parent.parent import SimParent
from services.device_sim.sound import Clip, record_clip
from services.device_sim.speech import speech
from services.device_sim.watch.watch import SimWatch
from services.protocol.words import Codec
from tests.e2e.conftest import Play, installation, pair, play
from tests.support.sounds import duration_ms

__all__ = ["installation", "play"]

EACH_WAY = 4
# What the watch plays is given to it as it is: its bytes can be compared.
DOWN = [record_clip(speech(1.0 + number / 4, number), Codec.AMR_NB) for number in range(EACH_WAY)]
UP = [record_clip(speech(1.0 + number / 4, 100 + number), Codec.AMR_NB) for number in range(EACH_WAY)]


async def _mother_speaks(parent: SimParent, child_id: str) -> None:
    for clip in DOWN:
        await parent.voice.speak_in_parts(child_id, clip.sound, "audio/amr", timeout_s=60)


async def _child_speaks(watch: SimWatch) -> list[str]:
    refs = []
    for clip in UP:
        kept = await watch.wait_stored(watch.voice.record("family", clip), timeout_s=60)
        refs.append(kept.wire_id)
    return refs


def _heard(watch: SimWatch) -> list[bytes | None]:
    return [watch.voice.clip(item.ref) for item in watch.inbox()]


def _as_sent(clips: list[Clip]) -> list[bytes | None]:
    return [clip.sound for clip in clips]


# Which of them dies makes little difference to `make test`, which kills each while words are sent; all five are long.
VICTIMS = ["bridge", "postgres", *(pytest.param(name, marks=pytest.mark.long) for name in ("api", "broker", "worker"))]


@pytest.mark.parametrize("victim", VICTIMS)
async def test_nothing_that_was_said_is_lost_or_doubled_when_a_process_is_killed(play: Play, victim: str) -> None:
    home = await play.home()
    child_id = str(home.child_id)
    async with play.parent(home.phone) as parent, play.watch(home) as watch:
        await pair(watch, parent, child_id)
        speaking = asyncio.gather(_mother_speaks(parent, child_id), _child_speaks(watch))
        await watch.wait_for("received", item_kind="voice")
        await asyncio.to_thread(play.installation.kill, victim)
        _, refs = await speaking
        await watch.wait_until(lambda: len(watch.inbox()) == EACH_WAY, timeout_s=60)
        await asyncio.to_thread(play.installation.wait_ready)
        assert _heard(watch) == _as_sent(DOWN)
        up = [one for one in await parent.history(child_id) if one.direction == "to_family"]
        assert [one.voice.bytes for one in up if one.voice] == [len(clip.sound) for clip in UP]
        kept = await play.said_by_child(home)
        assert [kept[ref][2] for ref in refs] == _as_sent(UP)
        for one, clip in zip(up, UP, strict=True):
            heard = await parent.voice.hear(child_id, one.message_id, timeout_s=60)
            assert abs(duration_ms(heard) - clip.duration_ms) < 100
