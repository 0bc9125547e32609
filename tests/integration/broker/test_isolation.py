"""No watch hears, speaks for, or becomes another. Proven by what arrives: SUBACK and PUBACK prove nothing."""

from __future__ import annotations

import asyncio
import contextlib

import aiomqtt
import pytest

from tests.integration.broker.conftest import ANA, BEN, FACTORY, Broker
from tests.support.mqtt_client import connected, refused

_LET_IN = b"\x20\x02\x00\x00"


@pytest.mark.parametrize("spy", [ANA, FACTORY])
@pytest.mark.parametrize(
    "wish",
    [
        "#",
        "+/#",
        "$SYS/#",
        "$CONTROL/#",
        "$CONTROL/dynamic-security/v1/response",
        "$share/x/#",
        "sw/v1/+/down/#",
        f"sw/v1/{BEN}/down/#",
        f"sw/v1/{BEN}/up/#",
        f"$share/x/sw/v1/{BEN}/#",
        "sw/v1/%u/down/#",
        "sw/v1/sw-probe/#",
    ],
)
async def test_a_watch_hears_nothing_of_others_whatever_it_subscribes_to(broker: Broker, spy: str, wish: str) -> None:
    async with broker.watch(spy) as watch, broker.watch(BEN) as ben, broker.backend() as backend:
        await watch.subscribe(wish, f"sw/v1/{spy}/down/#")
        await ben.subscribe(f"sw/v1/{BEN}/down/#")
        await backend.subscribe("sw/v1/+/up/#")

        await backend.publish(f"sw/v1/{BEN}/down/item/a01b77c3", "for Ben")
        await ben.publish(f"sw/v1/{BEN}/up/text", "from Ben")
        await backend.publish(f"sw/v1/{spy}/down/time", "last")

        assert await ben.hears() == (f"sw/v1/{BEN}/down/item/a01b77c3", "for Ben")
        assert await backend.hears() == (f"sw/v1/{BEN}/up/text", "from Ben")
        last = (f"sw/v1/{spy}/down/time", "last")
        assert {message for message in await watch.heard_before(last) if message != last} == set()


@pytest.mark.parametrize(
    "topic",
    [
        f"sw/v1/{BEN}/up/text",
        f"sw/v1/{BEN}/down/command",
        f"sw/v1/{ANA}/down/config",
        f"sw/v1/{ANA}",
        f"sw/v2/{ANA}/up/text",
        f"sw/v1/{ANA}/upwards/text",
        f"/sw/v1/{ANA}/up/text",
        "sw/v1/%u/up/text",
        "$SYS/broker/text",
        "text",
    ],
)
async def test_what_a_watch_publishes_elsewhere_reaches_nobody(broker: Broker, topic: str) -> None:
    async with broker.watch() as ana, broker.watch(BEN) as ben, broker.backend() as backend:
        await backend.subscribe("sw/v1/+/up/#")
        await ben.subscribe(f"sw/v1/{BEN}/down/#")
        await ana.subscribe(f"sw/v1/{ANA}/down/#")

        # 2.0.11 with queues without a limit by number disconnects whoever tries; others acknowledge and forget.
        with contextlib.suppress(aiomqtt.MqttError):
            await ana.publish(topic, "forged")
        async with broker.watch() as again:
            await again.publish(f"sw/v1/{ANA}/up/text", "last")
        assert await backend.hears() == (f"sw/v1/{ANA}/up/text", "last")
        await backend.publish(f"sw/v1/{BEN}/down/time", "last")
        assert await ben.hears() == (f"sw/v1/{BEN}/down/time", "last")


