"""How a watch is, as its parent reads it: births, wills and words through a real broker, and what silence means."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import httpx
import pytest_asyncio
from sqlmodel import select

from services.broker.sync import UserSync
from services.broker.users import PostgresUsers
from services.core.devices.presence.queries import presence_of_watch
from services.core.devices.watches.queries import standing_identity
from services.core.devices.watches.tables import Watch, WatchIdentity
from services.core.pairing.sweep import mark_one_silent_offline
from services.core.people.programme.tables import Site
from services.core.platform.crypto.broker_password import mosquitto_hash
from services.device_sim.watch.mqtt_packets import Will, connect_packet, publish_packet
from tests.integration.mqtt_bridge.test_day import family_with_watch
from tests.support.clock import FakeClock
from tests.support.http import Parent
from tests.support.watch import DEADLINE_S, HandWatch, Stand
from tests.support.world import Worn, arrive


@dataclass
class Seen:
    """A family with a paired watch at a broker, and a bridge."""

    stand: Stand
    clock: FakeClock
    parent: Parent
    worn: Worn
    logged_in_at: datetime

    async def shown(self) -> dict[str, Any]:
        """Return what the parent is told of the watch; the phone's token lives a quarter of an hour."""
        if self.clock.now - self.logged_in_at > timedelta(minutes=10):
            await self.parent.log_in()
            self.logged_in_at = self.clock.now
        child = await self.parent.told("GET", self.parent.child)
        return dict(child["watch"])

    async def becomes(self, word: str) -> dict[str, Any]:
        """Wait until the watch is said to be like that: what the broker does by itself has no answer to wait for."""
        async with asyncio.timeout(DEADLINE_S):
            while await self._word() != word:  # noqa: ASYNC110 - no event tells of it
                await asyncio.sleep(0.02)
        shown = await self.shown()
        assert shown["presence"] == word
        return shown

    async def _word(self) -> str:
        async with self.stand.database.begin() as work:
            identity = await standing_identity(work, self.worn.username)
            assert identity is not None
            watch = await work.session.get_one(Watch, identity.watch_id)
            site = await work.session.get_one(Site, watch.site_id)
            return presence_of_watch(identity, watch, site, work.now).word.value

    @contextlib.asynccontextmanager
    async def watch(self) -> AsyncIterator[HandWatch]:
        async with self.stand.watch(self.worn.username, self.worn.password) as watch:
            yield watch

    async def publish(self, watch: HandWatch, leaf: str, message: dict[str, Any]) -> None:
        """Have the watch say something and wait until that is taken."""
        await watch.say(leaf, message)
        await watch.say("receipt", {"ref": "nothing", "state": "delivered"})
        await watch.hears("receipt")

    async def nobody_heard_for(self, **span: float) -> None:
        """Let time pass in silence."""
        self.clock.advance(**span)
        gone = True
        while gone:
            async with self.stand.database.begin() as work:
                gone = await mark_one_silent_offline(work)

    async def plan_ends(self, day: date | None) -> None:
        """Note the last day of the SIM's plan."""
        async with self.stand.database.begin() as work:
            identity = await work.session.get_one(WatchIdentity, self.worn.username)
            watch = await work.session.get_one(Watch, identity.watch_id)
            watch.sim_expires_on = day
            work.add(watch)

    @contextlib.asynccontextmanager
    async def by_hand(self, keepalive_s: int) -> AsyncIterator[asyncio.StreamWriter]:
        """Connect byte by byte with a will, as a modem does, and say hello; nothing else is done by itself."""
        user = self.worn.username
        reader, writer = await asyncio.open_connection("127.0.0.1", self.stand.plain_port)
        will = Will(f"sw/v1/{user}/up/status", b'{"state":"offline","conn":"byhand"}')
        writer.write(connect_packet(user, user, self.worn.password, keepalive_s, will))
        assert await reader.readexactly(4) == b"\x20\x02\x00\x00"
        hello = {"tst": 0, "conn": "byhand", "contacts_version": 0, "config_version": 0, "keepalive_s": 60}
        writer.write(publish_packet(f"sw/v1/{user}/up/hello", json.dumps(hello).encode(), 1))
        try:
            yield writer
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


