"""A bridge that is killed or frozen is followed by the one that stands by, and a woken one changes nothing."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from services.core.conversation.messages.tables import Message
from tests.integration.mqtt_bridge.conftest import stand
from tests.support.bridge_process import BridgeProcess, bridge_process
from tests.support.watch import HandWatch, Stand
from tests.support.world import Home, Worn

__all__ = ["stand"]

# The promised bounds; the tests wait longer, and print the time measured.
DEADLINE_S = 90.0
# A watch says again what has no receipt after this time.
REPEATED_AFTER_S = 30.0


def _text(number: int) -> dict[str, object]:
    return {"id": f"t81kd02mq{number:03d}", "to": "family", "text": f"number {number}", "tst": 0}


async def _answered(watch: HandWatch, numbers: range) -> list[str]:
    """Send texts as a watch does, each again until it is answered; return the codes of the first answers."""
    codes: dict[str, str] = {}
    waiting = {str(_text(number)["id"]): _text(number) for number in numbers}
    async with asyncio.timeout(DEADLINE_S):
        for waiter in waiting.values():
            await watch.say("text", waiter)
        while waiting.keys() - codes.keys():
            answer = await watch.hears("receipt", within_s=DEADLINE_S)
            codes.setdefault(answer["ref"], answer["code"])
    return [codes[ref] for ref in waiting]


async def _answer_to(stand: Stand, worn: Worn, watch: HandWatch, number: int) -> dict[str, object]:
    """Return the receipt of a text that was said before, which is said again as by a watch that got no answer."""
    for _ in range(3):
        with contextlib.suppress(TimeoutError):
            return await watch.hears("receipt", within_s=REPEATED_AFTER_S)
        async with stand.database.begin() as work:
            activity = (
                "SELECT state, wait_event, now() - xact_start, query FROM pg_stat_activity WHERE xact_start < now()"
            )
            rows = (await work.run(text(activity))).all()
        print(f"no receipt; stored: {await _stored(stand, worn)}; in Postgres: {rows}")  # noqa: T201 - for a failure
        await watch.say("text", _text(number))
    pytest.fail("the text was never answered")


async def _stored(stand: Stand, worn: Worn) -> list[str]:
    async with stand.database.begin() as work:
        rows = await work.session.exec(
            select(Message.ref).where(col(Message.username) == worn.username).order_by(col(Message.ref))
        )
        return [str(ref) for ref in rows]


async def _until_somebody_waits_for_a_lock(stand: Stand) -> None:
    async with asyncio.timeout(DEADLINE_S):
        waiting = 0
        while not waiting:
            async with stand.database.begin() as work:
                counted = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
                waiting = (await work.run(text(counted))).scalar_one()
            await asyncio.sleep(0.02)


async def _until_followed(bridge: BridgeProcess) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not bridge.reads_uplinks:  # noqa: ASYNC110 - another process's log has no event
            await asyncio.sleep(0.05)


# test_kill_at_each_step.py proves the same at each step of an uplink; this test measures the change of reader.
@pytest.mark.long
async def test_a_killed_reader_is_followed_and_nothing_is_lost_or_doubled(stand: Stand, tmp_path: Path) -> None:
    _, worn = await stand.home()
    async with (
        bridge_process(stand, tmp_path / "first.log", reads=True) as first,
        bridge_process(stand, tmp_path / "second.log", reads=False) as second,
        stand.watch(worn.username, worn.password) as watch,
    ):
        assert await _answered(watch, range(5)) == ["stored"] * 5
        first.signal(signal.SIGKILL)
        killed_at = time.monotonic()
        assert await _answered(watch, range(5, 10)) == ["stored"] * 5
        print(f"uplinks flow {time.monotonic() - killed_at:.1f} s after the kill")  # noqa: T201 - the figure of the run
        assert second.reads_uplinks
        assert await _stored(stand, worn) == [_text(number)["id"] for number in range(10)]


@pytest.mark.parametrize("in_transaction", [False, True])
async def test_a_frozen_reader_is_followed_and_when_it_wakes_nothing_is_doubled(
    stand: Stand, tmp_path: Path, *, in_transaction: bool
) -> None:
    home, worn = await stand.home()
    async with (
        bridge_process(stand, tmp_path / "first.log", reads=True) as first,
        bridge_process(stand, tmp_path / "second.log", reads=False) as second,
        stand.watch(worn.username, worn.password) as watch,
    ):
        assert await _answered(watch, range(3)) == ["stored"] * 3
        if in_transaction:
            await _freeze_in_transaction(stand, home, first, watch)
        else:
            first.signal(signal.SIGSTOP)
            await watch.say("text", _text(3))
        frozen_at = time.monotonic()
        await _until_followed(second)
        answer = await _answer_to(stand, worn, watch, 3)
        print(f"uplinks flow {time.monotonic() - frozen_at:.1f} s after the freeze")  # noqa: T201 - the figure of the run
        assert answer["ref"] == _text(3)["id"]
        assert answer["code"] in {"stored", "duplicate"}
        # When it wakes while the other one works.
        talking = asyncio.create_task(_answered(watch, range(4, 20)))
        first.signal(signal.SIGCONT)
        assert await talking == ["stored"] * 16
        async with asyncio.timeout(DEADLINE_S):
            while '"part": "uplink"' not in first.log and "uplink_lease_lost" not in first.log:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        # Then it stands by, everything is stored once, and nothing is answered a second time.
        assert await _answered(watch, range(20, 22)) == ["stored"] * 2
        assert first.log.count("uplink_connected") == 1
        assert await _stored(stand, worn) == [_text(number)["id"] for number in range(22)]


async def _freeze_in_transaction(stand: Stand, home: Home, bridge: BridgeProcess, watch: HandWatch) -> None:
    """Freeze a bridge that has locked the watch's row and waits for the child's, which is let go afterwards."""
    async with stand.database.begin() as work:
        await work.run(text("SELECT 1 FROM child WHERE child_id = :id FOR UPDATE"), {"id": home.child_id})
        await watch.say("text", _text(3))
        await _until_somebody_waits_for_a_lock(stand)
        bridge.signal(signal.SIGSTOP)
