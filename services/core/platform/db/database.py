"""Engine, unit of work, notifications and a lock that is tried.

A use case writes to a :class:`UnitOfWork`; its caller commits. All times of one unit of work are the same instant.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import asyncpg
from sqlalchemy import CursorResult, Executable, NullPool, event, text
from sqlalchemy.engine.interfaces import AdaptedConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from services.core.platform.clock import Clock, clock_of, system_clock
from services.core.platform.crypto.vault import Vault
from services.core.platform.db.all_tables import load_all_tables
from services.core.platform.db.restore_guard import RestoreGuard
from services.core.platform.erasure_ledger import ErasureLedger
from services.core.platform.errors import CoreError
from services.core.platform.retention import Retention
from services.core.platform.settings import Environment, Settings


class DatabaseLostError(ConnectionError):
    """The connection that listens or holds a lock was lost."""


@dataclass(frozen=True)
class Notification:
    """One NOTIFY: its channel and its payload (an id, never content)."""

    channel: str
    payload: str


class UnitOfWork:
    """One transaction: its session, its time, the keys for sealing, the periods of retention, the product's host."""

    def __init__(
        self,
        session: AsyncSession,
        now: datetime,
        vault: Vault,
        retention: Retention,
        host: str = "localhost",
        *,
        is_production: bool = False,
    ) -> None:
        self.session = session
        self.now = now
        self.vault = vault
        self.retention = retention
        # Where guardians open the product; text messages name it.
        self.host = host
        # Outside production what a site has not stated yet is filled with fictional values.
        self.is_production = is_production
        self._keeps_refusal = False
        # Whether an entry of this transaction already records the refusal.
        self.refusal_is_recorded = False
        self._postponed: dict[Callable[[UnitOfWork, list[Any]], Awaitable[None]], list[Any]] = {}

    def keep_refusal(self) -> None:
        """Commit what was written although a CoreError follows: a counted try, an audit entry of a refusal."""
        self._keeps_refusal = True

    @property
    def keeps_refusal(self) -> bool:
        """Whether a CoreError now commits instead of rolling back."""
        return self._keeps_refusal

    def add(self, *rows: SQLModel) -> None:
        """Add rows, to be written at the next flush."""
        self.session.add_all(rows)

    async def run(self, statement: Executable, parameters: Mapping[str, object] | None = None) -> CursorResult[Any]:
        """Run a statement that loads no objects: locks, counters, updates and deletes of many rows."""
        await self.session.flush()
        return await (await self.session.connection()).execute(statement, parameters)

    async def commit_early(self) -> None:
        """Commit and return the connection to the pool, so that slow work can follow without one."""
        await self.complete()

    def postpone(self, step: Callable[[UnitOfWork, list[Any]], Awaitable[None]], item: object) -> None:
        """Call ``step`` with all its items just before the commit, after every other lock was acquired."""
        self._postponed.setdefault(step, []).append(item)

    async def complete(self) -> None:
        """Run the postponed steps, then commit."""
        postponed, self._postponed = self._postponed, {}
        for step, items in postponed.items():
            await step(self, items)
        await self.session.commit()

    async def roll_back(self) -> None:
        """Flush, so that constraints are checked, then roll back: what a dry run does instead of committing."""
        await self.flush()
        # Drop deferred writes; otherwise they would be committed after the rollback.
        self._postponed = {}
        await self.session.rollback()

    async def flush(self) -> None:
        """Write pending rows, so that constraints are checked now."""
        await self.session.flush()

    async def notify(self, channel: str, payload: str | uuid.UUID = "") -> None:
        """Wake listeners of ``channel`` when this transaction commits; payload is an id, 8,000 bytes at most."""
        await self.run(text("SELECT pg_notify(:channel, :payload)"), {"channel": channel, "payload": str(payload)})


class Notifications:
    """The notifications of one LISTEN connection."""

    def __init__(self, queue: asyncio.Queue[Notification | None]) -> None:
        self._queue = queue

    async def next(self, timeout_s: float) -> Notification | None:
        """Return the next notification, or None after ``timeout_s`` (then poll); raises DatabaseLostError."""
        try:
            # Not wait_for: in Python 3.11 it swallows a cancellation that comes together with a notification.
            async with asyncio.timeout(timeout_s):
                notification = await self._queue.get()
        except TimeoutError:
            return None
        if notification is None:
            self._queue.put_nowait(None)
            message = "the listening connection was lost"
            raise DatabaseLostError(message)
        return notification

    def drain(self) -> list[Notification]:
        """Return all other notifications that have arrived, without waiting: a burst is one wake-up."""
        drained = []
        while not self._queue.empty():
            notification = self._queue.get_nowait()
            if notification is None:
                self._queue.put_nowait(None)
                break
            drained.append(notification)
        return drained


