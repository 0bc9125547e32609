"""Hold a lease, and refuse the transactions of a process that has lost it.

A process that is frozen keeps its connections, so that a lock which lives as long as a connection would be held for
ever. A lease ends by time, on the clock of Postgres. Its token fences: each transaction of the holder checks the token
under a shared advisory lock, and the next holder changes the token under the exclusive one. Therefore no transaction of
an earlier holder can commit after the change, whenever the process wakes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

import asyncpg
import structlog

from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.cancelling import cancellation_first
from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.db.frozen_clients import bound_transactions
from services.core.platform.db.notifying import CONNECTION_ERRORS

# A killed holder is followed after at most TTL_S and one poll; a frozen one once Postgres has ended its transaction.
TTL_S: Final = 6.0
_RENEW_S: Final = 2.0
_POLL_S: Final = 1.0
# Beyond this Postgres ends a transaction whose process does nothing: a frozen process would keep its row locks.
IDLE_IN_TRANSACTION_S: Final = 12
_CONNECT_TIMEOUT_S: Final = 10.0
_RECONNECT_S: Final = 0.5

_LOCK: Final = "hashtextextended('lease/' || $1::text, 0)"
# A holder that let go without saying so may be followed by itself at once.
_IS_FREE: Final = (
    "SELECT NOT EXISTS (SELECT FROM lease WHERE name = $1 AND holder <> $2 AND expires_at > clock_timestamp())"
)
_ACQUIRE: Final = """
INSERT INTO lease AS held (name, holder, token, expires_at)
VALUES ($1, $2, 1, clock_timestamp() + make_interval(secs => $3))
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, token = held.token + 1, expires_at = excluded.expires_at
WHERE held.expires_at <= clock_timestamp() OR held.holder = excluded.holder
RETURNING token
"""
_RENEW: Final = """
UPDATE lease SET expires_at = clock_timestamp() + make_interval(secs => $3)
WHERE name = $1 AND token = $2 RETURNING token
"""
_RELEASE: Final = "UPDATE lease SET expires_at = clock_timestamp() WHERE name = $1 AND token = $2"

log = structlog.get_logger()


class LeaseLostError(RuntimeError):
    """Another process holds the lease, or may hold it: stop what the lease covers."""


@dataclass(frozen=True)
class HeldLease:
    """A lease that this process holds until :attr:`lost` is set; ``token`` fences its transactions."""

    name: str
    token: int
    lost: asyncio.Event = field(default_factory=asyncio.Event, compare=False)


def new_holder() -> str:
    """Return a name that no other holder has and by which operators find this process: host, process id, random."""
    return f"{socket.gethostname()[:60]}/{os.getpid()}/{new_ref()}"


# A function call for a statement that other work begins with, with expressions for its name and its token.
IS_HELD: Final = "lease_is_held({}, {})"


async def check_lease(work: UnitOfWork, lease: HeldLease) -> None:
    """Raise LeaseLostError unless this token holds the lease, which then cannot change before this transaction ends."""
    rows = await work.fetch(f"SELECT {IS_HELD.format('$1', '$2')}", lease.name, lease.token)
    refuse_lost(lease, is_held=rows[0][0])


def refuse_lost(lease: HeldLease, *, is_held: bool) -> None:
    """Raise LeaseLostError as :func:`check_lease` does, by the value of `IS_HELD` in a statement of the transaction."""
    if not is_held:
        lease.lost.set()
        message = f"the lease {lease.name} is held by another process"
        raise LeaseLostError(message)


@contextlib.asynccontextmanager
async def hold_lease(
    database: Database, name: str, holder: str, *, ttl_s: float = TTL_S
) -> AsyncIterator[HeldLease]:  # fmt: skip
    """Wait for the lease and hold it for the block, renewing it; released at once when the block ends.

    ``holder`` is :func:`new_holder`, kept while the same part of a process may hold the lease again. The holder must
    stop as soon as :attr:`HeldLease.lost` is set: another process has followed. While Postgres is away nobody can
    follow and nothing can be committed, so that the holder goes on. Raises what the first connection raises.
    """
    async with _connection(database) as connection:
        lease = HeldLease(name, await _acquire(connection, name, holder, ttl_s))
        log.info("lease_acquired", lease=name, token=lease.token)
        renewing = asyncio.create_task(_keep_renewed(database, connection, lease, ttl_s))
        try:
            yield lease
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
            with contextlib.suppress(*CONNECTION_ERRORS):
                await connection.execute(_RELEASE, name, lease.token, timeout=_RENEW_S)


@contextlib.asynccontextmanager
async def _connection(database: Database) -> AsyncIterator[asyncpg.Connection]:
    # A process that freezes while it acquires must not hold the lock of the change for ever.
    settings = {"idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_S * 1000)}
    connection = await database.connect_direct(timeout=_CONNECT_TIMEOUT_S, server_settings=settings)
    try:
        await bound_transactions(connection, IDLE_IN_TRANSACTION_S)
        yield connection
    finally:
        await _close(connection)


async def _acquire(connection: asyncpg.Connection, name: str, holder: str, ttl_s: float) -> int:
    while True:
        if await connection.fetchval(_IS_FREE, name, holder):
            async with connection.transaction():
                # Waits for the transactions that an earlier holder has begun: none of them commits after the change.
                await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})", name)
                token = await connection.fetchval(_ACQUIRE, name, holder, ttl_s)
            if token is not None:
                return int(token)
        await asyncio.sleep(_POLL_S)


async def _keep_renewed(
    database: Database, connection: asyncpg.Connection, lease: HeldLease, ttl_s: float
) -> None:  # fmt: skip
    """Renew until another process holds the lease; a lost connection is replaced, for as long as it takes."""
    try:
        async with cancellation_first():
            await _renew(connection, lease, ttl_s)
    except CONNECTION_ERRORS as error:
        log.warning("lease_not_renewed", lease=lease.name, error=type(error).__qualname__)
    while not lease.lost.is_set():
        with contextlib.suppress(*CONNECTION_ERRORS):
            async with cancellation_first(), _connection(database) as another:
                await _renew(another, lease, ttl_s)
        await asyncio.sleep(_RECONNECT_S)


async def _renew(connection: asyncpg.Connection, lease: HeldLease, ttl_s: float) -> None:
    """Renew on this connection; the token decides: a lease that ended without a follower goes on."""
    while not lease.lost.is_set():
        if await connection.fetchval(_RENEW, lease.name, lease.token, ttl_s, timeout=_RENEW_S) is None:
            lease.lost.set()
            return
        await asyncio.sleep(_RENEW_S)


async def _close(connection: asyncpg.Connection) -> None:
    try:
        await connection.close(timeout=2)
    except CONNECTION_ERRORS:
        connection.terminate()
