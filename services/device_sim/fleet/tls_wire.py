"""TLS for thousands of connections of one process: an OpenSSL object and two memory buffers for each.

asyncio's own TLS transport keeps a buffer of 256 kB for every connection.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Final, Protocol

_READ_BYTES: Final = 16_384


class Wire(Protocol):
    """The part of a transport that a watch of a fleet needs."""

    def write(self, data: bytes, /) -> None:
        """Send bytes."""

    def close(self) -> None:
        """Close after what was written."""

    def abort(self) -> None:
        """Close now."""


class Talker(Protocol):
    """The user of a connection."""

    def begin(self, wire: Wire) -> None:
        """Tell that bytes can be sent."""

    def data_received(self, data: bytes) -> None:
        """Take bytes."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell that the connection ended, or never began."""


def fleet_tls(ca_file: str) -> ssl.SSLContext:
    """Return the TLS settings of a watch: chain and host name are verified against `ca_file` only."""
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class PlainWire(asyncio.Protocol):
    """A connection without TLS."""

    __slots__ = ("_talker",)

    def __init__(self, talker: Talker) -> None:
        self._talker = talker

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a stream transport, please")
        self._talker.begin(transport)

    def data_received(self, data: bytes) -> None:
        """Pass bytes on."""
        self._talker.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass the end on."""
        self._talker.connection_lost(exc)


class TlsWire(asyncio.Protocol):
    """A connection with TLS; it is its own `Wire`."""

    __slots__ = ("_incoming", "_is_open", "_outgoing", "_talker", "_tls", "_transport")

    def __init__(self, talker: Talker, context: ssl.SSLContext, host: str) -> None:
        self._talker = talker
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._transport: asyncio.Transport | None = None
        self._is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a stream transport, please")
        self._transport = transport
        self._go_on()

    def data_received(self, data: bytes) -> None:
        """Decrypt and pass on."""
        self._incoming.write(data)
        self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass the end on."""
        self._transport = None
        self._talker.connection_lost(exc)

    def _go_on(self) -> None:
        try:
            if not self._is_open:
                self._tls.do_handshake()
                self._is_open = True
                self._talker.begin(self)
            while data := self._tls.read(_READ_BYTES):
                self._talker.data_received(data)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self.abort()
        self._send()

    def _send(self) -> None:
        if self._transport is not None and self._outgoing.pending:
            self._transport.write(self._outgoing.read())

    def write(self, data: bytes, /) -> None:
        """Encrypt and send."""
        if self._is_open:
            self._tls.write(data)
            self._send()

    def close(self) -> None:
        """Close after what was written."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close now."""
        if self._transport is not None:
            self._transport.abort()
