"""The broker's and the backend's place on the wire: an MQTT 3.1.1 listener for the watch under test.

It shows what a broker hides from its clients: CONNECT with its flags, the order of SUBACK and the first publish, QoS
and retain of each publish. It also does what a broker does on no request: refuse a log-in, cut a connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from services.device_sim.conformance.frames import Connect, Frame, FrameKind
from services.device_sim.watch import mqtt_packets as packets
from services.device_sim.watch.mqtt_packets import PacketBrokenError, PacketType
from services.protocol.topics import ROOT

_LENGTH_BYTES_MAX = 4
_PACKET_MAX_BYTES = 256 * 1024
_CONNECT_WITHIN_S = 15.0
# A watch that publishes before SUBACK is noticed only where SUBACK takes a while.
_SUBACK_AFTER_S = 0.15
_ACCEPTED, _BAD_LEVEL, _BAD_LOGIN = 0, 1, 4
_CONNACK, _SUBACK, _PINGRESP = 0x20, 0x90, 0xD0


@dataclass
class _Session:
    number: int
    user: str
    writer: asyncio.StreamWriter
    subscriptions: set[str] = field(default_factory=set)
    next_id: int = 0

    def take_id(self) -> int:
        self.next_id = self.next_id % 0xFFFF + 1
        return self.next_id


class CheckEndpoint(Protocol):
    """The place between a bench and the watch: a listener of its own, or a client of a broker."""

    sees_connections: bool
    refused: set[str]
    passwords: dict[str, str]
    port: int

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        """Be there for the watch; raises OSError."""

    async def stop(self) -> None:
        """Go away."""

    def is_connected(self, user: str) -> bool:
        """Return whether this user is there."""

    def cut(self, user: str) -> None:
        """End a user's connection without a word."""

    def send(self, user: str, level: str, payload: bytes) -> bool:
        """Publish to a user's `down/`; return whether the user was there."""


class Endpoint:
    """Accepts any user whose name is not in `refused`, and whose password fits where `passwords` knows one.

    `took` is called with each frame, in order.
    """

    sees_connections = True

    def __init__(self, took: Callable[[Frame], None]) -> None:
        self._took = took
        self._server: asyncio.Server | None = None
        self._sessions: dict[str, _Session] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._connections = 0
        self.refused: set[str] = set()
        self.passwords: dict[str, str] = {}
        self.port = 0

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        """Listen; port 0 lets the system choose. Raises OSError."""
        self._server = await asyncio.start_server(self._accept, host, port, ssl=tls)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close the listener and every connection."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def is_connected(self, user: str) -> bool:
        """Return whether this user is connected and has subscribed."""
        session = self._sessions.get(user)
        return session is not None and bool(session.subscriptions)

    def cut(self, user: str) -> None:
        """End a user's connection without a word."""
        session = self._sessions.pop(user, None)
        if session is not None:
            session.writer.transport.abort()

    def send(self, user: str, level: str, payload: bytes) -> bool:
        """Publish to a user's `down/` with QoS 1; return whether the user was there to receive it."""
        session = self._sessions.get(user)
        topic = f"{ROOT}/{user}/down/{level}"
        if session is None or not any(_matches(entry, topic) for entry in session.subscriptions):
            return False
        self._tell(FrameKind.SENT, session, level=level, topic=topic, payload=payload)
        session.writer.write(packets.publish_packet(topic, payload, session.take_id()))
        return True

    # ---------------------------------------------------------------- one connection

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        session: _Session | None = None
        try:
            session = await self._log_in(reader, writer)
            if session is not None:
                await self._serve(reader, session)
        except (OSError, EOFError, PacketBrokenError, TimeoutError, asyncio.CancelledError):
            pass
        finally:
            if session is not None:
                if self._sessions.get(session.user) is session:
                    del self._sessions[session.user]
                self._tell(FrameKind.LOST, session)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _log_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> _Session | None:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        async with asyncio.timeout(_CONNECT_WITHIN_S):
            first = await reader.readexactly(1)
            first_byte_s = loop.time() - began_s
            kind, _, body = await _rest_of_packet(first[0], reader)
        if kind != PacketType.CONNECT:
            raise PacketBrokenError("CONNECT")
        given = _read_connect(body, first_byte_s, loop.time() - began_s)
        self._connections += 1
        session = _Session(self._connections, given.username, writer)
        self._tell(FrameKind.CONNECT, session, connect=given)
        if given.level != 4:  # noqa: PLR2004 - MQTT 3.1.1
            writer.write(bytes([_CONNACK, 2, 0, _BAD_LEVEL]))
            return None
        known = self.passwords.get(given.username)
        if given.username in self.refused or (known is not None and known != given.password):
            self._tell(FrameKind.REFUSED, session)
            writer.write(bytes([_CONNACK, 2, 0, _BAD_LOGIN]))
            await writer.drain()
            return None
        self.cut(given.username)
        self._sessions[given.username] = session
        writer.write(bytes([_CONNACK, 2, 0, _ACCEPTED]))
        return session

    async def _serve(self, reader: asyncio.StreamReader, session: _Session) -> None:
        while True:
            first = await reader.readexactly(1)
            kind, flags, body = await _rest_of_packet(first[0], reader)
            if kind == PacketType.PUBLISH:
                self._take_publish(session, flags, body)
            elif kind == PacketType.SUBSCRIBE:
                self._take_subscribe(session, body)
            elif kind == PacketType.PUBACK:
                self._tell(FrameKind.PUBACK, session)
            elif kind == PacketType.PINGREQ:
                session.writer.write(bytes([_PINGRESP, 0]))
            elif kind == PacketType.DISCONNECT:
                self._tell(FrameKind.DISCONNECT, session)
                return
            else:
                raise PacketBrokenError("kind")
            await session.writer.drain()

    def _take_publish(self, session: _Session, flags: int, body: bytes) -> None:
        qos, retain = flags >> 1 & 0b11, bool(flags & 1)
        topic, rest = _string(body)
        packet_id, payload = (rest[:2], rest[2:]) if qos else (b"", rest)
        level = topic.removeprefix(f"{ROOT}/{session.user}/up/")
        if qos:
            session.writer.write(bytes([0x40, 2]) + packet_id)
        self._tell(FrameKind.PUBLISH, session, level=level, topic=topic, payload=payload, qos=qos, retain=retain)

    def _take_subscribe(self, session: _Session, body: bytes) -> None:
        packet_id, rest = body[:2], body[2:]
        granted, filters = bytearray(), []
        while rest:
            topic, rest = _string(rest)
            granted.append(min(rest[0], 1))
            filters.append(topic)
            self._tell(FrameKind.SUBSCRIBE, session, topic=topic, qos=rest[0])
            rest = rest[1:]
        packet = bytes([_SUBACK, 2 + len(granted)]) + packet_id + bytes(granted)
        asyncio.get_running_loop().call_later(_SUBACK_AFTER_S, self._acknowledge_filters, session, filters, packet)

    def _acknowledge_filters(self, session: _Session, filters: list[str], packet: bytes) -> None:
        if self._sessions.get(session.user) is session:
            session.subscriptions.update(filters)
            self._tell(FrameKind.SUBACK, session)
            session.writer.write(packet)

    def _tell(
        self,
        kind: FrameKind,
        session: _Session,
        *,
        level: str = "",
        topic: str = "",
        payload: bytes = b"",
        qos: int = 1,
        retain: bool = False,
        connect: Connect | None = None,
    ) -> None:
        at_s = asyncio.get_running_loop().time()
        self._took(Frame(kind, at_s, session.number, session.user, level, topic, payload, qos, retain, connect))