async def test_the_will_of_a_watch_reaches_nobody_under_the_name_of_another(broker: Broker) -> None:
    forged = aiomqtt.Will(f"sw/v1/{BEN}/up/status", b"offline", qos=1)
    async with broker.backend() as backend, broker.watch(BEN) as ben:
        await backend.subscribe("sw/v1/+/up/#")
        answer, writer = await _raw_connect(broker.plain_port, ANA, forged)
        assert answer == _LET_IN
        writer.transport.abort()
        own = aiomqtt.Will(f"sw/v1/{FACTORY}/up/status", b"offline", qos=1)
        answer, writer = await _raw_connect(broker.plain_port, FACTORY, own)
        assert answer == _LET_IN
        writer.transport.abort()
        assert await backend.hears() == (f"sw/v1/{FACTORY}/up/status", "offline")
        assert ben.connected


async def test_a_retained_publish_disconnects(broker: Broker) -> None:
    async with broker.watch() as ana, broker.backend() as backend:
        await backend.subscribe("sw/v1/+/up/#")
        with pytest.raises(aiomqtt.MqttError):
            await ana.publish(f"sw/v1/{ANA}/up/status", "kept", retain=True)
        await ana.is_thrown_out()
        async with broker.watch() as again:
            await again.publish(f"sw/v1/{ANA}/up/status", "last")
        assert await backend.hears() == (f"sw/v1/{ANA}/up/status", "last")


async def test_a_retained_will_is_refused(broker: Broker) -> None:
    will = aiomqtt.Will(f"sw/v1/{ANA}/up/status", b"offline", qos=1, retain=True)
    answer, writer = await _raw_connect(broker.plain_port, ANA, will)
    writer.close()
    assert answer != _LET_IN
    answer, writer = await _raw_connect(broker.plain_port, ANA, aiomqtt.Will(will.topic, will.payload, qos=1))
    writer.close()
    assert answer == _LET_IN


@pytest.mark.parametrize(
    ("username", "password"),
    [
        (None, None),
        (None, "w-aaaaaaaaaaaa"),
        (ANA, None),
        (ANA, ""),
        (ANA, "wrong"),
        ("w-unknownunknown", "x"),
        ("", ""),
    ],
)
async def test_nobody_enters_without_name_and_password(
    broker: Broker, username: str | None, password: str | None
) -> None:
    for port in (broker.plain_port, broker.backend_port):
        assert await refused(port, username, password, client_id="w-someone")
    assert not await refused(broker.plain_port, ANA, ANA)


async def test_a_watch_that_uses_the_client_id_of_another_gets_neither_its_place_nor_its_messages(
    broker: Broker,
) -> None:
    down = f"sw/v1/{BEN}/down/item/a01b77c3"
    async with broker.backend() as backend:
        async with broker.watch(BEN, clean_session=False) as ben:
            await ben.subscribe(f"sw/v1/{BEN}/down/#")
            async with broker.watch(ANA, client_id=BEN) as thief:
                await backend.publish(down, "while both are there")
                assert await ben.hears() == (down, "while both are there")
                assert thief.connected
        await backend.publish(down, "while Ben is away")
        async with broker.watch(ANA, client_id=BEN, clean_session=False) as thief:
            await thief.subscribe(f"sw/v1/{ANA}/down/#")
            await backend.publish(f"sw/v1/{ANA}/down/time", "last")
            assert await thief.heard_before((f"sw/v1/{ANA}/down/time", "last")) == []
        async with broker.watch(BEN, clean_session=False) as ben:
            assert await ben.hears() == (down, "while Ben is away")


@pytest.mark.parametrize("clean_session", [True, False])
async def test_by_the_backends_door_a_watch_gets_nothing_of_the_bridge_under_whatever_client_id(
    broker: Broker, *, clean_session: bool
) -> None:
    async with broker.backend("sw-uplink", clean_session=False) as uplink:
        await uplink.subscribe("sw/v1/+/up/#")
    async with broker.watch(BEN) as ben:
        await ben.publish(f"sw/v1/{BEN}/up/text", "while the bridge is away")
        async with connected(
            broker.backend_port, ANA, ANA, client_id="sw-uplink", clean_session=clean_session
        ) as thief:
            await thief.subscribe(f"sw/v1/{ANA}/down/#", "sw/v1/+/up/#", f"sw/v1/{BEN}/down/#")
            await ben.publish(f"sw/v1/{BEN}/up/text", "while the thief is there")
            async with broker.backend() as backend:
                await backend.publish(f"sw/v1/{BEN}/down/time", "not for Ana")
                await backend.publish(f"sw/v1/{ANA}/down/time", "last")
            assert await thief.heard_before((f"sw/v1/{ANA}/down/time", "last")) == []


