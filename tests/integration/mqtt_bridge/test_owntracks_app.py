"""The OwnTracks app as a test watch: it connects as docs/owntracks.md says and speaks on the topics it speaks on."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from services.device_sim.watch.mqtt_packets import DISCONNECT, PINGREQ, Will, connect_packet, publish_packet
from tests.integration.mqtt_bridge.test_day import family_with_watch
from tests.support.clock import FakeClock
from tests.support.http import Parent
from tests.support.places import may_look
from tests.support.watch import DEADLINE_S, Stand

PAGE = Path(__file__).parents[3] / "docs" / "owntracks.md"
# The app's own defaults, which the page changes.
CLEAN_SESSION_AND_QOS_1 = {"cleanSession": True, "pubQos": 1, "mqttProtocolLevel": 4, "mode": 0}


def settings_of_page(username: str, password: str) -> dict[str, Any]:
    """Return the configuration that the page shows, with the credentials of a watch in it."""
    (block,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    document: dict[str, Any] = json.loads(block.replace("w-...", username))
    return {**document, "password": password}


class App:
    """The app on a phone, byte by byte: it publishes, waits for PUBACK, and has a will on its base topic."""

    def __init__(self, settings: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._base = settings["pubTopicBase"]
        self._retains = bool(settings["pubRetain"])
        self._reader, self._writer = reader, writer
        self._packet_id = 0

    async def says(self, payload: dict[str, Any], below: str = "", *, retain: bool | None = None) -> None:
        """Publish with QoS 1 and wait for the broker's PUBACK; ConnectionError when it closes the connection."""
        self._packet_id += 1
        retains = self._retains if retain is None else retain
        frame = publish_packet(f"{self._base}{below}", json.dumps(payload).encode(), self._packet_id, retain=retains)
        self._writer.write(frame)
        try:
            async with asyncio.timeout(DEADLINE_S):
                answer = await self._reader.readexactly(4)
        except asyncio.IncompleteReadError:
            raise ConnectionError from None
        assert answer == b"\x40\x02" + self._packet_id.to_bytes(2, "big")

    async def pings(self) -> None:
        self._writer.write(PINGREQ)
        assert await self._reader.readexactly(2) == b"\xd0\x00"

    def breaks_off(self) -> None:
        """Be gone without a goodbye: the broker sends the will."""
        self._writer.transport.abort()

    async def ends(self) -> None:
        self._writer.write(DISCONNECT)
        await self._writer.drain()


@contextlib.asynccontextmanager
async def app_at(stand: Stand, settings: dict[str, Any], since_tst: int) -> AsyncIterator[App]:
    """Connect as the app does with these settings; of TLS the broker's own tests know."""
    assert {name: settings[name] for name in CLEAN_SESSION_AND_QOS_1} == CLEAN_SESSION_AND_QOS_1
    assert settings["clientId"] == settings["username"]
    assert 60 <= settings["keepalive"] <= 1200
    assert settings["willRetain"] is False
    # The app's will: on the base topic unless another one is set, with the time at which it connected.
    topic = settings.get("willTopic", settings["pubTopicBase"])
    will = Will(topic, json.dumps({"_type": "lwt", "tst": since_tst}).encode())
    reader, writer = await asyncio.open_connection("127.0.0.1", stand.plain_port)
    writer.write(
        connect_packet(settings["clientId"], settings["username"], settings["password"], settings["keepalive"], will)
    )
    assert await reader.readexactly(4) == b"\x20\x02\x00\x00"
    try:
        yield App(settings, reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def fixes_of_day(parent: Parent, day: datetime) -> list[dict[str, Any]]:
    """Return the fixes of a day as the parent reads them."""
    page = await parent.told(
        "GET", f"{parent.child}/checkins/day/fixes", params={"day": f"{day:%Y-%m-%d}", "limit": 100}
    )  # fmt: skip
    return list(page["checkins"])


async def until_fixes(parent: Parent, day: datetime, count: int) -> list[dict[str, Any]]:
    """Wait until so many fixes of a day are read: the app gets no receipt to wait for."""
    async with asyncio.timeout(DEADLINE_S):
        while len(fixes := await fixes_of_day(parent, day)) < count:  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0.1)
    return fixes


def fix(tst: int, **elements: Any) -> dict[str, Any]:
    """Return a location as an Android phone writes it with extended data."""
    return {
        "_type": "location", "_id": "a1b2c3d4", "lat": 23.0200, "lon": 113.7500, "acc": 12, "alt": 31, "vac": 3,
        "vel": 0, "batt": 80, "bs": 1, "conn": "m", "m": 1, "t": "u", "tid": "me", "tst": tst, "created_at": tst + 1,
        "BSSID": "02:00:5e:10:00:01", "SSID": "a network", "inregions": ["Home"], "inrids": ["5f1d1b"], **elements,
    }  # fmt: skip


