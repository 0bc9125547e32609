"""Engine, unit of work, and a lock that is tried.

A use case writes to a :class:`UnitOfWork`; its caller commits. All times of one unit of work are the same instant.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Final, cast

import asyncpg
from sqlalchemy import CursorResult, Executable, NullPool, event, text
from sqlalchemy.engine.interfaces import AdaptedConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlalchemy.util import greenlet_spawn
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from services.core.platform.clock import Clock, clock_of, system_clock
from services.core.platform.crypto.vault import Vault
from services.core.platform.db.all_tables import load_all_tables
from services.core.platform.db.cancelling import cancellation_first
from services.core.platform.db.frozen_clients import bound_transactions
from services.core.platform.db.late_begin import begin_late
from services.core.platform.db.locks import OneHolderLocks
from services.core.platform.db.newest_primary import Servers
from services.core.platform.db.notifications import Notification, Notifications
from services.core.platform.db.notifying import CONNECTION_ERRORS, Notifier
from services.core.platform.db.restore_guard import RestoreGuard
from services.core.platform.db.work_connection import SessionOnConnection, WorkConnection
from services.core.platform.erasure_ledger import ErasureLedger
from services.core.platform.errors import CoreError
from services.core.platform.opened_ledger import open_ledger
from services.core.platform.retention import Retention
from services.core.platform.settings import Environment, Settings

# A connection that was found alive and not restored is given out again for so long without a further look.
CHECK_STANDS_S: Final = 1.0
# A server closes its end within a moment, unless it stands still.
_CLOSE_TIMEOUT_S: Final = 3.0


class UnitOfWork:
    """One transaction: its session, its time, the keys for sealing, the periods of retention, the product's host."""

    def __init__(  # noqa: PLR0913 - what a transaction is given, each by name
        self,
        engine: AsyncEngine,
        now: datetime,
        vault: Vault,
        retention: Retention,
        host: str = "localhost",
        *,
        notifier: Notifier,
        is_production: bool = False,
        process_memory: dict[type[Any], Any] | None = None,
        reads_in_transaction: bool = False,
    ) -> None:
        self._connection = WorkConnection(engine.sync_engine)
        self._session: AsyncSession | None = None
        self.now = now
        self.vault = vault
        self.retention = retention
        # Where guardians open the product; text messages name it.
        self.host = host
        # Outside production what a site has not stated yet is filled with fictional values.
        self.is_production = is_production
        # On a developer's machine every watch may be traced.
        self.is_development = False
        # Caches of this process between transactions, by their type.
        self.process_memory = process_memory if process_memory is not None else {}
        self._keeps_refusal = False
        # Whether an entry of this transaction already records the refusal.
        self.refusal_is_recorded = False
        self._postponed: dict[Callable[[UnitOfWork, list[Any]], Awaitable[None]], list[Any]] = {}
        self._steps_left = 0
        self._notifier = notifier
        self._notifications: dict[tuple[str, str], None] = {}
        self._reads_in_transaction = reads_in_transaction

    @property
    def session(self) -> AsyncSession:
        """The session of this transaction, made when it is first asked for: statements of the driver need none."""
        if self._session is None:
            self._session = AsyncSession(
                sync_session_class=SessionOnConnection, connection=self._connection, expire_on_commit=False
            )
        return self._session

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

    async def fetch(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """Run a statement of the driver in this transaction; its rows are tuples.

        For what every message passes: the driver prepares the statement once a connection, and no object is made of a
        row. ``arguments`` stand for ``$1`` and so on. Raises what asyncpg raises.
        """
        await self._flush_pending()
        await self._connection.begin()
        return await self._fetch(statement, arguments)

    async def fetch_last(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """Run the last statement before a commit, or of a postponed step, as `fetch` does.

        It is a transaction by itself where none has begun and no other step follows, which saves BEGIN and COMMIT.
        """
        await self._flush_pending()
        if self._steps_left or self._reads_in_transaction or self._connection.has_begun:
            return await self.fetch(statement, *arguments)
        return await self._fetch(statement, arguments)

    async def read(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """Run a plain SELECT of the driver, as `fetch` does, but in no transaction unless one has begun.

        A request that only reads so saves BEGIN and COMMIT. Transactions are READ COMMITTED: a statement sees the same
        before their beginning as after it. The statement must neither lock nor call what writes.
        """
        if self._reads_in_transaction:
            # Outside of one a pooler may send the two halves of a statement to two servers.
            return await self.fetch(statement, *arguments)
        await self._flush_pending()
        return await self._fetch(statement, arguments)

    async def _fetch(self, statement: str, arguments: tuple[object, ...]) -> list[asyncpg.Record]:
        return await self._connection.fetch(statement, arguments)

    async def _flush_pending(self) -> None:
        """Write what is pending: a statement of the driver sees it."""
        if self._has_pending:
            await self.session.flush()

    @property
    def _has_pending(self) -> bool:
        if self._session is None:
            return False
        session = self._session.sync_session
        return bool(session.new or session.dirty or session.deleted)

    async def commit_early(self) -> None:
        """Commit and return the connection to the pool, so that slow work can follow without one."""
        await self.complete()

    def postpone(self, step: Callable[[UnitOfWork, list[Any]], Awaitable[None]], item: object) -> None:
        """Call ``step`` with all its items just before the commit, after every other lock was acquired."""
        self._postponed.setdefault(step, []).append(item)

    async def complete(self) -> None:
        """Run the postponed steps, then commit."""
        postponed, self._postponed = self._postponed, {}
        self._steps_left = len(postponed)
        for step, items in postponed.items():
            self._steps_left -= 1
            await step(self, items)
        if self._session is not None and self._session.in_transaction():
            if self._has_pending or self._connection.has_begun:
                await self._session.commit()
            else:
                # Nothing waits for Postgres, so that SQLAlchemy needs no greenlet.
                self._session.sync_session.commit()
        # The session knows nothing of a transaction in which only the driver has run statements.
        await self._connection.commit()
        await greenlet_spawn(self._connection.release)
        notifications, self._notifications = self._notifications, {}
        if notifications:
            self._notifier.send(notifications)

    async def roll_back(self) -> None:
        """Flush, so that constraints are checked, then roll back: what a dry run does instead of committing."""
        await self.flush()
        # Drop deferred writes; otherwise they would be committed after the rollback.
        self._postponed = {}
        self._notifications = {}
        await self.session.rollback()
        await greenlet_spawn(self._connection.release)

    async def close(self) -> None:
        """Roll back what is not committed and return the connection, also where the task is cancelled meanwhile."""
        if self._connection.is_checked_out or (self._session is not None and self._session.in_transaction()):
            # It makes a task, which nobody cancels.
            await self.session.__aexit__(None, None, None)
        elif self._session is not None:
            self._session.sync_session.close()

    async def flush(self) -> None:
        """Write pending rows, so that constraints are checked now."""
        await self.session.flush()

    def notify(self, channel: str, *payloads: str | uuid.UUID) -> None:
        """Wake listeners of ``channel`` after this transaction has committed; a payload is an id or a kind.

        A notification can be lost with its connection: every listener polls as well.
        """
        self._notifications.update(dict.fromkeys((channel, str(payload)) for payload in payloads or ("",)))


class Database:
    """The connections of one process to Postgres."""

    def __init__(  # noqa: PLR0913 - one parameter a circumstance; all but two have defaults
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
        direct_url: str = "",
        prepares: bool = True,
    ) -> None:
        load_all_tables()
        self.url = url
        # Past a pooler that gives each transaction another connection: for what lives as long as a connection.
        self.direct_url = direct_url or url
        self.clock = clock
        self.vault = vault
        self.retention = retention or Retention()
        self.host = host
        self.is_production = False
        self.is_development = False
        self.process_memory: dict[type[Any], Any] = {}
        server_settings = {"application_name": "smartwatch"}
        if idle_in_transaction_s is not None:
            # Postgres ends a transaction whose process does nothing: a frozen process gives its row locks up.
            server_settings["idle_in_transaction_session_timeout"] = str(idle_in_transaction_s * 1000)
        self._guard = RestoreGuard(ledger, in_transaction=not prepares)
        self._servers = Servers(url, self.direct_url)
        self._notifier = Notifier(self.connect_direct)
        self._locks = OneHolderLocks(self.connect_direct)
        self._prepares = prepares

        async def connect(**given: Any) -> asyncpg.Connection:  # noqa: ANN401 - options of the driver
            # The driver itself reads the URL, which may name several hosts.
            connection = await self._servers.connect(url, **given)
            if idle_in_transaction_s is not None and self.direct_url == url:
                await bound_transactions(connection, idle_in_transaction_s)
            return connection

        options: dict[str, Any] = {
            # Errors would quote the parameters: names, numbers and texts have no place in a log.
            "hide_parameters": True,
            "connect_args": {"timeout": 10, "server_settings": server_settings, "async_creator_fn": connect},
        }
        if not prepares:
            # Each statement under a name of its own, in one transaction: the pooler may give the next another server.
            options["connect_args"] |= {
                "statement_cache_size": 0, "prepared_statement_cache_size": 0,
                "prepared_statement_name_func": lambda: f"sw_{secrets.token_hex(8)}",
            }  # fmt: skip
        driver_url = "postgresql+asyncpg://"
        # The connection that came back last goes out first: its statements are prepared and its last check is recent.
        self._engine: AsyncEngine = create_async_engine(
            driver_url, pool_size=pool_size, max_overflow=0, pool_use_lifo=True, **options
        )
        # At most one round trip a second. Without it each pooled connection fails once after a restart of Postgres, and
        # a backup restored meanwhile is served.
        event.listen(self._engine.sync_engine, "checkout", self._refuse_restored)
        if prepares:
            # Else every statement needs a transaction: the pooler may give its execution another server than its name.
            begin_late(self._engine)
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
            ledger=open_ledger(settings),
            retention=Retention.of(settings),
            idle_in_transaction_s=idle_in_transaction_s,
            host=settings.public_host,
            direct_url=settings.database_direct_url,
            prepares=settings.database_prepared_statements,
        )
        database.is_production = settings.environment is Environment.PRODUCTION
        database.is_development = settings.environment is Environment.DEVELOPMENT
        return database

    @contextlib.asynccontextmanager
    async def begin(self, *, to_replay: bool = False) -> AsyncIterator[UnitOfWork]:
        """Open a unit of work; it commits when the block ends and rolls back when it raises.

        One exception: a CoreError after :meth:`UnitOfWork.keep_refusal` commits and is raised on. The first statement
        raises ErasuresPendingError while the database holds what the ledger says is erased; ``to_replay`` is for the
        one who erases it again.
        """
        engine = self._unguarded_engine if to_replay else self._engine
        async with cancellation_first():
            work = UnitOfWork(
                engine, self.clock(), self.vault, self.retention, self.host,
                notifier=self._notifier, is_production=self.is_production, process_memory=self.process_memory,
                reads_in_transaction=not self._prepares,
            )  # fmt: skip
            work.is_development = self.is_development
            try:
                yield work
            except CoreError:
                if work.keeps_refusal:
                    await work.complete()
                raise
            else:
                await work.complete()
            finally:
                await work.close()

    def _refuse_restored(self, connection: PoolProxiedConnection, record: ConnectionPoolEntry, _: object) -> None:
        """Check a connection that is about to be given out; a dead one makes the pool open others."""
        adapted = cast("AdaptedConnection", connection)
        checked_at_s = record.info.get("checked_at_s")
        if checked_at_s is not None:
            # Known without a round trip: Postgres closes its connections when it stops or is killed.
            if adapted.driver_connection is None or adapted.driver_connection.is_closed():
                raise InvalidatePoolError
            if time.monotonic() - checked_at_s < CHECK_STANDS_S and self._guard.has_nothing_to_compare:
                return
        try:
            adapted.run_async(self._guard.check)
            if self.direct_url != self.url:
                adapted.run_async(lambda connection: self._servers.check(connection, in_transaction=not self._prepares))
        except CoreError:
            raise
        except Exception as error:
            # Whatever the driver says of it. All connections of the pool are as old as the last start of Postgres.
            if checked_at_s is not None:
                raise InvalidatePoolError from error
            raise
        record.info["checked_at_s"] = time.monotonic()

    async def ping(self) -> None:
        """Raise unless the database answers and its erasures are replayed."""
        async with cancellation_first(), self._engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
        await self._servers.look_again()

    async def look_at_servers(self) -> None:
        """Look now at all servers that the address names; nothing where it names one. Each new connection does so."""
        await self._servers.look(stands_s=0.0)

    async def connect_direct(self, *, timeout: float, **options: Any) -> asyncpg.Connection:  # noqa: ASYNC109, ANN401 - of the driver
        """Connect past a pooler, for what lives as long as a connection; of several servers to no old primary."""
        return await self._servers.connect(self.direct_url, timeout=timeout, **options)

    @contextlib.asynccontextmanager
    async def listen(self, *channels: str) -> AsyncIterator[Notifications]:
        """Listen on ``channels`` with a connection of its own, until the block ends."""
        queue: asyncio.Queue[Notification | None] = asyncio.Queue()
        connection = await self.connect_direct(timeout=10)
        try:
            connection.add_termination_listener(lambda _: queue.put_nowait(None))
            for channel in channels:
                await connection.add_listener(
                    channel, lambda _c, _pid, name, payload: queue.put_nowait(Notification(name, payload))
                )
            yield Notifications(queue)
        finally:
            await _close(connection)

    def try_lock(self, name: str) -> AbstractAsyncContextManager[bool]:
        """Try the one-holder lock ``name`` for the block, without waiting; yields whether it is ours."""
        return self._locks.try_lock(name)

    async def close(self) -> None:
        """Close all connections, once the last notifications are sent; not waiting for a Postgres that stands still."""
        await self._notifier.close()
        await self._locks.close()
        self._servers.forget()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await self._engine.dispose()
                await self._unguarded_engine.dispose()


async def _close(connection: asyncpg.Connection) -> None:
    try:
        await connection.close(timeout=2)
    except CONNECTION_ERRORS:
        connection.terminate()
