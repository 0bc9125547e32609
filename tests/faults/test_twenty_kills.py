"""Kill each part twenty times while both sides talk, and print how long everything takes to be ready again."""

from __future__ import annotations

import asyncio

import pytest

from tests.e2e.conftest import Play, installation, pair, play
from tests.support.checker import Conversation, record_figures, recovery_s

__all__ = ["installation", "play"]

KILLS = 20
# Everything moves again within a minute.
PROMISED_S = 60.0


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("victim", ["broker", "bridge", "api", "worker", "postgres"])
async def test_twenty_kills_lose_and_double_nothing(
    play: Play, victim: str, capsys: pytest.CaptureFixture[str]
) -> None:
    home = await play.home()
    async with play.parent(home.phone) as parent, play.watch(home) as watch:
        await pair(watch, parent, str(home.child_id))
        talk = Conversation(play, home, parent, watch)
        took_s = []
        for number in range(KILLS):
            talking = asyncio.gather(talk.parent_writes([f"down {number}"]), talk.child_writes([f"up {number}"]))
            took_s.append(await recovery_s(play, victim))
            await talking
        await talk.check()
        record_figures(capsys, f"{victim} killed {KILLS} times", took_s)
        assert max(took_s) < PROMISED_S
