"""How many round trips to Postgres a piece of work takes: all that the driver sends, BEGIN and COMMIT included."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

import asyncpg
from sqlalchemy import event

from services.core.platform.db.database import Database, UnitOfWork

_WRITES: Final = ("INSERT INTO ", "UPDATE ", "DELETE FROM ")


class RoundTrips:
    """The statements in their order, each on one line."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def note(self, statement: str) -> None:
        """Append one."""
        self.statements.append(" ".join(statement.split()))

    @property
    def writes(self) -> list[str]:
        """Return the statements that change rows."""
        return [
            statement
            for statement in self.statements
            if statement.startswith(_WRITES) or (statement.startswith("WITH ") and any(map(statement.count, _WRITES)))
        ]


@contextlib.contextmanager
def round_trips(database: Database) -> Iterator[RoundTrips]:
    """Yield what is sent on the pooled connections during the block. Prepare the statements before."""
    trips = RoundTrips()
    drivers: set[asyncpg.Connection[Any]] = set()

    def by_driver(record: Any) -> None:
        # BEGIN, COMMIT, and what is sent by the driver itself; the engine's statements are not logged here. The look at
        # a connection, at most one a second, does not count.
        if record.query != "SELECT" and "FROM erasure_ledger" not in record.query:
            trips.note(record.query)

    def by_engine(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        trips.note(statement)

    def at_check_out(connection: Any, _record: object, _proxy: object) -> None:
        driver = connection.driver_connection
        if driver not in drivers:
            drivers.add(driver)
            driver.add_query_logger(by_driver)

    engine = database._engine.sync_engine  # noqa: SLF001 - nothing but a test counts
    event.listen(engine, "checkout", at_check_out, insert=True)
    event.listen(engine, "before_cursor_execute", by_engine)
    try:
        yield trips
    finally:
        event.remove(engine, "checkout", at_check_out)
        event.remove(engine, "before_cursor_execute", by_engine)
        for driver in drivers:
            driver.remove_query_logger(by_driver)


@contextlib.asynccontextmanager
async def plans(work: UnitOfWork) -> AsyncIterator[list[str]]:
    """Yield a list that after the block holds the plans of the driver's statements in this transaction, by line."""
    records: list[Any] = []
    lines: list[str] = []
    pooled = await (await work.session.connection()).get_raw_connection()
    driver: Any = pooled.driver_connection
    with driver.query_logger(records.append):
        yield lines
    for record in records:
        for (line,) in await work.fetch(f"EXPLAIN {record.query}", *record.args):
            lines.append(line)
