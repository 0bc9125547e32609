"""One end of a connection through the gate, and the socket at which connections arrive."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Final, cast

_BACKLOG: Final = 4096
_READ_BYTES: Final = 65_536


class Side(asyncio.BufferedProtocol):
    """One end of a connection through the gate: forwards what it receives at the pace of the other end."""

    # Shared: the event loop fills it and calls buffer_updated before it does anything else.
    _buffer = memoryview(bytearray(_READ_BYTES))

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: Side | None = None
        self.may_read = True
        # Where what it receives goes instead of to the other end, for a connection that is read on its way.
        self.passes_on: Callable[[bytes], None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's own signature
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.forward(bytes(self._buffer[:nbytes]))

    def forward(self, data: bytes) -> None:
        if self.passes_on is not None:
            self.passes_on(data)
        elif self.other is not None and self.other.transport is not None:
            self.other.transport.write(data)

    def pause_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None:
            self.other.read_on()

    def read_on(self) -> None:
        if self.may_read and self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's own signature
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()


def listen_at(family: int, address: object) -> socket.socket:
    """Return a socket that listens at an address of getaddrinfo; OSError when it is taken."""
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            with contextlib.suppress(OSError):
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.setblocking(False)
        listening.bind(cast("tuple[str, int]", address))
        listening.listen(_BACKLOG)
    except BaseException:
        listening.close()
        raise
    return listening
