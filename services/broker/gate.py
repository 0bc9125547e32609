"""The watches' public port: bounds connections without a log-in, slows failing addresses, forwards bytes to Mosquitto.

Mosquitto names no address when it refuses a log-in, has no deadline for one and cannot slow anybody down. So its TLS
listener stands on loopback and the gate in front of it. The gate decrypts nothing, since TLS ends in Mosquitto; it
learns of a log-in because Mosquitto logs the port that the connection came from. The exception are a few connections
whose CONNECT is read (:mod:`services.broker.wills`).
"""

from __future__ import annotations

import asyncio
import errno
import itertools
import socket
from collections.abc import Callable
from typing import Final

from services.broker.gate_rules import (
    EARLY_BYTES_MAX,
    FIRST_BYTE_DEADLINE_S,
    FREE_FAILURES,
    LOGIN_DEADLINE_S,
    Failures,
    Pending,
    RecentLogins,
    address_key,
    delay_s,
)
from services.broker.gate_side import Side, listen_at
from services.broker.opened_tls import OpenedTls
from services.broker.wills import WillReader
from services.core.platform.descriptors import descriptor_limit, is_exhaustion
from services.core.platform.log.rate_limited import RateLimitedLog
from services.core.platform.metrics.registry import counter

_INNER_HOST: Final = "127.0.0.1"
# From one address to one port the kernel has 28,232 local ports, and a closed connection keeps its port for a minute.
_SOURCES: Final = tuple(f"127.0.0.{number}" for number in range(2, 10))
_INNER_CONNECT_S: Final = 5.0
# A client that logs in and leaves at once is gone before Mosquitto's line about it is read.
_JUDGED_AFTER_S: Final = 1.0
_ACCEPT_RETRY_S: Final = 0.5
# A ClientHello and a CONNECT have less than 2 KB each; more is read only for connections that have logged in.
_READ_BYTES_BEFORE_LOGIN: Final = 4_096
# Kept for a connection that is delayed or waits for Mosquitto.
_WAITING_BYTES_MAX: Final = 16_384
# Database, health page, log, Mosquitto's pipes, files written in between.
DESCRIPTORS_RESERVED: Final = 256

_TURNED_AWAY = counter(
    "gate_closed", "Connections that the gate closed before a log-in, by reason.", reason=("full", "pending")
)
_NOT_LOGGED_IN = counter("gate_failures", "Connections that ended without a log-in.")


