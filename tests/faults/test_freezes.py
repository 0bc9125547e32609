"""Freeze each process while both sides talk: `up` replaces it, and what was confirmed is delivered, once, in order."""

from __future__ import annotations

import asyncio
import os
import signal
import time

import pytest

from services.devstack.readiness import OWN_FAULT_AFTER_S
from tests.e2e.conftest import Play, installation, pair, play
from tests.support.checker import Conversation, record_figures

__all__ = ["installation", "play"]

EACH_WAY = 6


@pytest.mark.long
@pytest.mark.timeout(400)
@pytest.mark.parametrize("victim", ["worker", "api", "broker", "bridge"])
async def test_nothing_confirmed_is_lost_or_doubled_when_a_process_freezes(
    play: Play, victim: str, capsys: pytest.CaptureFixture[str]
) -> None:
    home = await play.home()
    async with play.parent(home.phone) as parent, play.watch(home) as watch:
        await pair(watch, parent, str(home.child_id))
        talk = Conversation(play, home, parent, watch)
        await talk.parent_writes(["before"])
        frozen = play.installation.process_ids()[victim]
        assert frozen is not None
        began_s = time.monotonic()
        os.kill(frozen, signal.SIGSTOP)
        talking = asyncio.gather(
            talk.parent_writes([f"down {number}" for number in range(EACH_WAY)]),
            talk.child_writes([f"up {number}" for number in range(EACH_WAY)]),
        )
        async with asyncio.timeout(4 * OWN_FAULT_AFTER_S):
            while play.installation.process_ids()[victim] in {frozen, None}:  # noqa: ASYNC110 - a process has no event
                await asyncio.sleep(0.1)
        replaced_s = time.monotonic() - began_s
        await asyncio.to_thread(play.installation.wait_ready)
        record_figures(capsys, f"{victim} frozen until it is ready again", [time.monotonic() - began_s])
        await talking
        await talk.check()
        assert replaced_s >= OWN_FAULT_AFTER_S