async def test_a_watch_under_the_bridges_name_on_its_own_door_disturbs_no_bridge(broker: Broker) -> None:
    async with broker.backend("sw-uplink", clean_session=False) as uplink:
        await uplink.subscribe("sw/v1/+/up/#")
        async with broker.watch(ANA, client_id="sw-uplink", clean_session=False) as ana:
            await ana.publish(f"sw/v1/{ANA}/up/text", "hi")
            assert await uplink.hears() == (f"sw/v1/{ANA}/up/text", "hi")
        assert uplink.connected


async def test_a_packet_over_the_limit_disconnects_its_sender_and_disturbs_nobody_else(broker: Broker) -> None:
    async with broker.watch() as ana, broker.watch(BEN) as ben, broker.backend() as backend:
        await backend.subscribe("sw/v1/+/up/#")
        await ana.publish(f"sw/v1/{ANA}/up/location", "x" * 65_536)
        assert len((await backend.hears())[1]) == 65_536
        with pytest.raises(aiomqtt.MqttError):
            await ana.publish(f"sw/v1/{ANA}/up/location", "x" * 262_144)
        await ana.is_thrown_out()
        await ben.publish(f"sw/v1/{BEN}/up/text", "last")
        assert await backend.hears() == (f"sw/v1/{BEN}/up/text", "last")


async def test_bytes_that_are_not_mqtt_disturb_nobody(broker: Broker) -> None:
    async with broker.watch(BEN) as ben, broker.backend() as backend:
        await backend.subscribe("sw/v1/+/up/#")
        for garbage in (b"GET / HTTP/1.1\r\n\r\n", b"\x10\xff\xff\xff\xff\xff", b"\x00" * 64, b"\x30\x00"):
            reader, writer = await asyncio.open_connection("127.0.0.1", broker.plain_port)
            writer.write(garbage)
            with contextlib.suppress(ConnectionResetError):
                assert await asyncio.wait_for(reader.read(), 60) == b""
            writer.close()
        await ben.publish(f"sw/v1/{BEN}/up/text", "last")
        assert await backend.hears() == (f"sw/v1/{BEN}/up/text", "last")


async def test_bridges_share_one_user_and_hear_what_watches_say_only(broker: Broker) -> None:
    async with broker.backend("sw-down-1") as first, broker.backend("sw-down-2") as second, broker.watch() as ana:
        await first.subscribe("#")
        await ana.subscribe(f"sw/v1/{ANA}/down/#")
        await second.publish(f"sw/v1/{ANA}/down/time", "for the watch only")
        assert await ana.hears() == (f"sw/v1/{ANA}/down/time", "for the watch only")
        await ana.publish(f"sw/v1/{ANA}/up/text", "last")
        assert await first.heard_before((f"sw/v1/{ANA}/up/text", "last")) == []
        assert first.connected
        assert second.connected


async def _raw_connect(port: int, username: str, will: aiomqtt.Will) -> tuple[bytes, asyncio.StreamWriter]:
    """Connect by hand, so that the connection can end without a DISCONNECT; return CONNACK, empty if there is none."""

    def text(value: str | bytes) -> bytes:
        encoded = value.encode() if isinstance(value, str) else value
        return len(encoded).to_bytes(2, "big") + encoded

    assert isinstance(will.payload, bytes)
    flags = 0b1100_0110 | will.qos << 3 | will.retain << 5
    body = text("MQTT") + bytes([4, flags]) + (60).to_bytes(2, "big")
    body += text(username) + text(will.topic) + text(will.payload) + text(username) + text(username)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(bytes([0x10, len(body)]) + body)
    return await reader.read(4), writer
