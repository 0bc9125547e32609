"""The bridge's connection with a scripted broker: the window, refusals, silence, and a connection that ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.core.platform.settings import Environment, Settings
from services.mqtt_bridge import connection as module
from services.mqtt_bridge import packets
from services.mqtt_bridge.connection import BrokerLostError, connect
from services.mqtt_bridge.packets import PacketSplitter

_SUBACK = b"\x90\x04\x00\x01\x00\x01"


class ScriptedBroker:
    """Answers CONNECT and SUBSCRIBE as it is told to, and keeps what the bridge sends beside."""

    def __init__(self) -> None:
        self.welcome = b"\x20\x06\x00\x00\x03\x21\x00\x02"  # Receive Maximum 2
        self.suback = _SUBACK
        self.received: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue()
        self.writer: asyncio.StreamWriter
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        splitter = PacketSplitter()
        while data := await reader.read(65536):
            for head, body in splitter.packets(data):
                if head == 0x10:
                    writer.write(self.welcome)
                elif head == 0x82:
                    writer.write(self.suback)
                elif head != packets.PINGREQ[0]:
                    self.received.put_nowait((head, body))
        writer.close()

    async def published(self) -> tuple[bytes, int]:
        """Return payload and number of the next message of the bridge."""
        _, payload, number, _ = packets.read_publish(*await self.received.get())
        return payload, number

    @property
    def settings(self) -> Settings:
        return Settings(
            environment=Environment.TEST, database_url="postgresql://nobody@127.0.0.1:1/none",
            mqtt_backend_port=self.port, mqtt_backend_password="secret-of-a-test",
        )  # fmt: skip


@pytest_asyncio.fixture
async def broker() -> AsyncIterator[ScriptedBroker]:
    scripted = ScriptedBroker()
    server = await asyncio.start_server(scripted.serve, "127.0.0.1", 0)
    scripted.port = server.sockets[0].getsockname()[1]
    yield scripted
    server.close()


async def test_no_more_is_sent_than_the_broker_takes_and_all_of_it_in_order(broker: ScriptedBroker) -> None:
    async with connect(broker.settings, "sw-test", keep_session=False) as connection:
        first = asyncio.create_task(connection.publish_all([("t", b"%d" % number) for number in range(3)]))
        second = asyncio.create_task(connection.publish_all([("t", b"3")]))
        (_, one), (_, two) = [await broker.published() for _ in range(2)]
        # The others wait for a PUBACK.
        assert broker.received.empty()
        assert not first.done()
        broker.writer.write(packets.puback_packet(two))
        payload, three = await broker.published()
        assert payload == b"2"
        broker.writer.write(packets.puback_packet(three) + packets.puback_packet(one))
        await first
        payload, four = await broker.published()
        assert payload == b"3"
        # Refused: it counts as acknowledged, since it would be refused again.
        broker.writer.write(b"\x40\x03" + four.to_bytes(2, "big") + b"\x97")
        await second
        assert len({one, two, three, four}) == 4


async def test_only_who_handled_a_message_acknowledges_it(broker: ScriptedBroker) -> None:
    async with connect(broker.settings, "sw-test", keep_session=True) as connection:
        await connection.subscribe("a/#")
        stream = b"".join(packets.publish_packet("a/b", b"%d" % number, number) for number in (1, 2, 3))
        broker.writer.write(stream[:20])
        broker.writer.write(stream[20:])
        incoming = connection.incoming()
        messages = [await anext(incoming) for _ in range(3)]
        assert [message.payload for message in messages] == [b"1", b"2", b"3"]
        messages[1].acknowledge()
        messages[0].acknowledge()
        assert [await broker.received.get() for _ in range(2)] == [(0x40, b"\x00\x02"), (0x40, b"\x00\x01")]
    # DISCONNECT, and no PUBACK of the third.
    assert (await broker.received.get())[0] == 0xE0
    assert broker.received.empty()


@pytest.mark.parametrize("ending", [b"\xe0\x02\x8e\x00", b"", b"\x32\x03\x00\x00\x00", b"\xf0\x00", b"\x40\x01\x00"])
async def test_whatever_waits_fails_when_the_connection_ends(broker: ScriptedBroker, ending: bytes) -> None:
    """Taken over by another one, closed, or bytes that are no packet."""
    async with connect(broker.settings, "sw-test", keep_session=False) as connection:
        publishing = asyncio.create_task(connection.publish_all([("t", b"x")] * 5))
        await broker.published()
        broker.writer.write(ending)
        if not ending:
            broker.writer.close()
        with pytest.raises(BrokerLostError):
            await anext(connection.incoming())
        with pytest.raises(BrokerLostError):
            await publishing
        with pytest.raises(BrokerLostError):
            await connection.publish_all([("t", b"x")])
        with pytest.raises(BrokerLostError):
            await connection.subscribe("a/#")


@pytest.mark.parametrize("welcome", [b"\x20\x03\x00\x87\x00", b"\x20\x02\x00\x00", b"\xf0\x00"])
async def test_a_refused_log_in_is_a_lost_broker(broker: ScriptedBroker, welcome: bytes) -> None:
    broker.welcome = welcome
    with pytest.raises(BrokerLostError):
        async with connect(broker.settings, "sw-test", keep_session=False):
            pass


@pytest.mark.parametrize("suback", [_SUBACK[:-1] + b"\x87", b"\x90\x02\x00\x01"])
async def test_a_refused_subscription_is_a_lost_broker(broker: ScriptedBroker, suback: bytes) -> None:
    broker.suback = suback
    async with connect(broker.settings, "sw-test", keep_session=False) as connection:
        with pytest.raises(BrokerLostError):
            await connection.subscribe("a/#")


async def test_a_broker_that_is_not_there_is_a_lost_broker(broker: ScriptedBroker) -> None:
    settings = broker.settings.model_copy(update={"mqtt_backend_port": 1})
    with pytest.raises(BrokerLostError):
        async with connect(settings, "sw-test", keep_session=False):
            pass


async def test_a_silent_broker_is_lost(broker: ScriptedBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PING_EVERY_S", 0.1)
    monkeypatch.setattr(module, "_ANSWER_TIMEOUT_S", 60.0)
    async with connect(broker.settings, "sw-test", keep_session=False) as connection:
        with pytest.raises(BrokerLostError, match="silent"):
            await connection.publish_all([("t", b"x")])
