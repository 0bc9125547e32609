"""The bridge acknowledges after its commit, and survives the loss of everything around it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest
from sqlalchemy import text
from sqlmodel import select

from services.core.conversation.messages.tables import Message
from services.devstack.postgres import LocalPostgres
from tests.support.places import allow_places, on_wire
from tests.support.watch import Stand, eventually
from tests.support.world import LONG_AGO

TEXT = {"id": "t81kd02mq7zr", "to": "family", "text": "hi", "tst": 0}


@contextlib.asynccontextmanager
async def _database_stopped(stand: Stand, postgres: LocalPostgres) -> AsyncIterator[None]:
    """Have every connection to the database end, and none begin, for the block."""
    name = stand.settings.database_url.rsplit("/", 1)[1].partition("?")[0]
    connection = await asyncpg.connect(postgres.superuser_dsn())
    try:
        await connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        await connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        yield
    finally:
        await connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        await connection.close()


@contextlib.asynccontextmanager
async def _server_stopped(postgres: LocalPostgres) -> AsyncIterator[None]:
    """Have the whole server stopped for the block; it comes back at its own port."""
    await asyncio.to_thread(postgres.stop, for_good=False)
    try:
        yield
    finally:
        await asyncio.to_thread(postgres.start)


async def _checkins(stand: Stand, child_id: uuid.UUID) -> list[str]:
    """Return the id of every row that is kept of the child's places, each as often as it is there."""
    async with stand.database.begin() as work:
        rows = await work.run(text("SELECT ref FROM checkin WHERE child_id = :id ORDER BY ref"), {"id": child_id})
        return list(rows.scalars())


async def _count(stand: Stand, username: str) -> int:
    async with stand.database.begin() as work:
        return len((await work.session.exec(select(Message).where(Message.username == username))).all())


async def _until_somebody_waits_for_a_lock(stand: Stand) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
    async with asyncio.timeout(60):
        count = 0
        while not count:
            # A transaction of its own each time: Postgres shows one transaction one picture of the others.
            async with stand.database.begin() as work:
                count = (await work.run(text(waiting))).scalar_one()


async def test_what_was_not_committed_is_given_to_the_next_bridge_once(stand: Stand) -> None:
    home, worn = await stand.home()
    async with stand.watch(worn.username, worn.password) as watch:
        async with stand.database.begin() as work:
            # Holding the child's row keeps the bridge from committing; then that bridge dies.
            await work.run(
                text("SELECT 1 FROM child WHERE child_id = :child_id FOR UPDATE"), {"child_id": home.child_id}
            )
            async with stand.bridge():
                await watch.say("text", TEXT)
                await _until_somebody_waits_for_a_lock(stand)
        assert await _count(stand, worn.username) == 0
        async with stand.bridge():
            assert (await watch.hears("receipt"))["code"] == "stored"
        assert await _count(stand, worn.username) == 1


@pytest.mark.parametrize("bridge_dies", [True, False])
async def test_check_ins_are_acknowledged_after_their_commit_and_each_is_kept_once(
    stand: Stand, postgres: LocalPostgres, *, bridge_dies: bool
) -> None:
    """The database stops in the midst of their transaction; the bridge dies with it, or waits until it is back.

    The broker forgets what it was given a PUBACK for: what comes again had none.
    """
    home, worn = await stand.home(since=LONG_AGO)
    await allow_places(stand.database, home)
    now = stand.database.clock()
    fixes = [on_wire(now - timedelta(minutes=minutes)) for minutes in range(5)]
    refs = sorted(fix["id"] for fix in fixes)
    async with stand.watch(worn.username, worn.password) as watch, contextlib.AsyncExitStack() as bridges:
        connection = await asyncpg.connect(stand.settings.database_url)
        # A lock on the row of the watch keeps the bridge from committing.
        await connection.execute("BEGIN")
        await connection.execute("SELECT 1 FROM watch_identity WHERE username = $1 FOR UPDATE", worn.username)
        await bridges.enter_async_context(stand.bridge())
        # One alone and the rest together, in two frames of one batch.
        await watch.say("location", fixes[0])
        await watch.say("location", fixes[1:])
        await _until_somebody_waits_for_a_lock(stand)
        async with _database_stopped(stand, postgres):
            connection.terminate()
            if bridge_dies:
                await bridges.aclose()
            else:
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(watch.hears("receipt"), 0.3)
        if bridge_dies:
            assert await _checkins(stand, home.child_id) == []
            await bridges.enter_async_context(stand.bridge())
        answered: set[str] = set()
        while answered != set(refs):
            answer = await watch.hears("receipt")
            assert answer["code"] == "stored"
            answered |= {answer["ref"]} if "ref" in answer else set(answer["refs"])
        assert await _checkins(stand, home.child_id) == refs


async def test_a_second_bridge_takes_over_where_the_first_stopped(stand: Stand) -> None:
    _, worn = await stand.home()
    async with stand.watch(worn.username, worn.password) as watch:
        async with stand.bridge() as first, stand.bridge(reads=False) as second:
            assert first.uplink.connected
            assert not second.uplink.connected
        # Without a reader the broker keeps it for the fixed client id.
        for number in range(20):
            await watch.say("text", {**TEXT, "id": f"t81kd02mq{number:03d}"})
        async with stand.bridge():
            answers = [await watch.hears("receipt") for _ in range(20)]
        assert {answer["code"] for answer in answers} == {"stored"}
        assert await _count(stand, worn.username) == 20


