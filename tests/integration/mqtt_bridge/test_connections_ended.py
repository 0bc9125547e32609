"""The end of a watch's connection, as the broker process sees it, is in what a parent reads; and many users at once."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiomqtt
import pytest
import pytest_asyncio
from sqlalchemy import Engine, event, text
from sqlmodel import col, select

from services.broker.connections import Connections
from services.broker.presence import GRACE_S, SETTLING_S, PresenceWriter
from services.broker.sync import UserSync
from services.broker.users import PostgresUsers
from services.core.devices.watches.tables import WatchIdentity
from services.core.office.triage.site_health import watches_at
from services.core.platform.outbox.tables import OutboxRow
from tests.support.clock import FakeClock
from tests.support.watch import Stand, eventually
from tests.support.world import Worn


class Seconds:
    """The clock by which connections are followed."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Followed:
    """A paired watch, a bridge, and the broker process's view of connections."""

    def __init__(self, stand: Stand, worn: Worn, clock: FakeClock) -> None:
        self.stand = stand
        self.worn = worn
        self.clock = clock
        self.seconds = Seconds()
        self.connections = stand.broker.connections = Connections(self.seconds)
        self.connections.serve()
        self.writer = PresenceWriter(self.connections, PostgresUsers(stand.database))

    async def pass_time(self, seconds: float) -> None:
        self.seconds.now_s += seconds
        self.clock.advance(seconds=seconds)
        await self.writer.write()

    async def state(self) -> tuple[bool, str]:
        async with self.stand.database.begin() as work:
            identity = await work.session.get_one(WatchIdentity, self.worn.username)
            return identity.online, identity.gone_by

    async def is_gone_from_the_broker(self) -> None:
        await eventually(lambda: self.worn.username not in self.connections.connected_within(0))


@pytest_asyncio.fixture(loop_scope="session")
async def followed(stand: Stand, clock: FakeClock) -> AsyncIterator[Followed]:
    _, worn = await stand.home()
    async with stand.bridge():
        yield Followed(stand, worn, clock)


async def test_a_connection_that_the_watch_closes_is_in_its_presence_within_a_minute(followed: Followed) -> None:
    async with followed.stand.watch(followed.worn.username, followed.worn.password) as watch:
        await watch.hello(conn="n1", keepalive_s=1200)
        await followed.pass_time(SETTLING_S)
        assert await followed.state() == (True, "")
    await followed.is_gone_from_the_broker()
    await followed.pass_time(GRACE_S - 1)
    assert await followed.state() == (True, ""), "it may be back at once"
    await followed.pass_time(1)
    assert await followed.state() == (False, "closed")


async def test_a_watch_that_is_back_stays_online(followed: Followed) -> None:
    for number in range(2):
        async with followed.stand.watch(followed.worn.username, followed.worn.password) as watch:
            await watch.hello(conn=f"n{number}", keepalive_s=1200)
            await followed.pass_time(SETTLING_S)
        await followed.is_gone_from_the_broker()
    async with followed.stand.watch(followed.worn.username, followed.worn.password):
        await followed.pass_time(60)
        assert await followed.state() == (True, "")


async def test_a_hello_that_the_broker_process_has_not_read_of_keeps_the_watch_online(followed: Followed) -> None:
    async with followed.stand.watch(followed.worn.username, followed.worn.password) as watch:
        await followed.pass_time(SETTLING_S)
        await watch.hello(conn="n1", keepalive_s=1200)
        followed.connections.end()
        followed.seconds.now_s += SETTLING_S
        await followed.writer.write()
        assert await followed.state() == (True, "")


async def test_after_a_restart_of_mosquitto_those_that_do_not_come_back_are_offline(followed: Followed) -> None:
    async with followed.stand.watch(followed.worn.username, followed.worn.password) as watch:
        await watch.hello(conn="n1", keepalive_s=1200)
    await followed.is_gone_from_the_broker()
    followed.connections.end()
    followed.connections.serve()
    await followed.pass_time(SETTLING_S - 1)
    assert await followed.state() == (True, "")
    await followed.pass_time(1)
    assert await followed.state() == (False, "closed")


