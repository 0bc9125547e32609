"""The watches' public door: passes bytes to Mosquitto, counts who does not get in, by address, and slows them down.

Mosquitto names no address when it refuses a login and has no way to slow anybody down. So its TLS listener stands on
loopback, and this stands in front of it. It opens nothing, for TLS ends in Mosquitto; it knows that a connection has
logged in because Mosquitto says so of the port it came from.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import cast

import structlog

from services.broker.gate_rules import FREE_FAILURES, PENDING_MAX, Failures, address_key, delay_s

log = structlog.get_logger()

_INNER_HOST = "127.0.0.1"
_INNER_CONNECT_S = 5.0
# A client that logs in and leaves at once is gone before Mosquitto's line about it is read.
_JUDGED_AFTER_S = 1.0


class _Side(asyncio.Protocol):
    """One end of a passage: what it receives goes to the other end, no faster than that end takes it."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: _Side | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.write(data)

    def pause_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            with contextlib.suppress(RuntimeError):
                self.other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's own signature
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()


class _Visitor(_Side):
    """A connection from outside, from its first packet to its end."""

    def __init__(self, gate: Gate) -> None:
        super().__init__()
        self._gate = gate
        self.key = ""
        self.inner_port = 0
        self.settled = False
        self._opening: asyncio.Task[None] | None = None
        self._early = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.key = address_key(str((transport.get_extra_info("peername") or ("unknown",))[0]))
        if self.transport is None or not self._gate.admit(self):
            transport.close()
            return
        self._opening = asyncio.create_task(self._open(self.transport, self._gate.delay_s(self.key)))

    def data_received(self, data: bytes) -> None:
        if self.other is None:
            self._early += data
        else:
            super().data_received(data)

    async def _open(self, outer: asyncio.Transport, wait_s: float) -> None:
        # Not in connection_made: up to Python 3.11.2 the loop begins to read after it, whatever it said.
        outer.pause_reading()
        await asyncio.sleep(wait_s)
        inner = _Side()
        inner.other = self
        try:
            async with asyncio.timeout(_INNER_CONNECT_S):
                transport, _ = await asyncio.get_running_loop().create_connection(
                    lambda: inner, _INNER_HOST, self._gate.inner_port
                )
        except OSError:
            # Mosquitto is being started again: no failure of whoever came.
            self._gate.settle(self)
            if self.transport is not None:
                self.transport.close()
            return
        transport.write(bytes(self._early))
        self._early.clear()
        self.other = inner
        self.inner_port = int(transport.get_extra_info("sockname")[1])
        self._gate.passing(self)
        if self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()
        else:
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._opening is not None:
            self._opening.cancel()
        self._gate.leave(self)


class Gate:
    """Listens at ``bind``:``port`` and passes on to Mosquitto's TLS listener at loopback's ``inner_port``."""

    def __init__(self, bind: str, port: int, inner_port: int) -> None:
        self.inner_port = inner_port
        self._bind = bind
        self._port = port
        self._failures = Failures()
        self._pending: dict[str, int] = {}
        self._by_inner_port: dict[int, _Visitor] = {}
        self._visitors: set[_Visitor] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Begin to listen; raises OSError when the port is taken."""
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Visitor(self), self._bind or None, self._port, backlog=4096
        )

    async def stop(self) -> None:
        """Close the door and every passage; a repeat does nothing."""
        if self._server is not None:
            self._server.close()
            for visitor in list(self._visitors):
                if visitor.transport is not None:
                    visitor.transport.abort()
            await self._server.wait_closed()
            self._server = None

    def note_login(self, inner_port: int) -> None:
        """Mosquitto says that the connection from this port has logged in."""
        visitor = self._by_inner_port.get(inner_port)
        if visitor is not None:
            self.settle(visitor)

    # ------------------------------------------------------------------------- what a visitor asks

    def delay_s(self, key: str) -> float:
        """Return how long this address waits now, in seconds."""
        return delay_s(self._failures.count(key, asyncio.get_running_loop().time()))

    def admit(self, visitor: _Visitor) -> bool:
        """Take note of a connection; False: too many of its address have not logged in yet."""
        if self._pending.get(visitor.key, 0) >= PENDING_MAX:
            return False
        self._visitors.add(visitor)
        self._count_pending(visitor.key, 1)
        return True

    def passing(self, visitor: _Visitor) -> None:
        """Remember by which port Mosquitto will name this connection."""
        self._by_inner_port[visitor.inner_port] = visitor

    def settle(self, visitor: _Visitor) -> None:
        """Take a connection as no failure of its address; a repeat changes nothing."""
        if not visitor.settled:
            visitor.settled = True
            self._count_pending(visitor.key, -1)

    def leave(self, visitor: _Visitor) -> None:
        """A connection has ended; what it was is judged when Mosquitto has had the time to say it."""
        if visitor in self._visitors:
            self._visitors.discard(visitor)
            asyncio.get_running_loop().call_later(_JUDGED_AFTER_S, self._judge, visitor)

    def _judge(self, visitor: _Visitor) -> None:
        """Count a connection that ended without a login as a failure of its address."""
        if self._by_inner_port.get(visitor.inner_port) is visitor:
            del self._by_inner_port[visitor.inner_port]
        if visitor.settled:
            return
        self.settle(visitor)
        failures = self._failures.note(visitor.key, asyncio.get_running_loop().time())
        if failures == FREE_FAILURES + 1:
            # Of an address nothing is logged but that there is one.
            log.warning("address_slowed", failures=failures, addresses=len(self._failures))

    def _count_pending(self, key: str, step: int) -> None:
        self._pending[key] = self._pending.get(key, 0) + step
        if self._pending[key] <= 0:
            del self._pending[key]
