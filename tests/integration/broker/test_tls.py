"""The watches' listener: TLS 1.2 or 1.3 with forward secrecy, nothing else, and a certificate a modem can hold."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import warnings
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import aiomqtt
import pytest
import pytest_asyncio

from services.broker.certificates import Certificates, development_certificates
from services.broker.configuration import BrokerConfiguration
from services.broker.passwords import BrokerLogin
from services.broker.process import MosquittoProcess
from tests.integration.broker.conftest import ANA, KNOWN, login, make_process
from tests.support.mqtt_client import connected, refused


@dataclass(frozen=True)
class TlsBroker:
    """A broker whose only watches' listener speaks TLS."""

    process: MosquittoProcess
    port: int
    certificates: Certificates

    def trust(self) -> ssl.SSLContext:
        """Return what a watch trusts: this authority and nothing else."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        assert self.certificates.ca_file is not None
        context.load_verify_locations(self.certificates.ca_file)
        return context


@pytest_asyncio.fixture(loop_scope="session")
async def broker(folder: Path, mosquitto: Path, claim_port: Callable[[], int]) -> AsyncIterator[TlsBroker]:
    """A broker with a development certificate and no plain listener."""
    certificates = development_certificates(folder / "certificates", "watches.example")
    port = claim_port()
    configuration = BrokerConfiguration(
        folder / "mosquitto",
        claim_port(),
        tls_port=port,
        certificate_file=certificates.certificate_file,
        key_file=certificates.key_file,
    )
    process = make_process(configuration, mosquitto)
    await process.start(KNOWN)
    yield TlsBroker(process, port, certificates)
    await process.stop()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_watch_that_checks_chain_and_host_is_let_in(
    broker: TlsBroker, version: ssl.TLSVersion, host: str
) -> None:
    trust = broker.trust()
    trust.minimum_version = trust.maximum_version = version
    async with connected(broker.port, ANA, ANA, tls=trust, host=host) as ana:
        await ana.publish(f"sw/v1/{ANA}/up/text", "hi")


async def test_a_modem_with_one_cipher_is_let_in(broker: TlsBroker) -> None:
    trust = broker.trust()
    trust.maximum_version = ssl.TLSVersion.TLSv1_2
    trust.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    assert not await refused(broker.port, ANA, ANA, tls=trust)


async def test_the_certificate_bears_the_name_that_watches_are_told(broker: TlsBroker) -> None:
    await _handshake(broker.port, broker.trust(), "watches.example")
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        await _handshake(broker.port, broker.trust(), "other.example")
    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"):
        await _handshake(broker.port, ssl.create_default_context(), "localhost")


async def test_tls_1_1_is_refused(broker: TlsBroker) -> None:
    trust = broker.trust()
    trust.set_ciphers("ALL:@SECLEVEL=0")  # or our own side would not even offer it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        trust.minimum_version = ssl.TLSVersion.TLSv1
        trust.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        await _handshake(broker.port, trust, "localhost")


async def test_a_cipher_without_forward_secrecy_is_refused(broker: TlsBroker) -> None:
    trust = broker.trust()
    trust.maximum_version = ssl.TLSVersion.TLSv1_2
    trust.set_ciphers("kRSA:kECDHE+AESCBC:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"):
        await _handshake(broker.port, trust, "localhost")


async def test_plain_mqtt_on_the_tls_port_gets_nowhere_and_disturbs_nobody(broker: TlsBroker) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", broker.port)
    writer.write(b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04w-xx")
    with contextlib.suppress(ConnectionResetError):
        answer = await asyncio.wait_for(reader.read(), 60)
        assert not answer.startswith(b"\x20")
    writer.close()
    assert not await refused(broker.port, ANA, ANA, tls=broker.trust())


async def test_somebody_who_never_finishes_a_handshake_holds_up_nobody(broker: TlsBroker) -> None:
    idle = [await asyncio.open_connection("127.0.0.1", broker.port) for _ in range(20)]
    assert not await refused(broker.port, ANA, ANA, tls=broker.trust())
    for _, writer in idle:
        writer.close()


async def test_a_renewed_certificate_is_taken_without_cutting_anybody_off(broker: TlsBroker) -> None:
    pid = broker.process.pid
    before = await _certificate(broker.port)
    async with connected(broker.port, ANA, ANA, tls=broker.trust()) as ana:
        await broker.process.verify_files()
        assert await _certificate(broker.port) == before
        folder = broker.certificates.certificate_file.parent
        development_certificates(folder, "moved.example")
        await broker.process.verify_files()
        assert await _certificate(broker.port) != before
        await _handshake(broker.port, broker.trust(), "moved.example")
        await ana.publish(f"sw/v1/{ANA}/up/text", "still here")
        assert ana.connected
    assert broker.process.pid == pid


async def test_a_renewal_file_by_file_reaches_a_hundred_watches_as_nothing(broker: TlsBroker) -> None:
    names = [f"w-renewal{a}{b}aaa" for a in "abcdefghij" for b in "abcdefghij"]
    # Hashed once: a hundred users with one password.
    shared = login("w-renewal", "renewal").password_hash
    await broker.process.set_logins([*KNOWN, *(BrokerLogin(name, shared) for name in names)])
    files, before = broker.certificates, await _certificate(broker.port)
    async with contextlib.AsyncExitStack() as stack:
        watches = [
            await stack.enter_async_context(connected(broker.port, name, "renewal", tls=broker.trust()))
            for name in names
        ]
        old_key = files.key_file.read_bytes()
        development_certificates(files.certificate_file.parent, "renewed.example")
        new_key = files.key_file.read_bytes()
        # The certificate is there before its key, then the key is missing for a moment: the old pair is kept.
        files.key_file.write_bytes(old_key)
        await broker.process.verify_files()
        files.key_file.unlink()
        await broker.process.verify_files()
        assert await _certificate(broker.port) == before
        files.key_file.write_bytes(new_key)
        await broker.process.verify_files()
        await _handshake(broker.port, broker.trust(), "renewed.example")
        for name, watch in zip(names, watches, strict=True):
            await watch.publish(f"sw/v1/{name}/up/text", "still here")
        assert all(watch.connected for watch in watches)
        assert broker.process.connections.watches_connected == len(names)
    await broker.process.set_logins(KNOWN)


async def test_nobody_enters_without_password_by_tls_either(broker: TlsBroker) -> None:
    with pytest.raises(aiomqtt.MqttError):
        async with connected(broker.port, ANA, "wrong", tls=broker.trust()):
            pass


async def _handshake(port: int, trust: ssl.SSLContext, host: str) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust, server_hostname=host)
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def _certificate(port: int) -> str:
    return await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", port))
