"""Whether a watch is there follows from what it says and from its silence, never from a connection that is gone."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from sqlmodel import col, select

from services.core.conversation.messages.actions import send_to_child
from services.core.conversation.messages.rules import text_body
from services.core.devices.presence.actions import record_disconnected
from services.core.devices.presence.queries import last_seen_at
from services.core.devices.watches.queries import standing_identity
from services.core.devices.watches.tables import WatchIdentity
from services.core.pairing.sweep import mark_one_silent_offline
from services.core.platform.events.tables import Event
from services.core.platform.outbox.tables import OutboxRow
from tests.integration.broker.waiting import becomes_true
from tests.support.clock import FakeClock
from tests.support.watch import DEADLINE_S, HandWatch, Stand
from tests.support.world import Home, Worn


async def _sweep(stand: Stand) -> None:
    gone = True
    while gone:
        async with stand.database.begin() as work:
            gone = await mark_one_silent_offline(work)


async def _identity(stand: Stand, worn: Worn) -> WatchIdentity:
    async with stand.database.begin() as work:
        identity = await standing_identity(work, worn.username)
        assert identity is not None
        return identity


async def _told(stand: Stand, home: Home) -> list[str]:
    async with stand.database.begin() as work:
        events = await work.session.exec(
            select(Event)
            .where(Event.family_id == home.family_id, Event.kind == "watch.presence")
            .order_by(col(Event.seq))
        )
        return [str(event.detail["state"]) for event in events]


async def _after(watch: HandWatch) -> None:
    await watch.say("receipt", {"ref": "nothing", "state": "delivered"})
    await watch.hears("receipt")


async def _greeted(stand: Stand, watch: HandWatch, **fields: object) -> None:
    """Say hello, and return once the row that a sweep would pass over is locked by nobody."""
    await watch.hello(**fields)
    await _after(watch)

    async def is_answered() -> bool:
        async with stand.database.begin() as work:
            return not (await work.session.exec(select(OutboxRow).where(OutboxRow.kind == "watch"))).all()

    await becomes_true(is_answered)


async def test_it_counts_as_gone_after_one_and_a_half_of_the_keepalive_it_promised(
    stand: Stand, clock: FakeClock
) -> None:
    home, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await _greeted(stand, watch, keepalive_s=600)
        clock.advance(seconds=899)
        await _sweep(stand)
        assert (await _identity(stand, worn)).online
        clock.advance(seconds=1)
        await _sweep(stand)
        identity = await _identity(stand, worn)
        assert (identity.online, identity.gone_by) == (False, "silence")
        assert await _told(stand, home) == ["online", "offline"]


async def test_without_a_promise_it_is_half_an_hour_and_any_word_counts(stand: Stand, clock: FakeClock) -> None:
    _, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await _greeted(stand, watch)
        clock.advance(seconds=1799)
        await _after(watch)
        clock.advance(seconds=1799)
        await _sweep(stand)
        assert (await _identity(stand, worn)).online
        clock.advance(seconds=1)
        await _sweep(stand)
        assert not (await _identity(stand, worn)).online


async def test_one_that_was_only_silent_still_hears_and_is_there_again_with_its_next_word(
    stand: Stand, clock: FakeClock
) -> None:
    home, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await _greeted(stand, watch)
        clock.advance(seconds=1800)
        await _sweep(stand)
        async with stand.database.begin() as work:
            await send_to_child(work, home.child_id, home.guardian_id, str(uuid.uuid4()), text_body("are you there"))
        item = await watch.hears("item")
        await watch.say("receipt", {"ref": item["topic"].split("/")[1], "state": "delivered"})
        await watch.hears("receipt")
        assert (await _identity(stand, worn)).online
        # The look that follows tells the guardians.
        async with asyncio.timeout(DEADLINE_S):
            while await _told(stand, home) != ["online", "offline", "online"]:  # noqa: ASYNC110 - no event tells of it
                await asyncio.sleep(0.02)


async def test_switched_off_by_hand_is_not_the_same_as_lost_from_sight(stand: Stand) -> None:
    home, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello()
        await watch.say("status", {"state": "off"})
        await watch.say("status", {"state": "offline", "conn": "n1"})
        await watch.say("hello", {"conn": "n2"})
        await watch.hears("time")
        assert await _told(stand, home) == ["online", "offline", "online"]


async def test_the_will_of_an_older_connection_is_ignored(stand: Stand) -> None:
    home, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello(conn="old")
        await watch.hello(conn="new")
        await watch.say("status", {"state": "offline", "conn": "old"})
        await _after(watch)
        assert (await _identity(stand, worn)).online
        await watch.say("status", {"state": "offline", "conn": "new"})
        await watch.say("hello", {"conn": "third"})
        await watch.hears("time")
        assert await _told(stand, home) == ["online", "offline", "online"]


async def test_one_whose_connection_the_broker_closed_is_offline_at_once(stand: Stand) -> None:
    home, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello()
        for _ in range(2):
            async with stand.database.begin() as work:
                await record_disconnected(work, [worn.username, "w-nobodynobody"])
        identity = await _identity(stand, worn)
        assert (identity.online, identity.gone_by) == (False, "kicked")
        assert await _told(stand, home) == ["online", "offline"]


# One message of each kind that a watch sends on its own, hello and status aside: they state presence themselves.
SIGNS_OF_LIFE: dict[str, object] = {
    "text": {"id": "t81kd02mq7zr", "to": "family", "text": "hi"},
    "voice/k3m9q2x7d5fa/0": b"x" * 600,
    "voice/k3m9q2x7d5fb/end": {"to": "family", "codec": "amr-nb", "bytes": 600, "chunks": 1, "sha256": "0" * 64},
    "fetch": {"ref": "nothing", "from": 0},
    "receipt": {"ref": "nothing", "state": "delivered"},
    "location": {"_type": "location", "lat": 1.0, "lon": 1.0, "id": "l7f3k2m1x9qd"},
    "ack": {"ref": "nothing", "state": "done"},
    "alert": {"id": "a5d8k2m1w3pz", "kind": "fall"},
    "usage": {"id": "u5d8k2m1h6vb"},
}


@pytest.mark.parametrize("leaf", SIGNS_OF_LIFE)
async def test_every_kind_of_message_ends_a_silence_and_the_guardians_are_notified(
    stand: Stand, clock: FakeClock, leaf: str
) -> None:
    home, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await _greeted(stand, watch)
        clock.advance(seconds=1800)
        await _sweep(stand)
        now = clock.advance(seconds=1)
        await watch.say(leaf, SIGNS_OF_LIFE[leaf])
        async with asyncio.timeout(DEADLINE_S):
            while await _told(stand, home) != ["online", "offline", "online"]:  # noqa: ASYNC110 - no event tells of it
                await asyncio.sleep(0.02)
        identity = await _identity(stand, worn)
        assert (identity.online, last_seen_at(identity)) == (True, now)