def connections_within(descriptors: int) -> int:
    """Return how many connections the gate keeps open with so many descriptors: each costs two."""
    return max(16, (descriptors - DESCRIPTORS_RESERVED) // 2)


class _Client(Side):
    """A connection from outside, from its acceptance to its end."""

    def __init__(self, gate: Gate) -> None:
        super().__init__()
        self._gate = gate
        self.key = ""
        self.inner: tuple[str, int] | None = None
        self.is_admitted = False
        self.has_logged_in = False
        self.closed_by_gate = False
        self.epoch: int | None = None
        self._early = b""
        self._early_bytes = 0
        self._is_delayed = False
        self._opening: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.key = address_key(str((transport.get_extra_info("peername") or ("unknown",))[0]))
        self.is_admitted = self._gate.admit(self)
        if not self.is_admitted:
            self.close()
            return
        wait_s = self._gate.delay_s(self.key)
        if wait_s:
            self._is_delayed = True
            self._call_after(wait_s, self._end_delay)
        else:
            self._call_after(FIRST_BYTE_DEADLINE_S, self.close)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's own signature
        return self._buffer if self.has_logged_in else self._buffer[:_READ_BYTES_BEFORE_LOGIN]

    def forward(self, data: bytes) -> None:
        if not self.has_logged_in:
            self._early_bytes += len(data)
            # Below the bound it is read also while it waits: otherwise nobody would notice that it has left.
            if self._early_bytes >= (_WAITING_BYTES_MAX if self.other is None else EARLY_BYTES_MAX):
                self._stop_reading()
        if self.other is None:
            self._early += data
            if not self._is_delayed:
                self._begin()
        else:
            super().forward(data)

    def close(self) -> None:
        """Close the connection at once; it counts as no failure."""
        self.closed_by_gate = True
        if self.transport is not None:
            self.transport.abort()

    def log_in(self) -> None:
        """Mosquitto has let it in: no deadline any more, and it is read at its own pace."""
        self.has_logged_in = True
        self._cancel_timer()
        self.may_read = True
        self.read_on()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._cancel_timer()
        if self._opening is not None:
            self._opening.cancel()
        self._gate.leave(self)

    def _stop_reading(self) -> None:
        self.may_read = False
        if self.transport is not None:
            self.transport.pause_reading()

    def _end_delay(self) -> None:
        self._is_delayed = False
        if self._early:
            self._begin()
        else:
            self._call_after(FIRST_BYTE_DEADLINE_S, self.close)

    def _begin(self) -> None:
        """The first bytes are here: connect to Mosquitto. A silent connection never costs it anything."""
        if self._opening is None:
            self.epoch = self._gate.epoch()
            self._call_after(LOGIN_DEADLINE_S, self.close)
            self._opening = asyncio.create_task(self._open())

    async def _open(self) -> None:
        inner = Side()
        inner.other = self
        transport = await self._gate.connect(inner)
        if transport is None or self.transport is None or self.transport.is_closing():
            # Mosquitto is being restarted, or descriptors ran out: no failure of this address.
            self.close()
            if transport is not None:
                transport.abort()
            return
        self.other = inner
        address, port = transport.get_extra_info("sockname")[:2]
        self.inner = (str(address), int(port))
        self._gate.forwarding(self)
        opened = self._gate.open_tls(self.key, self.transport, transport)
        if opened is not None:
            self.passes_on, inner.passes_on = opened.from_watch, opened.from_broker
        early, self._early = self._early, b""
        super().forward(early)
        if self._early_bytes < EARLY_BYTES_MAX:
            self.may_read = True
            self.read_on()

    def _call_after(self, delay_s: float, action: Callable[[], None]) -> None:
        self._cancel_timer()
        self._timer = asyncio.get_running_loop().call_later(delay_s, action)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Gate:
    """Listens at ``bind``:``port`` and forwards to Mosquitto's TLS listener at loopback's ``inner_port``.

    ``connections_max`` bounds all connections (default: what this process's descriptors allow). ``epoch`` returns a
    number that changes when Mosquitto is restarted, and None while Mosquitto does not know its users: a connection
    that did not log in is a failure of its address only if the number stayed the same from its beginning to its end.
    """

    def __init__(
        self,
        bind: str,
        port: int,
        inner_port: int,
        *,
        connections_max: int | None = None,
        epoch: Callable[[], int | None] = lambda: 0,
        wills: WillReader | None = None,
    ) -> None:
        self.inner_port = inner_port
        self.connections_max = connections_max or connections_within(descriptor_limit())
        self._bind = bind
        self._port = port
        self.epoch = epoch
        self.wills = wills
        self._failures = Failures()
        self._logins = RecentLogins()
        # A quarter: thousands of watches that are connected leave room for those that come back.
        self._pending: Pending[_Client] = Pending(max(8, self.connections_max // 4))
        self._by_inner: dict[tuple[str, int], _Client] = {}
        self._clients: set[_Client] = set()
        self._sources = itertools.cycle(_SOURCES)
        self._log = RateLimitedLog()
        self._listening: list[socket.socket] = []
        self._accepting: list[asyncio.Task[None]] = []

    @property
    def is_open(self) -> bool:
        """Whether it listens."""
        return bool(self._listening)

    async def start(self) -> None:
        """Listen; raises OSError when the port is taken. A repeat changes nothing."""
        if self._listening:
            return
        resolved = await asyncio.get_running_loop().getaddrinfo(
            self._bind or None, self._port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        try:
            for family, _, _, _, address in dict.fromkeys(resolved):
                self._listening.append(listen_at(family, address))
        except BaseException:
            self._close_sockets()
            raise
        self._accepting = [asyncio.create_task(self._accept(listening)) for listening in self._listening]

    async def stop(self) -> None:
        """Stop listening and close every connection; a repeat does nothing."""
        for task in self._accepting:
            task.cancel()
        await asyncio.gather(*self._accepting, return_exceptions=True)
        self._accepting = []
        self._close_sockets()
        for client in list(self._clients):
            client.close()

    def record_login(self, address: str, port: int, username: str) -> None:
        """Mosquitto has let in, as this user, the connection that came from this loopback address and port."""
        client = self._by_inner.get((address, port))
        if client is not None and not client.has_logged_in:
            self._pending.remove(client, client.key)
            self._logins.record(client.key, self._now_s())
            client.log_in()
            if self.wills is not None:
                self.wills.note_login(username)

    def record_refused_will(self) -> None:
        """Mosquitto has refused the will of one of the connections that have not logged in, or have just ended so."""
        if self.wills is not None:
            self.wills.suspect({client.key for client in self._by_inner.values() if not client.has_logged_in})

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._clients)

    @property
    def pending(self) -> int:
        """How many of them have not logged in."""
        return len(self._pending)

    @property
    def failing_addresses(self) -> int:
        """How many addresses had a failed log-in lately."""
        return len(self._failures)

    def delay_s(self, key: str) -> float:
        """Return how long the next connection of this address waits, in seconds; none after a recent log-in."""
        if self._logins.count(key, self._now_s()):
            return 0.0
        return delay_s(self._failures.count(key, self._now_s()))

    # ------------------------------------------------------------------------- called by connections

    def admit(self, client: _Client) -> bool:
        """Add a connection, closing an older one without a log-in where a bound is reached.

        False: every connection of a full gate has logged in, and the newcomer has to be closed.
        """
        if len(self._clients) >= self.connections_max:
            oldest = self._pending.oldest()
            if oldest is None:
                _TURNED_AWAY.count(reason="full")
                self._log.error("gate_full", connections=len(self._clients))
                return False
            self._close(oldest)
        victim = self._pending.add(client, client.key, self._logins.count(client.key, self._now_s()))
        self._clients.add(client)
        if victim is not None:
            _TURNED_AWAY.count(reason="pending")
            self._log.warning("gate_closed_pending", pending=len(self._pending))
            self._close(victim)
        return True

    def forwarding(self, client: _Client) -> None:
        """Remember the address and port by which Mosquitto will name this connection."""
        if client.inner is not None:
            self._by_inner[client.inner] = client

    def leave(self, client: _Client) -> None:
        """A connection has ended; it is judged when Mosquitto has had the time to log that it let it in."""
        self._clients.discard(client)
        self._pending.remove(client, client.key)
        if client.inner is not None:
            asyncio.get_running_loop().call_later(_JUDGED_AFTER_S, self._judge, client, client.inner)

    def open_tls(self, key: str, watch: asyncio.Transport, broker: asyncio.Transport) -> OpenedTls | None:
        """Return what reads this connection on its way; None, for nearly all, when its bytes pass as they are."""
        return None if self.wills is None else self.wills.open(key, watch, broker)

    async def connect(self, side: Side) -> asyncio.Transport | None:
        """Connect to Mosquitto from the next loopback address; None when that fails now."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_INNER_CONNECT_S):
                for source in itertools.islice(self._sources, len(_SOURCES)):
                    try:
                        transport, _ = await loop.create_connection(
                            lambda: side, _INNER_HOST, self.inner_port, local_addr=(source, 0)
                        )
                    except OSError as error:
                        # This address has no port left, or (outside Linux) does not exist.
                        if error.errno not in {errno.EADDRINUSE, errno.EADDRNOTAVAIL}:
                            raise
                    else:
                        return transport
                transport, _ = await loop.create_connection(lambda: side, _INNER_HOST, self.inner_port)
                return transport
        except OSError as error:
            self._log.warning("gate_cannot_connect", error=_error_name(error))
            return None

    # ------------------------------------------------------------------------- inside

    async def _accept(self, listening: socket.socket) -> None:
        """Accept for ever. The loop's own server, out of descriptors, logs once for each place of its backlog."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listening)
            except OSError as error:
                self._log.warning("gate_cannot_accept", error=_error_name(error))
                # The connection stays in the kernel's queue until descriptors are free again.
                if is_exhaustion(error):
                    await asyncio.sleep(_ACCEPT_RETRY_S)
                continue
            try:
                await loop.connect_accepted_socket(lambda: _Client(self), sock=connection)
            except OSError:
                connection.close()  # it was gone before it was here

    def _close(self, client: _Client) -> None:
        # Out of the books at once; the socket itself is closed in the next round of the loop.
        self._clients.discard(client)
        self._pending.remove(client, client.key)
        client.close()

    def _judge(self, client: _Client, inner: tuple[str, int]) -> None:
        """Count a connection that ended without a log-in as a failure of its address, unless the gate ended it."""
        if self._by_inner.get(inner) is client:
            del self._by_inner[inner]
        if client.has_logged_in or client.closed_by_gate or client.epoch is None:
            return
        if client.epoch != self.epoch():
            return
        _NOT_LOGGED_IN.count()
        failures = self._failures.record(client.key, self._now_s())
        if failures == FREE_FAILURES + 1:
            # The log holds no address, only that there is one.
            self._log.warning("address_slowed", failures=failures, addresses=len(self._failures))

    def _close_sockets(self) -> None:
        for listening in self._listening:
            listening.close()
        self._listening = []

    @staticmethod
    def _now_s() -> float:
        return asyncio.get_running_loop().time()


def _error_name(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, type(error).__name__) if error.errno else type(error).__name__
