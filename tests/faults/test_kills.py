"""Kill each process while both sides talk: what was confirmed is delivered, once, in order."""

from __future__ import annotations

import asyncio

import pytest

from tests.e2e.conftest import Play, installation, pair, play
from tests.support.checker import Conversation

__all__ = ["installation", "play"]

EACH_WAY = 12


@pytest.mark.parametrize("victim", ["broker", "bridge", "api", "worker", "postgres"])
async def test_nothing_confirmed_is_lost_or_doubled_when_a_process_is_killed(play: Play, victim: str) -> None:
    home = await play.home()
    async with play.parent(home.phone) as parent, play.watch(home) as watch:
        await pair(watch, parent, str(home.child_id))
        talk = Conversation(play, home, parent, watch)
        talking = asyncio.gather(
            talk.parent_writes([f"down {number}" for number in range(EACH_WAY)]),
            talk.child_writes([f"up {number}" for number in range(EACH_WAY)]),
        )
        await watch.wait_for("received", text="down 2")
        await asyncio.to_thread(play.installation.kill, victim)
        await talking
        await talk.check()
        await asyncio.to_thread(play.installation.wait_ready)
