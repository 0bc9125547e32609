"""The connection to the broker: PUBACK by hand, many packets a system call, publishes within a window.

Whoever handles a message calls :meth:`Incoming.acknowledge` after its commit; nothing here acknowledges by itself
(docs/decisions/0075-bridge-connection.md). The bytes of packets are in ``packets.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import Final, cast

import structlog

from services.core.platform.settings import Settings
from services.mqtt_bridge import packets
from services.mqtt_bridge.addresses import Address, broker_addresses
from services.mqtt_bridge.packets import MalformedPacketError
from services.protocol.topics import MalformedTopic, UnknownKind, Uplink, parse_uplink

# How long the broker may take to answer on a loopback or an internal network before the connection counts as lost.
_ANSWER_TIMEOUT_S = 10.0
# The broker ends a connection on which it hears nothing for one and a half of these.
_KEEPALIVE_S: Final = 20
_PING_EVERY_S = 10.0

# Receive Maximum of MQTT 5: the broker sends at most this many messages that we have not acknowledged.
# More than one of each watch of a large programme, so that a storm of hellos fits while Postgres is away.
RECEIVE_WINDOW_MESSAGES: Final = 8192
# Messages of ours that the broker has not acknowledged; the others wait in their order.
PUBLISH_WINDOW_MESSAGES: Final = 1000
# The broker keeps the session of a reader that is away for this long: longer than any repair.
_SESSION_EXPIRY_S: Final = 2 * 24 * 3600

log = structlog.get_logger()


class BrokerLostError(Exception):
    """The broker was not reached, refused, fell silent, or ended the connection."""


class Incoming:
    """One message from the broker, not yet acknowledged. Thousands are made a second: slots, and no dataclass."""

    __slots__ = ("_connection", "_number", "_uplink", "arrived_at_s", "payload", "retained", "topic")

    def __init__(
        self, topic: str, payload: bytes, number: int, connection: Connection | None, *, retained: bool = False
    ) -> None:  # fmt: skip
        self.topic = topic
        self.payload = payload
        self.retained = retained
        # Of the steady clock.
        self.arrived_at_s = time.monotonic()
        self._uplink: Uplink | UnknownKind | MalformedTopic | None = None
        self._number = number
        self._connection = connection

    @property
    def uplink(self) -> Uplink | UnknownKind | MalformedTopic:
        """Return the topic as one of uplinks, parsed once."""
        if self._uplink is None:
            self._uplink = parse_uplink(self.topic)
        return self._uplink

    def acknowledge(self) -> None:
        """Send the PUBACK: from now on the broker forgets the message. Only after the commit, or for a `retry`."""
        if self._number and self._connection is not None:
            self._connection.acknowledge(self._number)


class _Published:
    """Messages that were published together; ``done`` is set when the broker has acknowledged all of them."""

    __slots__ = ("count", "done")

    def __init__(self, count: int) -> None:
        self.count = count
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Connection(asyncio.Protocol):
    """One connection with the broker. Everything that waits raises BrokerLostError when it ends."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._splitter = packets.PacketSplitter()
        self._transport: asyncio.Transport | None = None
        self._closed = asyncio.Event()
        self._lost: str | None = None
        self._has_received = True
        self._ping_every_s = _PING_EVERY_S
        self._beat: asyncio.TimerHandle | None = None
        # Packets of one turn of the event loop, written with one system call.
        self._unwritten: list[bytes] = []
        self._arrived: list[Incoming] = []
        self._is_arrived = asyncio.Event()
        # The one answer that is waited for: CONNACK or SUBACK.
        self._answer: asyncio.Future[bytes] | None = None
        self._window = PUBLISH_WINDOW_MESSAGES
        self._number = 0
        self._unsent: deque[tuple[str, bytes, _Published]] = deque()
        # By the number of the packet.
        self._unacknowledged: dict[int, _Published] = {}

    # ---------------------------------------------------------------- what the bridge calls

    async def log_in(self, settings: Settings, client_id: str, *, keep_session: bool) -> None:
        """Send CONNECT and wait for the answer."""
        # MQTT 5 between bridge and broker, for the bound on unacknowledged messages; watches speak 3.1.1.
        answer = await self._ask(
            packets.connect_packet(
                client_id, settings.mqtt_backend_username, settings.mqtt_backend_password.get_secret_value(),
                clean_start=not keep_session, keepalive_s=_KEEPALIVE_S,
                session_expiry_s=_SESSION_EXPIRY_S if keep_session else 0, receive_maximum=RECEIVE_WINDOW_MESSAGES,
            )
        )  # fmt: skip
        connack = packets.read_connack(answer)
        if connack.reason:
            message = f"the broker refuses: {connack.reason:#x}"
            raise BrokerLostError(message)
        self._window = min(PUBLISH_WINDOW_MESSAGES, connack.receive_maximum)
        if connack.keepalive_s is not None:
            # The broker's word counts instead of ours (3.2.2.3.14).
            self._ping_every_s = min(_PING_EVERY_S, connack.keepalive_s / 2) or _PING_EVERY_S
        self._keep_alive()

    async def subscribe(self, topic_filter: str) -> None:
        """Subscribe with QoS 1 and wait for the answer."""
        async with _answered():
            _, reason = packets.read_suback(
                await self._ask(packets.subscribe_packet(topic_filter, self._next_number()))
            )  # fmt: skip
        if reason >= packets.FAILURE:
            message = f"the broker refuses the subscription: {reason:#x}"
            raise BrokerLostError(message)

    async def incoming(self) -> AsyncIterator[Incoming]:
        """Yield messages in the order of their arrival.

        All messages that were read are yielded before the socket is read again: the caller was woken before it.
        """
        while True:
            await self._is_arrived.wait()
            if self._lost is not None:
                raise BrokerLostError(self._lost)
            self._is_arrived.clear()
            arrived, self._arrived = self._arrived, []
            for message in arrived:
                yield message

    async def publish_all(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """Publish topics and payloads with QoS 1, in their order; return once the broker has acknowledged all of them.

        A window of a clip is dozens of messages; a round trip for each would be most of their time.
        """
        if not messages:
            return
        if self._lost is not None:
            raise BrokerLostError(self._lost)
        published = _Published(len(messages))
        self._unsent.extend((topic, payload, published) for topic, payload in messages)
        self._send_within_window()
        async with _answered():
            await published.done

    def acknowledge(self, number: int) -> None:
        """Send the PUBACK of a message."""
        self._send(packets.puback_packet(number))

    async def close(self) -> None:
        """Send DISCONNECT and end. Whatever waits for an answer fails."""
        self._send(packets.DISCONNECT)
        self._write()
        self._lose("closed")
        if self._transport is None:
            return
        self._transport.close()
        try:
            async with asyncio.timeout(_ANSWER_TIMEOUT_S):
                await self._closed.wait()
        except TimeoutError:
            # The broker does not read: what was written last is lost with the connection.
            self._transport.abort()

    # ---------------------------------------------------------------- what the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; asyncio has set TCP_NODELAY on it."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail whatever waits."""
        self._lose("the connection has ended" if exc is None else f"the connection has ended: {type(exc).__name__}")
        self._closed.set()

    def data_received(self, data: bytes) -> None:
        """Handle the packets that are whole by now."""
        self._has_received = True
        try:
            for head, body in self._splitter.packets(data):
                if head >> 4 == packets.PUBLISH:
                    topic, payload, number, retained = packets.read_publish(head, body)
                    self._arrived.append(Incoming(topic, payload, number, self, retained=retained))
                else:
                    self._handle(head >> 4, body)
        except MalformedPacketError:
            self._lose("the broker sent what is no packet")
        if self._arrived:
            self._is_arrived.set()

    # ---------------------------------------------------------------- inside

    def _handle(self, kind: int, body: bytes) -> None:
        if kind == packets.PUBACK:
            self._count_out(*packets.read_puback(body))
        elif kind in {packets.CONNACK, packets.SUBACK} and self._answer is not None:
            if not self._answer.done():
                self._answer.set_result(body)
        elif kind == packets.SERVER_DISCONNECT:
            self._lose(f"the broker ended the connection: {packets.read_disconnect(body):#x}")
        elif kind != packets.PINGRESP:
            raise MalformedPacketError

    def _count_out(self, number: int, reason: int) -> None:
        published = self._unacknowledged.pop(number, None)
        if published is None:
            return
        if reason >= packets.FAILURE:
            # To publish it again would be refused again.
            log.warning("broker_refused_message", reason=reason)
        published.count -= 1
        if not published.count and not published.done.done():
            published.done.set_result(None)
        self._send_within_window()

    def _send_within_window(self) -> None:
        while self._unsent and len(self._unacknowledged) < self._window:
            topic, payload, published = self._unsent.popleft()
            number = self._next_number()
            self._unacknowledged[number] = published
            self._send(packets.publish_packet(topic, payload, number))

    def _next_number(self) -> int:
        """Return a number that no unacknowledged packet has; the window is far smaller than all numbers."""
        while True:
            self._number = self._number % packets.NUMBER_MAX + 1
            if self._number not in self._unacknowledged:
                return self._number

    async def _ask(self, packet: bytes) -> bytes:
        if self._lost is not None:
            raise BrokerLostError(self._lost)
        self._answer = self._loop.create_future()
        self._send(packet)
        return await self._answer

    def _send(self, packet: bytes) -> None:
        if self._lost is not None:
            return
        if not self._unwritten:
            self._loop.call_soon(self._write)
        self._unwritten.append(packet)

    def _write(self) -> None:
        if self._unwritten and self._transport is not None and self._lost is None:
            self._transport.write(b"".join(self._unwritten))
        self._unwritten.clear()

    def _keep_alive(self) -> None:
        """Ask for a sign of life, and lose a broker that gave none since it was asked last."""
        if not self._has_received:
            self._lose("the broker is silent")
            return
        self._has_received = False
        self._send(packets.PINGREQ)
        self._beat = self._loop.call_later(self._ping_every_s, self._keep_alive)

    def _lose(self, reason: str) -> None:
        """Mark the connection as over and wake every waiter; the first reason is kept."""
        if self._lost is not None:
            return
        self._lost = reason
        if self._beat is not None:
            self._beat.cancel()
        waiting = {published.done for published in self._unacknowledged.values()}
        waiting |= {published.done for _, _, published in self._unsent}
        for future in (*waiting, self._answer):
            if future is not None and not future.done():
                future.set_exception(BrokerLostError(reason))
                # Who waited may be cancelled in this same turn: asyncio would report that nobody saw the exception.
                future.exception()
        self._is_arrived.set()
        if reason != "closed" and self._transport is not None:
            self._transport.abort()


@contextlib.asynccontextmanager
async def _answered() -> AsyncIterator[None]:
    """Give the broker its time to answer.

    Not asyncio.wait_for, which in Python 3.11 swallows a cancellation that comes together with the answer: a cancelled
    bridge would then never end.
    """
    try:
        async with asyncio.timeout(_ANSWER_TIMEOUT_S):
            yield
    except TimeoutError as error:
        message = "the broker did not answer in time"
        raise BrokerLostError(message) from error
    except MalformedPacketError as error:
        message = "the broker sent what is no packet"
        raise BrokerLostError(message) from error


@contextlib.asynccontextmanager
async def connect(settings: Settings, client_id: str, *, keep_session: bool) -> AsyncIterator[Connection]:
    """Connect to the broker's backend listener; with ``keep_session`` the broker keeps what comes while we are away.

    Of several brokers the first one that lets us in. Raises BrokerLostError when none does, or when it goes away.
    """
    known = broker_addresses(settings.backend_addresses())
    lost = BrokerLostError("there is no broker to try")
    for address in known.in_turn():
        connection = Connection()
        try:
            await _open(connection, settings, address, client_id, keep_session=keep_session)
        except BrokerLostError as error:
            known.note_failure(address, error)
            lost = error
            continue
        known.note_success(address)
        break
    else:
        raise lost
    try:
        yield connection
    finally:
        await connection.close()


async def _open(
    connection: Connection, settings: Settings, address: Address, client_id: str, *, keep_session: bool
) -> None:  # fmt: skip
    """Connect to one broker and log in; a connection that fails or is cancelled meanwhile is closed."""
    tls = ssl.create_default_context(cafile=settings.broker_ca_file) if settings.broker_ca_file else None
    try:
        async with _answered():
            try:
                await asyncio.get_running_loop().create_connection(lambda: connection, *address, ssl=tls)
            except OSError as error:
                # A refused certificate is an OSError as well.
                message = f"the broker was not reached: {type(error).__name__}"
                raise BrokerLostError(message) from error
            await connection.log_in(settings, client_id, keep_session=keep_session)
    except BaseException:
        await connection.close()
        raise