@pytest_asyncio.fixture(loop_scope="session")
async def seen(stand: Stand, client: httpx.AsyncClient, clock: FakeClock) -> AsyncIterator[Seen]:
    """A watch that has not said hello yet; it is eight in the morning, UTC."""
    # The next day of the module's one clock, so that no limit of the test before is left.
    clock.now = datetime.combine(clock.now.date() + timedelta(days=1), time(8), UTC)
    parent, worn = await family_with_watch(stand, client)
    await arrive(stand.database, worn.username)
    async with stand.bridge():
        yield Seen(stand, clock, parent, worn, clock.now)


async def test_nothing_is_known_before_the_first_hello_and_then_it_is_online(seen: Seen) -> None:
    assert (await seen.shown())["presence"] == "issued"
    async with seen.watch() as watch:
        await watch.hello(conn="n1", keepalive_s=600)
        began_at = seen.clock.now
        shown = await seen.shown()
        assert (shown["presence"], shown["state"]) == ("online", "online")
        assert datetime.fromisoformat(shown["presence_since_at"]) == began_at


async def test_a_sleep_is_told_with_its_end_and_over_when_it_wakes(seen: Seen) -> None:
    async with seen.watch() as watch:
        await watch.hello(conn="n1", keepalive_s=600)
        until = seen.clock.now + timedelta(hours=9)
        await watch.say("status", {"state": "asleep", "until_tst": int(until.timestamp())})
    shown = await seen.becomes("asleep")
    assert datetime.fromisoformat(shown["asleep_until_at"]) == until
    # While it sleeps its silence means nothing.
    await seen.nobody_heard_for(hours=8)
    assert (await seen.shown())["presence"] == "asleep"
    async with seen.watch() as watch:
        await watch.hello(conn="n2")
        shown = await seen.shown()
        assert (shown["presence"], shown["asleep_until_at"]) == ("online", None)


async def test_silent_since_the_last_word_and_switched_off_by_its_own(seen: Seen) -> None:
    async with seen.watch() as watch:
        await watch.hello(conn="n1", keepalive_s=600, battery_pct=80)
        await seen.publish(watch, "status", {"state": "online"})
        last_word_at = seen.clock.now
        await seen.nobody_heard_for(seconds=900)
        shown = await seen.shown()
        assert (shown["presence"], datetime.fromisoformat(shown["presence_since_at"])) == ("silent", last_word_at)
        await seen.publish(watch, "status", {"state": "online"})
        assert (await seen.shown())["presence"] == "online"
        await watch.say("status", {"state": "off"})
        # Its connection ends after that, and a will that comes late changes nothing.
        await watch.say("status", {"state": "offline", "conn": "n1"})
        await seen.becomes("switched_off")


async def test_probably_flat_by_the_last_level_and_its_trend(seen: Seen) -> None:
    async with seen.watch() as watch:
        for number, level in enumerate((60, 40, 20)):
            await watch.hello(conn=f"n{number}", battery_pct=level)
            if number < 2:
                seen.clock.advance(hours=2)
        shown = await seen.shown()
        assert (shown["battery_pct"], shown["battery_trend_pct_per_h"]) == (20, -10.0)
        assert datetime.fromisoformat(shown["battery_at"]) == seen.clock.now
        await seen.nobody_heard_for(minutes=40)
        assert (await seen.shown())["presence"] == "silent", "a tenth an hour lasts longer than that"
        await seen.nobody_heard_for(hours=1, minutes=10)
        assert (await seen.shown())["presence"] == "flat"
        await watch.hello(conn="n9", battery_pct=90)
        shown = await seen.shown()
        assert (shown["presence"], shown["battery_trend_pct_per_h"]) == ("online", None)


