"""Kill each process while both sides speak: every clip that was confirmed is there, once, with its own bytes."""

from __future__ import annotations

import asyncio

import pytest

from services.device_sim.sound import record_clip
from services.device_sim.speech import speech
from services.protocol.words import Codec
from tests.e2e.conftest import Play, installation, pair, play
from tests.support.checker import Conversation

__all__ = ["installation", "play"]

EACH_WAY = 4
DOWN = [record_clip(speech(1.0 + number / 4, number), Codec.AMR_NB) for number in range(EACH_WAY)]
UP = [record_clip(speech(1.0 + number / 4, 100 + number), Codec.AMR_NB) for number in range(EACH_WAY)]

# `make test` kills the other three in test_kills.py, while words are sent; all five of both are long.
VICTIMS = ["bridge", "postgres", *(pytest.param(name, marks=pytest.mark.long) for name in ("api", "broker", "worker"))]


@pytest.mark.parametrize("victim", VICTIMS)
async def test_nothing_that_was_said_is_lost_or_doubled_when_a_process_is_killed(play: Play, victim: str) -> None:
    home = await play.home()
    async with play.parent(home.phone) as parent, play.watch(home) as watch:
        await pair(watch, parent, str(home.child_id))
        talk = Conversation(play, home, parent, watch)
        speaking = asyncio.gather(talk.parent_speaks(DOWN), talk.child_speaks(UP))
        await watch.wait_for("received", item_kind="voice")
        await asyncio.to_thread(play.installation.kill, victim)
        await speaking
        await talk.check()
        await asyncio.to_thread(play.installation.wait_ready)
