"""Kill each process while both sides talk: what was confirmed is delivered, once, in order."""

from __future__ import annotations

import asyncio

import pytest

from tests.e2e.conftest import Play, installation, pair, play
from tests.support.checker import Conversation

__all__ = ["installation", "play"]

EACH_WAY = 12
# Bridge and Postgres are killed while both sides speak in test_kills_while_speaking.py, and the bridge at each step of
# an uplink in test_kill_at_each_step.py.
VICTIMS = ["broker", "api", "worker", *(pytest.param(name, marks=pytest.mark.long) for name in ("bridge", "postgres"))]


@pytest.mark.parametrize("victim", VICTIMS)
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