async def test_the_sims_plan_ends_with_the_day_of_the_site_and_not_of_the_machine(seen: Seen) -> None:
    # Until 16:00 UTC it is the same day in Shanghai.
    today = (seen.clock.now + timedelta(hours=8)).date()
    midnight = datetime(today.year, today.month, today.day, 16, tzinfo=UTC)
    await seen.plan_ends(today)
    async with seen.watch() as watch:
        await watch.hello(conn="n1", battery_pct=80)
        await seen.publish(watch, "status", {"state": "online"})
        await seen.nobody_heard_for(seconds=(midnight - seen.clock.now).total_seconds() - 1)
        assert (await seen.shown())["presence"] == "silent"
        await seen.nobody_heard_for(seconds=1)
        assert (await seen.shown())["presence"] == "sim_expired"
        await watch.hello(conn="n2")
        assert (await seen.shown())["presence"] == "online", "what it says itself comes first"


async def test_a_connection_that_breaks_is_told_by_the_brokers_will_and_not_after_a_newer_hello(seen: Seen) -> None:
    async with seen.by_hand(keepalive_s=60) as writer:
        await seen.becomes("online")
        writer.transport.abort()
        shown = await seen.becomes("offline")
        assert datetime.fromisoformat(shown["presence_since_at"]) == seen.clock.now
    async with seen.by_hand(keepalive_s=60):
        await seen.becomes("online")
        # The watch comes again from another cell before the broker has noticed: the old connection is thrown out and
        # its will is sent, which must not outlive the new hello.
        async with seen.watch() as watch:
            await watch.hello(conn="newer")
            await seen.publish(watch, "status", {"state": "online"})
            assert (await seen.shown())["presence"] == "online"


async def test_one_that_says_nothing_more_is_offline_within_one_and_a_half_keepalives(seen: Seen) -> None:
    loop = asyncio.get_running_loop()
    async with seen.by_hand(keepalive_s=2):
        began_s = loop.time()
        await seen.becomes("online")
        # Half open: no PINGREQ comes, the connection stands. The broker gives up after one and a half of two
        # seconds, at its next look. Of the least keepalive that a watch may have, a minute, one and a half are 90 s,
        # and this is far within them; but it is not before the promise was broken.
        await seen.becomes("offline")
        assert 1.9 <= loop.time() - began_s < DEADLINE_S


async def test_one_that_the_broker_throws_out_is_offline_at_once_although_no_will_is_sent(seen: Seen) -> None:
    """The database changes, the broker's own process notices, closes the connection, and says so in the database."""
    sync = UserSync(seen.stand.broker, PostgresUsers(seen.stand.database))
    following = asyncio.create_task(sync.run())
    loop = asyncio.get_running_loop()
    try:
        async with seen.watch() as watch:
            await watch.hello(conn="n1", keepalive_s=60)
            await seen.becomes("online")
            async with asyncio.timeout(DEADLINE_S):
                while await sync.in_step() is not None:  # noqa: ASYNC110 - no event tells of it
                    await asyncio.sleep(0.02)
            async with seen.stand.database.begin() as work:
                identity = await work.session.get_one(WatchIdentity, seen.worn.username)
                identity.password_hash = mosquitto_hash("another one")
                work.add(identity)
                work.notify("broker_users")
            began_s = loop.time()
            await watch.client.is_thrown_out()
            await seen.becomes("offline")
            # The shortest keepalive of the protocol is a minute, so 90 s were allowed; it takes no keepalive at all.
            assert loop.time() - began_s < 5
            async with seen.stand.database.begin() as work:
                reasons = await work.session.exec(
                    select(WatchIdentity.gone_by).where(WatchIdentity.username == seen.worn.username)
                )
                assert list(reasons) == ["kicked"]
    finally:
        while not following.done():
            following.cancel()
            await asyncio.wait({following}, timeout=1)