class Database:
    """The connections of one process to Postgres."""

    def __init__(
        self,
        url: str,
        *,
        vault: Vault,
        clock: Clock = system_clock,
        pool_size: int = 8,
        ledger: ErasureLedger | None = None,
        retention: Retention | None = None,
        idle_in_transaction_s: int | None = None,
        host: str = "localhost",
    ) -> None:
        load_all_tables()
        self.url = url
        self.clock = clock
        self.vault = vault
        self.retention = retention or Retention()
        self.host = host
        self.is_production = False
        server_settings = {"application_name": "smartwatch"}
        if idle_in_transaction_s is not None:
            # Postgres ends a transaction whose process does nothing: a frozen process gives its row locks up.
            server_settings["idle_in_transaction_session_timeout"] = str(idle_in_transaction_s * 1000)
        self._guard = RestoreGuard(ledger)
        options: dict[str, Any] = {
            # Errors would quote the parameters: names, numbers and texts have no place in a log.
            "hide_parameters": True,
            "connect_args": {"timeout": 10, "server_settings": server_settings},
        }
        driver_url = url.replace("postgresql://", "postgresql+asyncpg://", 1)
        self._engine: AsyncEngine = create_async_engine(driver_url, pool_size=pool_size, max_overflow=0, **options)
        # One round trip at check-out. Without it each pooled connection fails once after a restart of Postgres, and a
        # backup restored meanwhile is served.
        event.listen(self._engine.sync_engine, "checkout", self._refuse_restored)
        # Connects only when a backup is being replayed.
        self._unguarded_engine: AsyncEngine = create_async_engine(driver_url, poolclass=NullPool, **options)

    @classmethod
    def of(cls, settings: Settings, *, idle_in_transaction_s: int | None = None) -> Database:
        """Return the database these settings name; Postgres ends a transaction that is idle for longer, if given."""
        database = cls(
            settings.database_url,
            vault=Vault.of(settings),
            clock=clock_of(settings),
            pool_size=settings.database_pool_size,
            ledger=ErasureLedger(settings.erasure_ledger),
            retention=Retention.of(settings),
            idle_in_transaction_s=idle_in_transaction_s,
            host=settings.public_host,
        )
        database.is_production = settings.environment is Environment.PRODUCTION
        return database

    @contextlib.asynccontextmanager
    async def begin(self, *, to_replay: bool = False) -> AsyncIterator[UnitOfWork]:
        """Open a unit of work; it commits when the block ends and rolls back when it raises.

        One exception: a CoreError after :meth:`UnitOfWork.keep_refusal` commits and is raised on. The first statement
        raises ErasuresPendingError while the database holds what the ledger says is erased; ``to_replay`` is for the
        one who erases it again.
        """
        engine = self._unguarded_engine if to_replay else self._engine
        async with AsyncSession(engine, expire_on_commit=False) as session:
            work = UnitOfWork(
                session, self.clock(), self.vault, self.retention, self.host, is_production=self.is_production
            )  # fmt: skip
            try:
                yield work
            except CoreError:
                if work.keeps_refusal:
                    await work.complete()
                raise
            await work.complete()

    def _refuse_restored(self, connection: PoolProxiedConnection, record: ConnectionPoolEntry, _: object) -> None:
        """Check a connection that is about to be given out; a dead one makes the pool open others."""
        adapted = cast("AdaptedConnection", connection)
        try:
            adapted.run_async(self._guard.check)
        except CoreError:
            raise
        except Exception as error:
            # Whatever the driver says of it. All connections of the pool are as old as the last start of Postgres.
            if record.info.get("checked"):
                raise InvalidatePoolError from error
            raise
        record.info["checked"] = True

    async def ping(self) -> None:
        """Raise unless the database answers and its erasures are replayed."""
        async with self._engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    @contextlib.asynccontextmanager
    async def listen(self, *channels: str) -> AsyncIterator[Notifications]:
        """Listen on ``channels`` with a connection of its own, until the block ends."""
        queue: asyncio.Queue[Notification | None] = asyncio.Queue()
        connection = await asyncpg.connect(self.url, timeout=10)
        try:
            connection.add_termination_listener(lambda _: queue.put_nowait(None))
            for channel in channels:
                await connection.add_listener(
                    channel, lambda _c, _pid, name, payload: queue.put_nowait(Notification(name, payload))
                )
            yield Notifications(queue)
        finally:
            await _close(connection)

    @contextlib.asynccontextmanager
    async def try_lock(self, name: str) -> AsyncIterator[bool]:
        """Try the one-holder lock ``name`` for the block, without waiting; yields whether it is ours.

        On a connection of its own, so that no transaction is open meanwhile; a killed process frees it at once.
        """
        connection = await asyncpg.connect(self.url, timeout=10)
        try:
            yield await connection.fetchval("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", name) is True
        finally:
            await _close(connection)

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()
        await self._unguarded_engine.dispose()


async def _close(connection: asyncpg.Connection) -> None:
    try:
        await connection.close(timeout=2)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection.terminate()
