"""The connection of one unit of work, which statements of the driver and its session share.

It is checked out with the first statement. What runs statements of the driver only needs no session: to enlist a
connection in one, and to commit by it, takes four times as long as the statement.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import asyncpg
from sqlalchemy import Connection, Engine
from sqlalchemy.util import greenlet_spawn
from sqlmodel import Session

from services.core.platform.db.late_begin import begin_now


class WorkConnection:
    """At most one connection at a time of an engine, and its transaction.

    After `release` the next statement checks out another one.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        # The same as SQLAlchemy's dialect adapts it to the driver; untyped.
        self._adapted: Any = None

    def checked_out(self) -> Connection:
        """Return the connection, in a greenlet: SQLAlchemy may open it or look whether it is alive."""
        if self._connection is None:
            self._connection = self._engine.connect()
            self._adapted = self._connection.connection.dbapi_connection
        return self._connection

    @property
    def is_checked_out(self) -> bool:
        """Whether there is a connection to be released."""
        return self._connection is not None

    @property
    def has_begun(self) -> bool:
        """Whether a transaction has begun."""
        return self._adapted is not None and self._adapted._transaction is not None  # noqa: SLF001 - of the dialect

    async def begin(self) -> None:
        """Begin a transaction unless one has begun."""
        await self._check_out()
        # SQLAlchemy begins with its own first statement. To send one only for that would cost a round trip.
        if self.has_begun:
            return
        begin_now(self._adapted)
        try:
            await self._adapted._start_transaction()  # noqa: SLF001
        except asyncio.CancelledError:
            # BEGIN may have taken effect, and nobody would roll it back: all later transactions of this connection
            # would be savepoints inside it, and never committed.
            await self._let_go()
            raise

    async def fetch(self, statement: str, arguments: tuple[object, ...]) -> list[asyncpg.Record]:
        """Run a statement of the driver, in the transaction if one has begun."""
        await self._check_out()
        try:
            rows: list[asyncpg.Record] = await self._adapted.driver_connection.fetch(statement, *arguments)
        except asyncio.CancelledError:
            await self._let_go()
            raise
        return rows

    async def commit(self) -> None:
        """Commit what statements of the driver have begun; nothing if the session has committed or none has begun."""
        if not self.has_begun:
            return
        adapted = self._adapted
        try:
            await adapted._call_and_discard(adapted._transaction.commit)  # noqa: SLF001
        except asyncio.CancelledError:
            # COMMIT may have taken effect, and its answer is still on the way: the connection cannot be used again.
            await self._let_go()
            raise

    def release(self) -> None:
        """Return the connection to the pool, which rolls back what has begun; in a greenlet."""
        connection, self._connection, self._adapted = self._connection, None, None
        if connection is not None:
            connection.close()

    async def _check_out(self) -> None:
        if self._connection is None:
            await greenlet_spawn(self.checked_out)

    async def _let_go(self) -> None:
        """Close the connection after a cancelled statement, as SQLAlchemy does after its own.

        A rollback would wait for the end of the statement, and a Postgres that stands still would hold up whoever was
        cancelled.
        """
        connection = self._connection
        if connection is None:
            return
        # A connection that is lost in the same moment is closed already: what is said of it must not replace the
        # cancellation that is about to be raised again.
        with contextlib.suppress(Exception):
            await greenlet_spawn(connection.invalidate)


class SessionOnConnection(Session):
    """A session whose statements all run on the connection of a unit of work, which it releases when it is closed."""

    def __init__(self, *arguments: Any, connection: WorkConnection, **options: Any) -> None:  # noqa: ANN401
        super().__init__(*arguments, **options)
        self._work_connection = connection

    def get_bind(self, *_: Any, **__: Any) -> Connection:  # noqa: ANN401 - of the session
        """Return the connection, whatever is asked for: there is one database."""
        return self._work_connection.checked_out()

    def close(self) -> None:
        """Roll back what is not committed, and return the connection; in a greenlet."""
        super().close()
        self._work_connection.release()
