"""The line between a watch and its broker: what it does with packets and bytes. This one changes nothing."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.device_sim.watch.mqtt_packets import Published, Will


@dataclass(frozen=True)
class LoginPacket:
    """Fields of CONNECT."""

    client_id: str
    username: str
    password: str
    keepalive_s: int
    will: Will | None
    clean_session: bool = True


@dataclass(frozen=True)
class PublishPacket:
    """One publish of the watch. `after_s` delays it."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False
    after_s: float = 0.0


class ByteReader(Protocol):
    """The part of a stream reader that a connection needs."""

    async def readexactly(self, n: int, /) -> bytes:
        """Return exactly n bytes."""


class ByteWriter(Protocol):
    """The part of a stream writer that a connection needs."""

    @property
    def transport(self) -> asyncio.WriteTransport:
        """The transport below."""

    def write(self, data: bytes, /) -> None:
        """Send bytes."""

    async def drain(self) -> None:
        """Return once there is room."""

    def close(self) -> None:
        """Close."""

    async def wait_closed(self) -> None:
        """Return once closed."""


class Line:
    """A line without faults. One object serves every connection of a watch, one after the other."""

    waits_for_suback = True

    def __init__(self) -> None:
        # Restarts the watch; the watch sets it.
        self.on_reboot: Callable[[], None] = lambda: None

    def tls(self, context: ssl.SSLContext) -> ssl.SSLContext:
        """Return the TLS settings of a connection."""
        return context

    def login(self, packet: LoginPacket) -> LoginPacket:
        """Return the CONNECT that is sent."""
        return packet

    def outgoing(self, packet: PublishPacket) -> Sequence[PublishPacket]:
        """Return what is sent instead of a publish; nothing means that the modem acknowledges and drops it."""
        return (packet,)

    def incoming(self, message: Published) -> Sequence[Published]:
        """Return what the watch receives instead of a message; what is dropped is acknowledged all the same."""
        return (message,)

    def connected(self, reader: ByteReader, writer: ByteWriter) -> tuple[ByteReader, ByteWriter]:
        """Return the streams of a new connection, as they are or through a fault of bytes."""
        return reader, writer