async def test_the_standing_bridge_takes_over_by_itself(stand: Stand) -> None:
    _, worn = await stand.home()
    async with stand.watch(worn.username, worn.password) as watch, stand.bridge(reads=False) as second:
        await eventually(lambda: second.uplink.connected)
        await watch.say("text", TEXT)
        assert (await watch.hears("receipt"))["code"] == "stored"


async def test_the_loss_of_the_broker_is_waited_out(stand: Stand) -> None:
    _, worn = await stand.home()
    async with stand.bridge() as bridge:
        assert stand.broker.pid is not None
        os.kill(stand.broker.pid, signal.SIGKILL)
        await eventually(lambda: not bridge.uplink.connected)
        await eventually(lambda: bridge.uplink.connected and bridge.downlink.connected)
        async with stand.watch(worn.username, worn.password) as watch:
            await watch.say("text", TEXT)
            assert (await watch.hears("receipt"))["code"] == "stored"


async def test_the_loss_of_the_database_is_waited_out_and_nothing_is_lost(stand: Stand) -> None:
    _, worn = await stand.home()
    async with stand.bridge() as bridge, stand.watch(worn.username, worn.password) as watch:
        connection = await asyncpg.connect(stand.settings.database_url)
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename = current_user"
        )
        await connection.close()
        await watch.say("text", TEXT)
        assert (await watch.hears("receipt"))["code"] == "stored"
        await eventually(lambda: bridge.uplink.connected and bridge.downlink.connected)
        assert await _count(stand, worn.username) == 1


async def test_while_the_database_is_away_a_watch_is_answered_retry_and_keeps_what_it_has(
    stand: Stand, postgres: LocalPostgres
) -> None:
    home, worn = await stand.home(since=LONG_AGO)
    await allow_places(stand.database, home)
    fix = on_wire(stand.database.clock())
    without_id = {name: value for name, value in on_wire(stand.database.clock()).items() if name != "id"}
    # One message of each kind that has a receipt, by the ref that the receipt names.
    kept: dict[str, tuple[str, object]] = {
        "t81kd02mq7zr": ("text", TEXT),
        "a5d8k2m1w3pz": ("alert", {"id": "a5d8k2m1w3pz", "kind": "sos"}),
        "u5d8k2m1h6vb": ("usage", {"id": "u5d8k2m1h6vb"}),
        "9f2c81aa": ("receipt", {"ref": "9f2c81aa", "state": "delivered"}),
        str(fix["id"]): ("location", fix),
        "k3m9q2x7d5fa": (
            "voice/k3m9q2x7d5fa/end",
            {"to": "family", "codec": "amr-nb", "bytes": 600, "chunks": 1, "sha256": "0" * 64},
        ),
    }
    array = [on_wire(stand.database.clock() - timedelta(minutes=minutes)) for minutes in (2, 1)]
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        async with _server_stopped(postgres):
            for leaf, message in kept.values():
                await watch.say(leaf, message)
            await watch.say("location", array)
            await watch.say("location", without_id)
            await watch.say("hello", {"conn": "n1"})
            answers = [await watch.hears("receipt", within_s=60) for _ in range(len(kept) + 1)]
            assert {answer["code"] for answer in answers} == {"retry"}
            assert all(answer["retry_after_s"] >= 1 for answer in answers)
            named = {ref for answer in answers for ref in answer.get("refs", [answer.get("ref")])}
            assert named == {*kept, *(str(fix["id"]) for fix in array)}
        # The hello and the fix without an id have no receipt: they waited, and were not lost.
        await watch.hears("time", within_s=60)
        for ref, (leaf, message) in kept.items():
            await watch.say(leaf, message)
            answer = await watch.hears("receipt", within_s=60)
            assert (answer["ref"], answer["code"] in {"stored", "missing", "rejected"}) == (ref, True)
        await watch.say("location", array)
        assert (await watch.hears("receipt", within_s=60))["code"] == "stored"
        assert len(await _checkins(stand, home.child_id)) == 1 + len(array) + 1


async def test_of_many_hellos_the_newest_is_handled_and_an_answer_comes_for_it(
    stand: Stand, postgres: LocalPostgres
) -> None:
    _, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        async with _server_stopped(postgres):
            for number in range(20):
                await watch.say("hello", {"conn": f"n{number}"})
        await watch.hears("time", within_s=60)
        # Behind everything that waited: nothing of the older hellos is left.
        await watch.say("receipt", {"ref": "nothing", "state": "delivered"})
        await watch.hears("receipt", within_s=60)
        async with stand.database.begin() as work:
            hellos = (
                "SELECT count(*) FROM fact WHERE kind = 'hello'"
                " AND child_id = (SELECT child_id FROM watch_identity WHERE username = :name)"
            )
            assert (await work.run(text(hellos), {"name": worn.username})).scalar_one() <= 2
            nonce = "SELECT connection_nonce FROM watch_identity WHERE username = :name"
            assert (await work.run(text(nonce), {"name": worn.username})).scalar_one() == "n19"
