"""Hellos of many watches: a constant number of statements, one commit, and each watch's own order kept."""

from __future__ import annotations

import contextlib
import json

from sqlmodel import col, select

from services.core.devices.watches.tables import WatchIdentity
from services.core.pairing.tables import Pairing
from services.core.platform.blobs.store import BlobStore
from services.core.platform.events.tables import Event
from services.protocol.topics import Uplink, UplinkKind, parse_uplink
from services.watch_link.backend import Backend
from services.watch_link.receiving import receive_batch
from services.watch_link.registry import DECLARATIONS, BatchedKind
from tests.integration.mqtt_bridge.conftest import stand
from tests.support.statements import statements
from tests.support.watch import Stand
from tests.support.world import Home, Worn

__all__ = ["stand"]


def _another(username: str) -> str:
    """Return a user name that nobody has."""
    return username[:-1] + ("b" if username.endswith("a") else "a")


async def say_hello(stand: Stand, watches: list[tuple[Home, Worn]], conn: str, **fields: object) -> int:
    """Handle one hello of each watch under one commit; return how many statements that took."""
    declared = DECLARATIONS[UplinkKind.HELLO]
    assert isinstance(declared, BatchedKind)
    hello = {"tst": 0, "conn": conn, "contacts_version": 0, "config_version": 0, **fields}
    uplinks = []
    for _, worn in watches:
        topic = parse_uplink(f"sw/v1/{worn.username}/up/hello")
        assert isinstance(topic, Uplink)
        uplinks.append((topic, json.dumps(hello).encode()))
    backend = Backend(stand.database, BlobStore.of(stand.settings), stand.settings)
    with statements() as sent:
        assert await receive_batch(backend, declared, uplinks) == [[] for _ in watches]
    return len(sent)


async def test_twenty_hellos_take_as_many_statements_as_one(stand: Stand) -> None:
    watches = [await stand.home() for _ in range(20)]
    # The first hello of each confirms its pairing.
    await say_hello(stand, watches, "n1", battery_pct=80)
    first = await say_hello(stand, watches[:1], "n2", battery_pct=79)
    all_ = await say_hello(stand, watches, "n3", battery_pct=78)
    print(f"statements of a hello: {first}; of twenty: {all_}")  # noqa: T201 - the figure of the run
    # Rows in which different columns change are updated in statements of their own.
    assert all_ <= first + 3
    assert first <= 12
    async with stand.database.begin() as work:
        names = [worn.username for _, worn in watches]
        identities = list(await work.session.exec(select(WatchIdentity).where(col(WatchIdentity.username).in_(names))))
        assert {presence.connection_nonce for presence in identities} == {"n3"}
        assert all(presence.online for presence in identities)
        confirmed = await work.session.exec(select(Pairing.confirmed_at).where(col(Pairing.username).in_(names)))
        assert all(confirmed)


async def test_a_battery_that_is_low_is_an_alert_of_its_own_family(stand: Stand) -> None:
    watches = [await stand.home() for _ in range(3)]
    await say_hello(stand, watches, "n1", battery_pct=80)
    await say_hello(stand, watches, "n2", battery_pct=5)
    async with stand.database.begin() as work:
        for home, _ in watches:
            kinds = await work.session.exec(select(Event.kind).where(Event.family_id == home.family_id))
            assert list(kinds).count("alert.raised") == 1


async def test_a_will_after_a_hello_is_of_that_hello(stand: Stand) -> None:
    # The broker holds all of it before the bridge reads: a hello that waits for others, and what follows it.
    watches = [await stand.home() for _ in range(5)]
    async with contextlib.AsyncExitStack() as connections:
        here = [await connections.enter_async_context(stand.watch(worn.username, worn.password)) for _, worn in watches]
        for number in range(3):
            for watch in here:
                await watch.say("hello", {"conn": f"n{number}", "tst": 0})
                await watch.say("status", {"state": "offline", "conn": f"n{number}"})
        async with stand.bridge():
            for watch in here:
                await watch.say("hello", {"conn": "last", "tst": 0})
                await watch.hears("time", within_s=30)
                await watch.say("status", {"state": "off"})
                await watch.say("text", {"id": "t81kd02mq001", "tst": 1, "text": "done"})
                assert await watch.hears("receipt", within_s=30)
    async with stand.database.begin() as work:
        names = [worn.username for _, worn in watches]
        identities = list(await work.session.exec(select(WatchIdentity).where(col(WatchIdentity.username).in_(names))))
    assert {presence.connection_nonce for presence in identities} == {"last"}


async def test_a_watch_whose_pairing_has_ended_is_refused_and_others_are_not(stand: Stand) -> None:
    watches = [await stand.home() for _ in range(3)]
    declared = DECLARATIONS[UplinkKind.HELLO]
    assert isinstance(declared, BatchedKind)
    backend = Backend(stand.database, BlobStore.of(stand.settings), stand.settings)
    uplinks = []
    for name in (_another(watches[0][1].username), *(worn.username for _, worn in watches)):
        topic = parse_uplink(f"sw/v1/{name}/up/hello")
        assert isinstance(topic, Uplink)
        uplinks.append((topic, b'{"tst":0,"conn":"n1"}'))
    gone, *others = await receive_batch(backend, declared, uplinks)
    assert [json.loads(reply.payload)["detail"] for reply in gone] == ["not_paired"]
    assert others == [[]] * 3


async def test_twenty_acknowledgements_take_as_many_statements_as_one(stand: Stand) -> None:
    watches = [await stand.home() for _ in range(20)]
    await say_hello(stand, watches, "n1")
    declared = DECLARATIONS[UplinkKind.ACK]
    assert isinstance(declared, BatchedKind)
    backend = Backend(stand.database, BlobStore.of(stand.settings), stand.settings)

    async def acknowledge(version: int, *worn: Worn) -> int:
        topics = [parse_uplink(f"sw/v1/{watch.username}/up/ack") for watch in worn]
        payload = json.dumps({"ref": "config", "version": version, "state": "done"}).encode()
        with statements() as sent:
            await receive_batch(
                backend, declared, [(topic, payload) for topic in topics if isinstance(topic, Uplink)]
            )  # fmt: skip
        return len(sent)

    everybody = [worn for _, worn in watches]
    first = await acknowledge(2, everybody[0])
    assert await acknowledge(3, *everybody) <= first
    assert first <= 5
    async with stand.database.begin() as work:
        for worn in everybody:
            assert (await work.session.get_one(WatchIdentity, worn.username)).config_acked_version == 3
        details = await work.session.exec(select(Event.detail).where(col(Event.kind) == "config.acknowledged"))
        assert [detail["version"] for detail in details].count(3) == 20