async def test_a_phone_with_the_settings_of_the_page_is_a_test_watch(
    stand: Stand, client: httpx.AsyncClient, clock: FakeClock
) -> None:
    parent, worn = await family_with_watch(stand, client)
    await may_look(parent)
    clock.advance(minutes=10)
    now = int(clock.now.timestamp())
    settings = settings_of_page(worn.username, worn.password)
    async with stand.bridge():
        async with app_at(stand, settings, now - 300) as app:
            # In the order of a walk to school: opened, pinged, region left and entered, beacon, steps, dumps, cards.
            await app.says({"_type": "status", "android": {"wifi": 1, "ps": 0, "bo": 0, "hib": 0, "loc": 2}}, "/status")
            await app.says(fix(now - 240))
            await app.says({"_type": "waypoint", "desc": "Home", "lat": 23.02, "lon": 113.75, "rad": 150,
                            "tst": now - 9000, "rid": "5f1d1b"}, "/waypoint")  # fmt: skip
            await app.says({"_type": "waypoints", "_creator": "app", "waypoints": [
                {"_type": "waypoint", "desc": "Home", "lat": 23.02, "lon": 113.75, "rad": 150, "tst": now - 9000}
            ]}, "/waypoints")  # fmt: skip
            await app.pings()
            await app.says(fix(now - 180, t="p", lat=23.0210, inregions=[]))
            await app.says({"_type": "transition", "wtst": now - 9000, "lat": 23.021, "lon": 113.75, "tst": now - 170,
                            "acc": 13.0, "tid": "me", "event": "leave", "desc": "Home", "t": "c", "rid": "5f1d1b"},
                           "/event")  # fmt: skip
            await app.says(fix(now - 170, t="c", rad=150, lat=23.0212))
            # The same instant again, as the app does when it was not sure: once is enough.
            await app.says(fix(now - 170, t="c", rad=150, lat=23.0212))
            await app.says({"_type": "beacon", "desc": "bag", "uuid": "0" * 8, "major": 1, "minor": 2, "tst": now,
                            "acc": 2, "rssi": -70, "prox": 1}, "/beacon")  # fmt: skip
            await app.says({"_type": "steps", "tst": now, "steps": 1234, "from": now - 3600, "to": now}, "/step")
            await app.says({"_type": "configuration", "mode": 0, "password": "planted-secret"}, "/dump")
            await app.says({"_type": "cmd", "action": "reportLocation"}, "/cmd")
            await app.says({"_type": "card", "name": "Me", "face": "aGVsbG8=", "tid": "me"}, "/info")
            # As it would be posted in HTTP mode, handed on by a relay.
            await app.says(fix(now - 120, topic="owntracks/me/phone", lat=23.0214))
            assert len(await until_fixes(parent, clock.now, 4)) == 4
            app.breaks_off()
        # Its will has come in meanwhile, or comes now; the phone is there again, and said farewell in the end.
        async with app_at(stand, settings, now) as app:
            await app.says(fix(now - 60, lat=23.0216, acc=9))
            fixes = await until_fixes(parent, clock.now, 5)
            await app.ends()
    assert sorted(int(datetime.fromisoformat(checkin["happened_at"]).timestamp()) for checkin in fixes) == [
        now - back for back in (240, 180, 170, 120, 60)
    ]
    assert {checkin["quality"] for checkin in fixes} == {"good"}
    latest = (await parent.told("GET", f"{parent.child}/checkins/latest"))["seen"]
    assert (latest["place"]["lat"], latest["accuracy_m"]) == (23.0216, 9)
    # The app's regions decide nothing: no zone was drawn, so nothing was entered or left.
    assert (await parent.told("GET", f"{parent.child}/zones"))["zones"] == []
    assert (await parent.told("GET", f"{parent.child}/alerts"))["alerts"] == []
    # A battery was told along.
    child = await parent.told("GET", parent.child)
    assert child["watch"]["battery_pct"] == 80


async def test_with_the_apps_default_of_retaining_it_is_cut_off_as_the_page_says(
    stand: Stand, client: httpx.AsyncClient
) -> None:
    parent, worn = await family_with_watch(stand, client)
    await may_look(parent)
    now = int(stand.database.clock().timestamp())
    async with stand.bridge(), app_at(stand, settings_of_page(worn.username, worn.password), now) as app:
        try:
            await app.says(fix(now), retain=True)
        except ConnectionError:
            cut_off = True
        else:
            cut_off = False
        assert cut_off
    assert await fixes_of_day(parent, stand.database.clock()) == []
