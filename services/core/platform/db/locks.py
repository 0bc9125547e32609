"""Locks with one holder, which end with the process that holds them.

Each lock is an advisory lock of a connection of its own, so that no transaction is open meanwhile. Connections are kept
for the next lock: to open one costs several milliseconds of CPU on both sides, half of them for the password.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import asyncpg

from services.core.platform.db.notifying import CONNECTION_ERRORS

# Idle connections that are kept; a worker makes two renditions at a time.
_KEPT_MAX: Final = 2
_TIMEOUT_S: Final = 10.0
_CLOSE_TIMEOUT_S: Final = 2.0
_TRY: Final = "SELECT pg_try_advisory_lock(hashtextextended($1, 0))"
_RELEASE: Final = "SELECT pg_advisory_unlock(hashtextextended($1, 0))"


class OneHolderLocks:
    """The locks of one process on one database."""

    def __init__(self, connect: Callable[..., Awaitable[asyncpg.Connection]]) -> None:
        """``connect`` opens a connection within ``timeout`` seconds."""
        self._connect = connect
        self._kept: list[asyncpg.Connection] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    @contextlib.asynccontextmanager
    async def try_lock(self, name: str) -> AsyncIterator[bool]:
        """Try the lock ``name`` for the block, without waiting; yields whether it is ours. A killed process frees it.

        Raises what a connection raises that cannot be opened.
        """
        connection, is_ours = await self._try(name)
        try:
            yield is_ours
        finally:
            await self._release(connection, name, is_ours=is_ours)

    async def _try(self, name: str) -> tuple[asyncpg.Connection, bool]:
        if self._loop is not asyncio.get_running_loop():
            # Connections of a loop that has ended cannot be used in this one.
            self._loop, self._kept = asyncio.get_running_loop(), []
        while self._kept:
            connection = self._kept.pop()
            # One that was lost since its last use is replaced.
            with contextlib.suppress(*CONNECTION_ERRORS):
                return connection, await _ask(connection, _TRY, name)
        connection = await self._connect(timeout=_TIMEOUT_S)
        return connection, await _ask(connection, _TRY, name)

    async def _release(self, connection: asyncpg.Connection, name: str, *, is_ours: bool) -> None:
        with contextlib.suppress(*CONNECTION_ERRORS):
            if is_ours:
                await _ask(connection, _RELEASE, name)
            if len(self._kept) < _KEPT_MAX and not connection.is_closed():
                self._kept.append(connection)
            else:
                await _close(connection)

    async def close(self) -> None:
        """Close the connections that are kept."""
        if self._loop is not asyncio.get_running_loop():
            return
        while self._kept:
            await _close(self._kept.pop())


async def _ask(connection: asyncpg.Connection, statement: str, name: str) -> bool:
    """Return the answer; a connection whose statement fails or is cancelled is closed, which frees its lock."""
    try:
        return await connection.fetchval(statement, name, timeout=_TIMEOUT_S) is True
    except BaseException:
        connection.terminate()
        raise


async def _close(connection: asyncpg.Connection) -> None:
    try:
        await connection.close(timeout=_CLOSE_TIMEOUT_S)
    except CONNECTION_ERRORS:
        connection.terminate()
