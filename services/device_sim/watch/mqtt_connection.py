"""One MQTT 3.1.1 connection on asyncio streams.

Written by hand, because a watch must do what libraries hide: acknowledge a message only once it is stored (aiomqtt
acknowledges before), vanish without a goodbye (so that its will is sent), and run a thousand connections in one process
without a thread for each attempt to connect.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Self

from services.device_sim.watch import mqtt_packets as packets
from services.device_sim.watch.line import ByteReader, ByteWriter, Line, LoginPacket, PublishPacket
from services.device_sim.watch.mqtt_packets import PacketBrokenError, PacketType, Published, Will

_FAILURE = 0x80
_LOGIN_REFUSED = frozenset({4, 5})  # CONNACK 3.2.2.3: bad user name or password, not authorised
_LENGTH_BYTES_MAX = 4


class ConnectionLostError(Exception):
    """The broker was not reached, closed the connection, or fell silent. `reason` is one word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class LoginRefusedError(Exception):
    """The broker refuses this user and states no reason."""


@dataclass(frozen=True)
class BrokerAddress:
    """Address of the broker. `tls` None: plain TCP, for loopback in development only."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True)
class Login:
    """User name, password and client id."""

    username: str
    password: str
    client_id: str


class MqttConnection:
    """One connection, from CONNACK to its end. Every method raises ConnectionLostError afterwards."""

    def __init__(
        self,
        streams: tuple[ByteReader, ByteWriter],
        keepalive_s: int,
        answer_timeout_s: float,
        line: Line,
    ) -> None:
        self._reader, self._writer = streams
        self._line = line
        self._keepalive_s = keepalive_s
        self._answer_timeout_s = answer_timeout_s
        self._incoming: asyncio.Queue[Published | None] = asyncio.Queue()
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._next_id = 0
        self._lost: str | None = None
        self._ping_answered = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def open(
        cls,
        address: BrokerAddress,
        login: Login,
        *,
        will: Will | None = None,
        keepalive_s: int = 240,
        timeout_s: float = 10.0,
        line: Line | None = None,
    ) -> Self:
        """Connect and log in; `line` changes what goes over it. Raises ConnectionLostError or LoginRefusedError."""
        try:
            async with asyncio.timeout(timeout_s):
                reader, writer = await asyncio.open_connection(address.host, address.port, ssl=address.tls)
        except TimeoutError:
            raise ConnectionLostError("not_reached") from None
        except ssl.SSLError:
            raise ConnectionLostError("certificate_refused") from None
        except OSError:
            raise ConnectionLostError("not_reached") from None
        line = line or Line()
        connection = cls(line.connected(reader, writer), keepalive_s, timeout_s, line)
        try:
            await connection._log_in(login, will, timeout_s)
        except BaseException:
            connection.abort()
            raise
        connection._tasks = [
            asyncio.create_task(connection._read_all()),
            asyncio.create_task(connection._keep_alive()),
        ]
        return connection

    async def subscribe(self, topic_filter: str, *, qos: int = 1) -> int:
        """Subscribe and return the granted QoS after SUBACK; a refused filter ends the connection."""
        packet_id = self._take_id()
        packet = packets.subscribe_packet(topic_filter, packet_id, qos)
        if not self._line.waits_for_suback:
            self._send(packet)
            return qos
        answer = await self._ask(packet_id, packet)
        if len(answer) < 3 or answer[2] == _FAILURE:  # noqa: PLR2004 - packet id and one return code
            self.abort()
            raise ConnectionLostError("subscription_refused")
        return answer[2]

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish with QoS 1 and return after PUBACK, which promises nothing. `retain` is for tests of bad input."""
        for packet in self._line.outgoing(PublishPacket(topic, payload, retain=retain)):
            if packet.after_s:
                await asyncio.sleep(packet.after_s)
            packet_id = self._take_id() if packet.qos else 0
            frame = packets.publish_packet(packet.topic, packet.payload, packet_id, retain=packet.retain)
            if packet_id:
                await self._ask(packet_id, frame)
            else:
                self._send(frame)

    async def messages(self) -> AsyncIterator[Published]:
        """Yield incoming messages; each is acknowledged when the next one is requested. Raises as above."""
        while True:
            message = await self._incoming.get()
            if message is None:
                self._incoming.put_nowait(None)
                raise ConnectionLostError(self._lost or "closed")
            yield message
            if message.packet_id is not None:
                self._send(packets.puback_packet(message.packet_id))

    async def close(self) -> None:
        """Send DISCONNECT and close: the broker then sends no will. Repeating the call does nothing."""
        if self._lost is None:
            with contextlib.suppress(OSError, ConnectionLostError, TimeoutError):
                self._send(packets.DISCONNECT)
                async with asyncio.timeout(self._answer_timeout_s):
                    await self._writer.drain()
        self._lose("closed", abort=False)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._writer.close()
        try:
            async with asyncio.timeout(self._answer_timeout_s):
                await self._writer.wait_closed()
        except TimeoutError:
            # A broker that does not answer the end of TLS: the socket would stay open for another half a minute.
            self._writer.transport.abort()
        except (OSError, ssl.SSLError):
            pass

    def abort(self) -> None:
        """Vanish as a watch does that loses network or power: without DISCONNECT, so the broker sends the will."""
        self._lose("aborted")

    # ---------------------------------------------------------------- inside

    async def _log_in(self, login: Login, will: Will | None, timeout_s: float) -> None:
        packet = self._line.login(LoginPacket(login.client_id, login.username, login.password, self._keepalive_s, will))
        self._send(
            packets.connect_packet(
                packet.client_id, packet.username, packet.password, packet.keepalive_s, packet.will,
                clean_session=packet.clean_session,
            )
        )  # fmt: skip
        try:
            async with asyncio.timeout(timeout_s):
                kind, _, body = await self._read_packet()
        except TimeoutError:
            raise ConnectionLostError("no_connack") from None
        except (OSError, EOFError, PacketBrokenError):
            raise ConnectionLostError("ended_before_connack") from None
        if kind != PacketType.CONNACK or len(body) != 2:  # noqa: PLR2004 - flags and return code
            raise ConnectionLostError("not_mqtt")
        if body[1] in _LOGIN_REFUSED:
            raise LoginRefusedError
        if body[1]:
            raise ConnectionLostError("broker_unavailable")

    def _take_id(self) -> int:
        self._next_id = self._next_id % 0xFFFF + 1
        return self._next_id

    async def _ask(self, packet_id: int, packet: bytes) -> bytes:
        if self._lost is not None:
            raise ConnectionLostError(self._lost)
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[packet_id] = answer
        try:
            self._send(packet)
            async with asyncio.timeout(self._answer_timeout_s):
                await self._drain()
                return await answer
        except TimeoutError:
            # A broker that does not acknowledge counts as gone, whatever TCP reports.
            self.abort()
            raise ConnectionLostError("no_acknowledgement") from None
        finally:
            self._waiting.pop(packet_id, None)
            answer.cancel()

    def _send(self, packet: bytes) -> None:
        if self._lost is not None:
            raise ConnectionLostError(self._lost)
        self._writer.write(packet)

    async def _drain(self) -> None:
        try:
            await self._writer.drain()
        except OSError:
            self._lose("ended")
            raise ConnectionLostError("ended") from None

    async def _read_packet(self) -> tuple[int, int, bytes]:
        first = (await self._reader.readexactly(1))[0]
        length = 0
        for place in range(_LENGTH_BYTES_MAX):
            digit = (await self._reader.readexactly(1))[0]
            length |= (digit & 0x7F) << 7 * place
            if not digit & 0x80:
                return first >> 4, first & 0x0F, await self._reader.readexactly(length)
        raise PacketBrokenError("length")

    async def _read_all(self) -> None:
        reason = "ended"
        try:
            while True:
                kind, flags, body = await self._read_packet()
                self._take(kind, flags, body)
        except PacketBrokenError:
            reason = "not_mqtt"
        except (OSError, EOFError):
            pass
        self._lose(reason)

    def _take(self, kind: int, flags: int, body: bytes) -> None:
        if kind == PacketType.PUBLISH:
            self._take_publish(packets.read_publish(flags, body))
        elif kind in {PacketType.PUBACK, PacketType.SUBACK}:
            answer = self._waiting.get(packets.read_packet_id(body))
            if answer is not None and not answer.done():
                answer.set_result(body)
        elif kind == PacketType.PINGRESP:
            self._ping_answered.set()
        else:
            raise PacketBrokenError("kind")

    def _take_publish(self, message: Published) -> None:
        received = self._line.incoming(message)
        if not received and message.packet_id is not None:
            self._send(packets.puback_packet(message.packet_id))
        for published in received:
            self._incoming.put_nowait(published)

    async def _keep_alive(self) -> None:
        # Half the keepalive, so that a late PINGREQ is within the 1.5 keepalives that the broker allows (3.1.2.10).
        while self._lost is None:
            await asyncio.sleep(self._keepalive_s / 2)
            self._ping_answered.clear()
            try:
                self._send(packets.PINGREQ)
                async with asyncio.timeout(self._answer_timeout_s):
                    await self._drain()
                    await self._ping_answered.wait()
            except (TimeoutError, ConnectionLostError):
                self._lose("silent")

    def _lose(self, reason: str, *, abort: bool = True) -> None:
        """Mark the connection as over and wake every waiter; the first reason is kept."""
        if self._lost is not None:
            return
        self._lost = reason
        if abort:
            self._writer.transport.abort()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(ConnectionLostError(reason))
        self._incoming.put_nowait(None)
        current = asyncio.current_task()
        for task in self._tasks:
            if task is not current:
                task.cancel()