async def test_a_watch_that_announced_its_sleep_sleeps_without_a_connection(followed: Followed) -> None:
    until = followed.clock.now + timedelta(hours=9)
    async with followed.stand.watch(followed.worn.username, followed.worn.password) as watch:
        await watch.hello(conn="n1", keepalive_s=1200)
        await watch.say("status", {"state": "asleep", "until_tst": int(until.timestamp())})
        await watch.say("receipt", {"ref": "nothing", "state": "delivered"})
        await watch.hears("receipt")
    await followed.is_gone_from_the_broker()
    await followed.pass_time(3600)
    assert (await followed.state())[0]
    # It did not wake.
    await followed.pass_time(9 * 3600)
    assert await followed.state() == (False, "closed")


@pytest.mark.parametrize("flags", [{"retain": True, "qos": 1}, {"qos": 2}], ids=["retained", "QoS 2"])
async def test_a_publish_that_the_broker_refuses_is_counted_where_staff_see_faulty_devices(
    followed: Followed, flags: dict[str, Any]
) -> None:
    home, worn = await followed.stand.home()
    for username, password in ((worn.username, worn.password), (f"f-{home.serial}", home.secret)):
        client = aiomqtt.Client(
            "127.0.0.1", followed.stand.plain_port, username=username, password=password, identifier=username
        )
        with contextlib.suppress(aiomqtt.MqttError):
            async with client:
                await client.publish(f"sw/v1/{username}/up/text", b"{}", timeout=2, **flags)
        await eventually(lambda: bool(followed.connections.refused_packets))
        for _ in range(2):  # a repeat counts nothing again
            await followed.writer.write()
    async with followed.stand.database.begin() as work:
        page = await watches_at(work, home.site_id, after=None, limit=10)
        assert [health.refused_packets for health, _ in page.rows] == [2]


# Two thousand children, watches and pairings like the one there is.
_COPIES = """
WITH children AS (
  INSERT INTO child
  SELECT (json_populate_record(child, json_build_object('child_id', gen_random_uuid()))).*
  FROM child, generate_series(1, 2000) WHERE child.child_id = :child
  RETURNING child_id
), watches AS (
  INSERT INTO watch
  SELECT (json_populate_record(watch, json_build_object(
    'watch_id', gen_random_uuid(), 'serial', 'M' || lpad(number::text, 9, '0')))).*
  FROM watch, generate_series(1, 2000) AS number WHERE watch.watch_id = :watch
  RETURNING watch_id, serial
), pairs AS (
  SELECT child_id, watch_id, serial
  FROM (SELECT child_id, row_number() OVER () AS number FROM children) AS first
  JOIN (SELECT watch_id, serial, row_number() OVER () AS number FROM watches) AS second USING (number)
)
INSERT INTO watch_identity
SELECT (json_populate_record(watch_identity, json_build_object(
  'username', 'w-' || translate(lower(serial), '0189', 'abcd') || 'qq', 'watch_id', pairs.watch_id,
  'child_id', pairs.child_id, 'installed_at', NULL))).*
FROM watch_identity, pairs WHERE watch_identity.username = :username
"""


async def test_two_thousand_identities_that_become_valid_at_once_get_in_step(stand: Stand) -> None:
    _, worn = await stand.home()
    async with stand.database.begin() as work:
        model = await work.session.get_one(WatchIdentity, worn.username)
        named = {"child": model.child_id, "watch": model.watch_id, "username": worn.username}
        await work.run(text(_COPIES), named)
    sync = UserSync(stand.broker, PostgresUsers(stand.database))
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        await sync.sync_once()
        first = len(statements)
        assert await sync.in_step() is None
        await sync.sync_once()
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert first < 30, "a few statements, whatever the number of identities"
    assert len([statement for statement in statements[first:] if "watch" in statement]) == 1, (
        "only the version was read"
    )
    async with stand.database.begin() as work:
        waiting = select(WatchIdentity.username).where(col(WatchIdentity.installed_at).is_(None))
        assert list(await work.session.exec(waiting)) == []
        targets = await work.session.exec(select(OutboxRow.target).where(OutboxRow.kind == "factory"))
        assert len(set(targets)) >= 2000
