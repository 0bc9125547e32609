"""Kill each process while both sides talk: what was confirmed is delivered, once, in order."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from services.device_sim.parent.parent import SimParent
from services.device_sim.watch.watch import SimWatch
from tests.e2e.conftest import Play, installation, pair, play

__all__ = ["installation", "play"]

EACH_WAY = 12


async def _parent_talks(parent: SimParent, child_id: str) -> None:
    for number in range(EACH_WAY):
        await parent.write(child_id, f"down {number}", timeout_s=60)


async def _child_talks(watch: SimWatch) -> None:
    for number in range(EACH_WAY):
        await watch.wait_stored(watch.write("family", f"up {number}"), timeout_s=60)


def has_received(watch: SimWatch, text: str) -> bool:
    return text in [item.text for item in watch.inbox()]


@pytest.mark.parametrize("victim", ["broker", "bridge", "api", "worker", "postgres"])
async def test_nothing_confirmed_is_lost_or_doubled_when_a_process_is_killed(play: Play, victim: str) -> None:
    home = await play.home()
    child_id = str(home.child_id)
    async with play.parent(home.phone) as parent, play.watch(home) as watch:
        await pair(watch, parent, child_id)
        talking = asyncio.gather(_parent_talks(parent, child_id), _child_talks(watch))
        await watch.wait_for("received", text="down 2")
        await asyncio.to_thread(play.installation.kill, victim)
        await talking
        for number in range(EACH_WAY):
            await watch.wait_until(partial(has_received, watch, f"down {number}"), timeout_s=60)
        await asyncio.to_thread(play.installation.wait_ready)
        assert [item.text for item in watch.inbox()] == [f"down {number}" for number in range(EACH_WAY)]
        up = [one.text for one in await parent.history(child_id) if one.direction == "to_family"]
        assert up == [f"up {number}" for number in range(EACH_WAY)]
