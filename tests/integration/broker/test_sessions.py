"""Sessions that watches keep in the broker: bounded in bytes, dropped after the watch has left; QoS 1 at most."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import aiomqtt
import pytest
import structlog

from services.broker.configuration import SHIPPED
from services.broker.connections import Connections
from services.broker.persistence import session_sizes
from services.broker.sessions import KEPT_AFTER_LEAVING_S, SESSION_MAX_BYTES, STATE_ALARM_BYTES, SessionLimits
from services.protocol import limits
from tests.integration.broker.conftest import ANA, BACKEND_PASSWORD, BEN, KNOWN, Broker
from tests.integration.broker.waiting import becomes_true
from tests.support.mqtt_client import connected

TO_ANA = f"sw/v1/{ANA}/down/item/a01b77c3/0"


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(broker: Broker) -> Clock:
    """The clock by which the broker's connections are followed."""
    clock = Clock()
    broker.process.connections = Connections(clock)
    return clock


def limits_of(broker: Broker) -> SessionLimits:
    return SessionLimits(broker.process, broker.process.connections, BACKEND_PASSWORD)


def sizes(broker: Broker) -> dict[str, int]:
    return session_sizes(broker.process.files.state)


async def keep_a_session(broker: Broker, name: str) -> None:
    async with broker.watch(name, clean_session=False) as watch:
        await watch.subscribe(f"sw/v1/{name}/down/#")
    await becomes_true(lambda: bool(broker.process.connections.sessions_left_for(0)))


async def hears_after(broker: Broker, name: str) -> list[tuple[str, str]]:
    """Return what a watch gets that comes back with its session, before something sent now."""
    last = (f"sw/v1/{name}/down/time", "now")
    async with broker.watch(name, clean_session=False) as watch, broker.backend() as backend:
        await watch.subscribe(f"sw/v1/{name}/down/#")
        await backend.publish(*last)
        return await watch.heard_before(last)


async def test_a_session_is_kept_for_half_an_hour_and_dropped_within_the_hour(broker: Broker, clock: Clock) -> None:
    await keep_a_session(broker, ANA)
    async with broker.backend() as backend:
        await backend.publish(TO_ANA, "while away")
    clock.now_s = KEPT_AFTER_LEAVING_S - 1
    await limits_of(broker).enforce()
    assert await hears_after(broker, ANA) == [(TO_ANA, "while away")]
    await becomes_true(lambda: broker.process.connections.sessions_left_for(0) == [ANA])
    async with broker.backend() as backend:
        await backend.publish(TO_ANA, "while away again")
    clock.now_s += KEPT_AFTER_LEAVING_S
    await limits_of(broker).enforce()
    await becomes_true(lambda: ANA not in sizes(broker))
    assert await hears_after(broker, ANA) == []
    assert KEPT_AFTER_LEAVING_S < 3600


async def test_a_session_found_in_the_file_at_a_start_is_dropped_as_well(broker: Broker, clock: Clock) -> None:
    await keep_a_session(broker, ANA)
    await keep_a_session(broker, BEN)
    await broker.process.stop()
    broker.process.connections = Connections(clock)
    await broker.process.start([])
    assert sorted(broker.process.connections.sessions_left_for(0)) == [ANA, BEN]
    clock.now_s = KEPT_AFTER_LEAVING_S
    await limits_of(broker).enforce()
    await becomes_true(lambda: not broker.process.connections.sessions_left_for(0))


async def test_the_bridges_session_is_nobodys_to_drop(broker: Broker, clock: Clock) -> None:
    async with broker.backend("sw-uplink", clean_session=False) as uplink:
        await uplink.subscribe("sw/v1/+/up/#")
    async with broker.watch() as ana:
        await ana.publish(f"sw/v1/{ANA}/up/text", "for the bridge")
    clock.now_s = 10 * KEPT_AFTER_LEAVING_S
    await limits_of(broker).enforce()
    async with broker.backend("sw-uplink", clean_session=False) as uplink:
        assert await uplink.hears() == (f"sw/v1/{ANA}/up/text", "for the bridge")