def _matches(topic_filter: str, topic: str) -> bool:
    wanted, given = topic_filter.split("/"), topic.split("/")
    for place, level in enumerate(wanted):
        if level == "#":
            return True
        if place >= len(given) or level not in {"+", given[place]}:
            return False
    return len(wanted) == len(given)


async def _rest_of_packet(first: int, reader: asyncio.StreamReader) -> tuple[int, int, bytes]:
    length = 0
    for place in range(_LENGTH_BYTES_MAX):
        digit = (await reader.readexactly(1))[0]
        length |= (digit & 0x7F) << 7 * place
        if not digit & 0x80:
            break
    if length > _PACKET_MAX_BYTES:
        raise PacketBrokenError("length")
    return first >> 4, first & 0x0F, await reader.readexactly(length)


def _string(body: bytes) -> tuple[str, bytes]:
    length = int.from_bytes(body[:2], "big")
    if len(body) < 2 + length:
        raise PacketBrokenError("string")
    return body[2 : 2 + length].decode(errors="replace"), body[2 + length :]


def _bytes(body: bytes) -> tuple[bytes, bytes]:
    length = int.from_bytes(body[:2], "big")
    if len(body) < 2 + length:
        raise PacketBrokenError("string")
    return body[2 : 2 + length], body[2 + length :]


def _read_connect(body: bytes, first_byte_s: float, whole_s: float) -> Connect:
    _, rest = _string(body)
    if len(rest) < 4:  # noqa: PLR2004 - level, flags and keepalive
        raise PacketBrokenError("CONNECT")
    level, flags, keepalive_s, rest = rest[0], rest[1], int.from_bytes(rest[2:4], "big"), rest[4:]
    if level != 4:  # noqa: PLR2004 - MQTT 5 has properties here, which nobody reads
        return Connect(level, bool(flags & 2), "", "", "", keepalive_s, None, b"", False, first_byte_s, whole_s)
    client_id, rest = _string(rest)
    will_topic, will_payload = None, b""
    if flags & 0b100:
        will_topic, rest = _string(rest)
        will_payload, rest = _bytes(rest)
    username, password = "", ""
    if flags & 0b1000_0000:
        username, rest = _string(rest)
    if flags & 0b0100_0000:
        password, rest = _string(rest)
    return Connect(
        level, bool(flags & 2), client_id, username, password, keepalive_s, will_topic, will_payload,
        bool(flags & 0b10_0000), first_byte_s, whole_s,
    )  # fmt: skip
