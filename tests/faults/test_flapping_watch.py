"""A watch connects and vanishes every few seconds while both sides talk: nothing is lost, no other watch notices."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator

import pytest

from services.device_sim.parent.parent import SimParent
from services.device_sim.sound import record_clip
from services.device_sim.speech import speech
from services.device_sim.watch.watch import SimWatch
from services.protocol.words import Codec
from tests.e2e.conftest import Play, installation, pair, play
from tests.support.checker import Conversation, record_figures

__all__ = ["installation", "play"]

SHORT_S = 6.0
LONG_S = 300.0
# Losses, and messages each way, however slow the machine is.
AT_LEAST = 5
# Every eighth message is a recording. A parent may begin 60 in an hour, parts of uploads included.
RECORDING_EVERY = 8
DOWN = record_clip(speech(1.5, 11), Codec.AMR_NB)
UP = record_clip(speech(1.5, 12), Codec.AMR_NB)
# The end of a connection is in the presence within a minute.
PRESENCE_S = 60.0


async def _both_talk(talk: Conversation, chance: random.Random, until_s: float) -> None:
    """Send in both directions, one message after the other each way, until the time is over."""

    async def parent_talks() -> None:
        number = 0
        while time.monotonic() < until_s or number < AT_LEAST:
            number += 1
            await (
                talk.parent_speaks([DOWN]) if number % RECORDING_EVERY == 3 else talk.parent_writes([f"down {number}"])
            )
            await asyncio.sleep(chance.uniform(0.1, 1.0) * pace)

    async def child_talks() -> None:
        number = 0
        while time.monotonic() < until_s or number < AT_LEAST:
            number += 1
            await (talk.child_speaks([UP]) if number % RECORDING_EVERY == 3 else talk.child_writes([f"up {number}"]))
            await asyncio.sleep(chance.uniform(0.1, 1.0) * pace)

    # The limits of a parent and the inbox of the watch bound a long talk.
    pace = 0.5 if until_s - time.monotonic() <= SHORT_S else 2.0
    await asyncio.gather(parent_talks(), child_talks())


async def _flap(watch: SimWatch, chance: random.Random, until_s: float, longest_s: float) -> list[float]:
    """Vanish and connect until the time is over, now and then in the middle of a log-in; return the log-in times."""
    took_s: list[float] = []
    while time.monotonic() < until_s or len(took_s) < AT_LEAST:
        await asyncio.sleep(chance.uniform(0.2, longest_s))
        await watch.go_offline()
        await asyncio.sleep(chance.uniform(0.1, longest_s / 4))
        if chance.random() < 0.3:
            await watch.go_online()
            await asyncio.sleep(chance.uniform(0, 0.1))
            await watch.go_offline()
        began_s = time.monotonic()
        await watch.go_online()
        await watch.wait_online(timeout_s=60)
        took_s.append(time.monotonic() - began_s)
    return took_s


@contextlib.asynccontextmanager
async def _connections_lost(watch: SimWatch) -> AsyncIterator[list[str]]:
    """Collect the reasons for which a watch goes offline during the block."""
    reasons: list[str] = []

    async def collect() -> None:
        async for event in watch.follow():
            if event.kind in {"offline", "login_refused"}:
                reasons.append(str(event.fields.get("reason", event.kind)))  # noqa: PERF401 - cancelled in the middle

    collecting = asyncio.create_task(collect())
    yield reasons
    collecting.cancel()
    await asyncio.gather(collecting, return_exceptions=True)


async def _becomes(parent: SimParent, child_id: str, presence: str) -> float:
    """Wait until the parent's app shows this presence and return the seconds."""
    began_s = time.monotonic()
    async with asyncio.timeout(PRESENCE_S):
        while await _presence(parent, child_id) != presence:  # noqa: ASYNC110 - as an app without a stream asks
            await asyncio.sleep(0.1)
    return time.monotonic() - began_s


async def _presence(parent: SimParent, child_id: str) -> str:
    shown = (await parent.family.child(child_id)).watch
    assert shown is not None
    return shown.presence


@pytest.mark.timeout(LONG_S + 300)
# Both are long: on a machine that does other work at the same time the watch is not back as soon as it should be.
@pytest.mark.long
@pytest.mark.parametrize(("span_s", "longest_s"), [(SHORT_S, 1.0), (LONG_S, 4.0)])
async def test_a_watch_that_flaps_loses_and_doubles_nothing_and_disturbs_no_other(
    play: Play, span_s: float, longest_s: float, capsys: pytest.CaptureFixture[str]
) -> None:
    home, calm_home = await play.home(), await play.home()
    broker_log = play.installation.processes["broker"].log_file
    async with (
        play.parent(home.phone) as parent, play.watch(home) as watch,
        play.parent(calm_home.phone) as calm_parent, play.watch(calm_home) as calm_watch,
    ):  # fmt: skip
        await pair(watch, parent, str(home.child_id))
        await pair(calm_watch, calm_parent, str(calm_home.child_id))
        talk = Conversation(play, home, parent, watch)
        calm = Conversation(play, calm_home, calm_parent, calm_watch)
        delayed_before = broker_log.read_text().count("address_slowed")
        until_s = time.monotonic() + span_s
        async with _connections_lost(calm_watch) as lost:
            took_s, _, _ = await asyncio.gather(
                _flap(watch, random.Random(1), until_s, longest_s),
                _both_talk(talk, random.Random(2), until_s),
                _both_talk(calm, random.Random(3), until_s),
            )
            assert not lost, "the other watch keeps its one connection"
        await talk.check()
        await calm.check()
        # No late will of an earlier connection changes what is shown.
        settled_s = await _becomes(parent, talk.child_id, "online")
        await talk.parent_writes(["after"])
        await talk.child_writes(["after"])
        assert await _presence(parent, talk.child_id) == "online"
        await talk.check()
        assert broker_log.read_text().count("address_slowed") == delayed_before
        await watch.go_offline()
        gone_s = await _becomes(parent, talk.child_id, "offline")
        assert await _presence(calm_parent, calm.child_id) == "online"
        record_figures(capsys, f"a flapping watch in {span_s:.0f} s: online again after", took_s)
        record_figures(capsys, "its presence after the last connection, and after the last loss", [settled_s, gone_s])
