"""Whose will the broker refuses is known, also behind TLS: a few log-ins are read, and everything passes unchanged."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import aiomqtt
import pytest
import pytest_asyncio

from services.broker import wills
from services.broker.certificates import development_certificates
from services.broker.configuration import BrokerConfiguration
from services.broker.gate import Gate
from services.broker.process import MosquittoProcess
from services.broker.wills import WillReader
from services.device_sim.watch.mqtt_packets import Will, connect_packet
from tests.integration.broker.conftest import ANA, BACKEND_PASSWORD, BEN, FACTORY, KNOWN, Broker, login
from tests.integration.broker.waiting import becomes_true
from tests.support.mqtt_client import MqttClient, connected

# What a CONNECT says of its will.
_QOS_1, _QOS_2, _RETAIN = 0x08, 0x10, 0x20


@dataclass(frozen=True)
class Guarded:
    """A broker whose watches speak TLS through the gate."""

    broker: Broker
    gate: Gate
    port: int
    ca_file: Path

    def watch(
        self, username: str, will: aiomqtt.Will | None = None, *, password: str = "", tls_1_2: bool = False
    ) -> AbstractAsyncContextManager[MqttClient]:
        """Connect as a watch whose password is its name."""
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trust.load_verify_locations(self.ca_file)
        if tls_1_2:
            trust.maximum_version = ssl.TLSVersion.TLSv1_2
        return connected(self.port, username, password or username, will=will, tls=trust)

    async def tries(self, username: str, topic: str, flags: int, *, password: str = "", with_tls: bool = True) -> None:
        """Send a CONNECT with a will of these flags (MQTT 3.1.1, 3.1.2.3) and wait for the end of the connection."""
        packet = bytearray(connect_packet(username, username, password or username, 60, Will(topic, b"{}")))
        packet[packet.index(b"MQTT\x04") + 5] ^= _QOS_1 ^ flags
        trust = ssl.create_default_context(cafile=self.ca_file)
        trust.check_hostname = False
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=trust if with_tls else None)
        try:
            writer.write(packet)
            with contextlib.suppress(OSError):
                await reader.read()
        finally:
            writer.close()

    @property
    def refused(self) -> dict[str, int]:
        """The refused packets that wait to be recorded, by user name."""
        return dict(self.broker.process.connections.refused_packets)


@pytest_asyncio.fixture(loop_scope="session")
async def guarded(folder: Path, mosquitto: Path, claim_port: Callable[[], int]) -> AsyncIterator[Guarded]:
    certificates = development_certificates(folder / "certificates", "watches.example")
    configuration = BrokerConfiguration(
        folder / "mosquitto", claim_port(), tls_port=claim_port(),
        certificate_file=certificates.certificate_file, key_file=certificates.key_file,
    )  # fmt: skip
    port = claim_port()
    gate = Gate("127.0.0.1", port, configuration.tls_port)
    process = MosquittoProcess(
        configuration, mosquitto, BACKEND_PASSWORD, on_login=gate.record_login, on_refused_will=gate.record_refused_will
    )
    gate.epoch = process.epoch
    gate.wills = WillReader(process.folder, process.password_fits, process.connections.refuse)
    await process.start(KNOWN)
    await gate.start()
    assert certificates.ca_file is not None
    yield Guarded(
        Broker(process, configuration.plain_port, configuration.backend_port), gate, port, certificates.ca_file
    )
    await gate.stop()
    await process.stop()


@pytest.fixture
def every_login_is_read(guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wills, "_EACH_S", 0.0)
    monkeypatch.setattr(wills, "_SUSPECTED_S", float("inf"))
    # Everybody here comes from one address.
    assert guarded.gate.wills is not None
    guarded.gate.wills.suspect(["127.0.0.1"])


@pytest.mark.parametrize("flags", [_RETAIN | _QOS_1, _QOS_2], ids=["retained", "QoS 2"])
@pytest.mark.parametrize("username", [ANA, FACTORY])
async def test_a_watch_that_comes_back_after_its_will_was_refused_is_counted(
    guarded: Guarded, flags: int, username: str
) -> None:
    async def counted() -> bool:
        await guarded.tries(username, f"sw/v1/{username}/up/status", flags)
        return bool(guarded.refused)

    await becomes_true(counted)
    assert set(guarded.refused) == {username}
    async with guarded.watch(BEN), guarded.watch(username):
        pass
    assert set(guarded.refused) == {username}, "who comes from the same address without one is not blamed"


async def test_a_will_for_a_foreign_topic_is_counted_at_the_second_login_at_the_latest(guarded: Guarded) -> None:
    foreign = aiomqtt.Will(f"sw/v1/{BEN}/up/status", b"{}", qos=1)
    async with guarded.watch(ANA, foreign):
        assert guarded.refused == {}, "nobody was unknown before"
    for username, will in ((ANA, foreign), (ANA, foreign), (BEN, None), (BEN, None)):
        async with guarded.watch(username, will):
            pass
    assert guarded.refused == {ANA: 1}, "it is known now, and read again tomorrow"


@pytest.mark.usefixtures("every_login_is_read")
async def test_of_the_logins_that_are_read_a_will_for_a_foreign_topic_is_counted(guarded: Guarded) -> None:
    for topic in (f"sw/v1/{BEN}/up/status", f"sw/v1/{ANA}/down/item", "elsewhere"):
        async with guarded.watch(ANA, aiomqtt.Will(topic, b"{}", qos=1)):
            pass
    assert guarded.refused == {ANA: 3}
    async with guarded.watch(BEN, aiomqtt.Will(f"sw/v1/{BEN}/up/status", b"{}", qos=1)), guarded.watch(FACTORY):
        pass
    assert guarded.refused == {ANA: 3}


@pytest.mark.usefixtures("every_login_is_read")
async def test_nobody_is_blamed_for_what_a_stranger_sends_in_its_name(guarded: Guarded) -> None:
    await guarded.tries(ANA, "elsewhere", _RETAIN | _QOS_1, password="guessed")
    async with guarded.watch(BEN):
        pass
    assert guarded.refused == {}


@pytest.mark.usefixtures("every_login_is_read")
@pytest.mark.parametrize("tls_1_2", [False, True])
async def test_what_passes_a_login_that_is_read_arrives_as_it_was(guarded: Guarded, *, tls_1_2: bool) -> None:
    sound = os.urandom(40_000).hex()[:79_000]
    will = (f"sw/v1/{ANA}/up/status", "left")
    async with guarded.broker.backend() as backend:
        await backend.subscribe("sw/v1/+/up/#")
        async with guarded.watch(ANA, aiomqtt.Will(*will, qos=1), tls_1_2=tls_1_2) as ana:
            await ana.subscribe(f"sw/v1/{ANA}/down/#")
            for _ in range(5):
                await ana.publish(f"sw/v1/{ANA}/up/voice/k3m9q2x7d5fa/0", sound)
                assert await backend.hears() == (f"sw/v1/{ANA}/up/voice/k3m9q2x7d5fa/0", sound)
                await backend.publish(f"sw/v1/{ANA}/down/item/a01b77c3/0", sound)
                assert await ana.hears() == (f"sw/v1/{ANA}/down/item/a01b77c3/0", sound)
        await becomes_true(lambda: guarded.gate.connections == 0)
        # It left with a DISCONNECT, which arrived: no will. One whose connection breaks has one.
        async with guarded.watch(ANA, aiomqtt.Will(*will, qos=1), tls_1_2=tls_1_2):
            (client,) = guarded.gate._clients  # noqa: SLF001 - the network fails
            assert client.transport is not None
            client.transport.abort()
            assert await backend.hears() == will


@pytest.mark.usefixtures("every_login_is_read")
async def test_a_watch_whose_access_is_taken_is_cut_off_although_its_login_was_read(guarded: Guarded) -> None:
    async with guarded.watch(ANA) as ana, guarded.watch(BEN) as ben:
        await guarded.broker.process.set_logins([login(BEN, "new"), *KNOWN[:1]])
        await ben.is_thrown_out()
        assert ana.connected


@pytest.mark.usefixtures("every_login_is_read")
async def test_what_is_no_tls_ends_as_without_reading(guarded: Guarded) -> None:
    await guarded.tries(ANA, f"sw/v1/{ANA}/up/status", _QOS_1, with_tls=False)
    await becomes_true(lambda: guarded.gate.connections == 0)
    async with guarded.watch(ANA) as ana:
        await ana.publish(f"sw/v1/{ANA}/up/text", "hi")