@pytest.mark.parametrize("is_connected", [False, True], ids=["away", "connected and not acknowledging"])
async def test_a_session_over_one_mebibyte_is_dropped_at_once(broker: Broker, *, is_connected: bool) -> None:
    await keep_a_session(broker, ANA)
    payload = "x" * 60_000
    async with broker.backend() as backend:
        for _ in range(SESSION_MAX_BYTES // len(payload) + 2):
            await backend.publish(TO_ANA, payload)
    await becomes_true(lambda: sizes(broker).get(ANA, 0) > SESSION_MAX_BYTES)
    if is_connected:
        reader, writer = await asyncio.open_connection("127.0.0.1", broker.plain_port)
        writer.write(connect_with_its_session())
        assert await reader.readexactly(4) == b"\x20\x02\x01\x00"  # session present
    await limits_of(broker).enforce()
    await becomes_true(lambda: ANA not in sizes(broker))
    if is_connected:
        await asyncio.wait_for(reader.read(-1), 60)  # closed by the broker
        writer.close()
    assert await hears_after(broker, ANA) == []


def connect_with_its_session() -> bytes:
    def text(value: str) -> bytes:
        return len(value).to_bytes(2, "big") + value.encode()

    body = text("MQTT") + bytes([4, 0b1100_0000]) + (60).to_bytes(2, "big") + text(ANA) * 3
    return bytes([0x10, len(body)]) + body


def test_the_published_limits_are_those_in_force() -> None:
    assert limits.SESSION_MAX_BYTES == SESSION_MAX_BYTES
    assert limits.SESSION_KEPT_MAX_S >= KEPT_AFTER_LEAVING_S
    configured = (SHIPPED / "mosquitto.conf.in").read_text()
    assert f"max_packet_size {limits.PACKET_MAX_BYTES}\n" in configured
    assert configured.count("max_qos 1\n") == 2


async def test_subscriptions_count_as_well(broker: Broker) -> None:
    async with broker.watch(clean_session=False) as ana:
        await ana.subscribe(*(f"sw/v1/{ANA}/down/{'x' * 60}/{number}" for number in range(50)))
    await becomes_true(lambda: sizes(broker).get(ANA, 0) > 50 * 80)


async def test_a_large_file_raises_the_alarm_once(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes_bytes = itertools.chain([STATE_ALARM_BYTES], itertools.repeat(STATE_ALARM_BYTES + 1))
    monkeypatch.setattr(broker.process.files, "state_bytes", lambda: next(sizes_bytes))
    session_limits = limits_of(broker)
    with structlog.testing.capture_logs() as lines:
        for _ in range(5):
            await session_limits.enforce()
    assert [line["event"] for line in lines] == ["broker_state_large"]
    assert lines[0]["log_level"] == "critical"


@pytest.mark.parametrize("flags", [{"qos": 1, "retain": True}, {"qos": 2}], ids=["retained", "QoS 2"])
@pytest.mark.parametrize("is_reloaded", [False, True], ids=["after its start", "after SIGHUP"])
async def test_a_watch_that_publishes_with_qos_2_or_retain_is_disconnected_and_leaves_nothing(
    broker: Broker, flags: dict[str, Any], *, is_reloaded: bool
) -> None:
    if is_reloaded:
        # Mosquitto 2.0.11 forgets max_qos of a listener that it reads again.
        assert await broker.process.set_logins(KNOWN[:2])
    async with aiomqtt.Client(
        "127.0.0.1", broker.plain_port, username=ANA, password=ANA, identifier=ANA, clean_session=False
    ) as client:
        sending = asyncio.create_task(client.publish(f"sw/v1/{ANA}/up/text", b"x" * 1000, timeout=60, **flags))
        await becomes_true(lambda: broker.process.connections.refused_packets[ANA] == 1)
        assert ANA not in broker.process.connections.connected_within(0)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    assert broker.process.files.state_bytes() < 1000


@pytest.mark.parametrize(
    "will", [aiomqtt.Will(f"sw/v1/{ANA}/up/status", b"{}", qos=2), aiomqtt.Will(f"sw/v1/{ANA}/up/status", retain=True)]
)
async def test_a_will_with_qos_2_or_retain_is_refused_at_the_log_in(broker: Broker, will: aiomqtt.Will) -> None:
    with pytest.raises(aiomqtt.MqttError):
        async with broker.watch(will=will):
            pass


async def test_the_broker_takes_the_largest_packet_of_the_protocol_and_no_larger_one(broker: Broker) -> None:
    topic = f"sw/v1/{ANA}/up/text"
    largest = limits.PACKET_MAX_BYTES - len(topic) - 2 - 2 - 4  # topic length, packet id, fixed header
    async with broker.backend() as backend, broker.watch() as ana:
        await backend.subscribe("sw/v1/+/up/#")
        await ana.publish(topic, "x" * largest)
        assert len((await backend.hears())[1]) == largest
        with pytest.raises(aiomqtt.MqttError):
            await ana.publish(topic, "x" * (largest + 10))
    async with connected(broker.plain_port, ANA, ANA) as ana:
        assert ana.connected
