"""Takes part in the TLS of one connection through the gate, so that its CONNECT can be read on its way."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from typing import Final

from services.broker.connect_packet import Connect, NotConnectError, read_connect
from services.broker.gate_rules import EARLY_BYTES_MAX

_READ_BYTES: Final = 65_536


class _End:
    """TLS with one of the two: bytes of the network in and out, and what they say."""

    def __init__(self, context: ssl.SSLContext, transport: asyncio.Transport, *, server_side: bool) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=server_side)
        self._transport = transport
        self._waiting = b""
        self._is_ready = self._is_told_the_end = False

    def receive(self, data: bytes) -> None:
        self._in.write(data)

    def read(self) -> bytes | None:
        """Return the bytes received since the last call, or None once the peer has closed its direction."""
        received = bytearray()
        with contextlib.suppress(ssl.SSLWantReadError):
            self._shake_hands()
            while True:
                part = self._tls.read(_READ_BYTES)
                if not part:
                    return bytes(received) or None
                received += part
        return bytes(received)

    def write(self, data: bytes) -> None:
        """Say this, once the handshake is over."""
        self._waiting += data
        with contextlib.suppress(ssl.SSLWantReadError):
            self._shake_hands()
            if self._waiting:
                self._tls.write(self._waiting)
                self._waiting = b""

    def end(self) -> None:
        """Say that nothing follows; a repeat does nothing."""
        if not self._is_told_the_end:
            self._is_told_the_end = True
            with contextlib.suppress(ssl.SSLError):
                self._tls.unwrap()

    def send(self) -> None:
        """Give to the network what is to be sent."""
        if self._out.pending:
            self._transport.write(self._out.read())

    def close(self) -> None:
        self._transport.close()

    def _shake_hands(self) -> None:
        if not self._is_ready:
            self._tls.do_handshake()
            self._is_ready = True


class OpenedTls:
    """Passes on what the watch and Mosquitto say, unchanged, and calls ``on_connect`` with the watch's first packet."""

    def __init__(
        self,
        to_watch: tuple[ssl.SSLContext, asyncio.Transport],
        to_broker: tuple[ssl.SSLContext, asyncio.Transport],
        on_connect: Callable[[Connect], None],
    ) -> None:
        self._watch = _End(*to_watch, server_side=True)
        self._broker = _End(*to_broker, server_side=False)
        self._on_connect: Callable[[Connect], None] | None = on_connect
        self._first = b""

    def from_watch(self, data: bytes) -> None:
        """Take what the watch sent."""
        self._watch.receive(data)
        self._pass_on()

    def from_broker(self, data: bytes) -> None:
        """Take what Mosquitto sent."""
        self._broker.receive(data)
        self._pass_on()

    def _pass_on(self) -> None:
        try:
            sent = self._watch.read()
            if sent:
                self._look_at(sent)
            # Also without a word: it begins the handshake, and sends what waited for its end.
            self._hand_over(sent, self._broker)
            self._hand_over(self._broker.read(), self._watch)
        except ssl.SSLError:
            # As Mosquitto does it: an alert, if there is one, and the end of the connection.
            for end in (self._watch, self._broker):
                end.send()
                end.close()
            return
        self._watch.send()
        self._broker.send()

    @staticmethod
    def _hand_over(data: bytes | None, to: _End) -> None:
        if data is None:
            to.end()
        else:
            to.write(data)

    def _look_at(self, data: bytes) -> None:
        if self._on_connect is None:
            return
        self._first += data
        try:
            connect = read_connect(self._first)
        except NotConnectError:
            connect = None
        else:
            if connect is None and len(self._first) < EARLY_BYTES_MAX:
                return
        on_connect, self._on_connect, self._first = self._on_connect, None, b""
        if connect is not None:
            on_connect(connect)
