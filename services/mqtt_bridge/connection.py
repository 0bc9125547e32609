"""The connection to the broker, and the one importer of an MQTT library.

aiomqtt acknowledges a message when it has been queued, before anybody's code has run. Here the client underneath is
switched to acknowledging by hand, and whoever handles a message calls :meth:`Incoming.acknowledge` after its commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiomqtt
from paho.mqtt.client import Client as PahoClient
from paho.mqtt.client import MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from services.core.platform.settings import Settings

# How long the broker may take to answer on a loopback or an internal network before the connection counts as lost.
_ANSWER_TIMEOUT_S = 10.0
_KEEPALIVE_S = 20

# Receive Maximum of MQTT 5: the broker sends at most this many messages that we have not acknowledged.
# More than one of each watch of a large programme, so that a storm of hellos fits while Postgres is away.
RECEIVE_WINDOW_MESSAGES = 8192
# The broker keeps the session of a reader that is away for this long: longer than any repair.
_SESSION_EXPIRY_S = 2 * 24 * 3600

# aiomqtt warns at ten pending publishes; the bridge has hundreds on purpose.
_QUIET_LOGGER = logging.getLogger("smartwatch.mqtt")
_QUIET_LOGGER.setLevel(logging.ERROR)

BrokerLostError = aiomqtt.MqttError


@dataclass(frozen=True)
class Incoming:
    """One message from the broker, not yet acknowledged."""

    topic: str
    payload: bytes
    retained: bool
    _message_number: int
    _qos: int
    _client: PahoClient
    # Of the steady clock.
    arrived_at_s: float = field(default_factory=time.monotonic)

    def acknowledge(self) -> None:
        """Send the PUBACK: from now on the broker forgets the message. Only after the commit, or for a `retry`."""
        if self._qos:
            self._client.ack(self._message_number, self._qos)


class Connection:
    """One connection with the broker."""

    def __init__(self, client: aiomqtt.Client, inner: PahoClient) -> None:
        self._client = client
        self._inner = inner
        self._arrived: asyncio.Queue[Incoming | None] = asyncio.Queue()
        # The library hands messages on through two tasks each, while its socket callback reads many packets at a time:
        # under a flood its queue would grow without a bound. Called in the loop's thread, from that same callback.
        inner.on_message = self._on_message

    def _on_message(self, _client: PahoClient, _userdata: object, message: MQTTMessage) -> None:
        self._arrived.put_nowait(
            Incoming(message.topic, bytes(message.payload), message.retain, message.mid, message.qos, self._inner)
        )

    async def subscribe(self, topic_filter: str) -> None:
        """Subscribe with QoS 1 and wait for the answer."""
        async with _answered():
            await self._client.subscribe(topic_filter, qos=1)

    async def incoming(self) -> AsyncIterator[Incoming]:
        """Yield messages in the order of their arrival; raises BrokerLostError when the connection ends.

        All messages that were read are yielded before the socket is read again.
        """
        watching = asyncio.create_task(self._until_disconnected())
        watching.add_done_callback(lambda _: self._arrived.put_nowait(None))
        try:
            while (message := await self._arrived.get()) is not None:
                yield message
            await watching
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _until_disconnected(self) -> None:
        """Raise BrokerLostError when the connection ends; the library's own queue stays empty."""
        async for _ in self._client.messages:
            pass
        message = "the connection has ended"
        raise BrokerLostError(message)

    async def publish(self, topic: str, payload: bytes) -> None:
        """Publish with QoS 1 and wait until the broker has taken it; raises BrokerLostError."""
        async with _answered():
            await self._client.publish(topic, payload, qos=1)


@contextlib.asynccontextmanager
async def _answered() -> AsyncIterator[None]:
    """Give the broker its time to answer.

    Not the library's own timeout: it is asyncio.wait_for, which in Python 3.11 swallows a cancellation that comes
    together with the answer, and a cancelled bridge would then never end.
    """
    try:
        async with asyncio.timeout(_ANSWER_TIMEOUT_S):
            yield
    except TimeoutError as error:
        message = "the broker did not answer in time"
        raise BrokerLostError(message) from error


@contextlib.asynccontextmanager
async def connect(settings: Settings, client_id: str, *, keep_session: bool) -> AsyncIterator[Connection]:
    """Connect to the broker's backend listener; with ``keep_session`` the broker keeps what comes while we are away.

    Raises BrokerLostError when the broker is not there, refuses, or goes away.
    """
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.ReceiveMaximum = RECEIVE_WINDOW_MESSAGES
    properties.SessionExpiryInterval = _SESSION_EXPIRY_S if keep_session else 0
    client = aiomqtt.Client(
        settings.mqtt_backend_host,
        settings.mqtt_backend_port,
        username=settings.mqtt_backend_username,
        password=settings.mqtt_backend_password.get_secret_value(),
        identifier=client_id,
        # MQTT 5 between bridge and broker, for the bound on unacknowledged messages; watches speak 3.1.1.
        protocol=aiomqtt.ProtocolVersion.V5,
        clean_start=not keep_session,
        properties=properties,
        keepalive=_KEEPALIVE_S,
        timeout=math.inf,
        # The library's own limit of 20 in flight would make hundreds of waiting watches queue behind one another.
        max_inflight_messages=1000,
        logger=_QUIET_LOGGER,
    )
    # aiomqtt 2.5 has no switch for it; the pinned version and the tests of "PUBACK after commit" guard this reach-in.
    inner: PahoClient = client._client  # noqa: SLF001
    inner.manual_ack_set(True)
    # Before connecting: a kept session brings messages at once.
    connection = Connection(client, inner)
    async with _answered():
        await client.__aenter__()
    try:
        yield connection
    finally:
        async with _answered():
            await client.__aexit__(None, None, None)
