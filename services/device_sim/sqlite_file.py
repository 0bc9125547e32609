"""One SQLite file as the memory of a simulated device."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class SqliteFile:
    """A connection in autocommit mode. Writes that belong together stand in :meth:`transaction`.

    ``synchronous=FULL``: when a method returns, its writes are on the disk. Content that was deleted does not stay in
    free pages of the file.
    """

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA secure_delete = ON")

    def create_tables(self, statements: str) -> None:
        """Run ``CREATE TABLE IF NOT EXISTS`` statements, each ending in a semicolon and a line end."""
        with self.transaction():
            for statement in statements.split(";\n"):
                self._connection.execute(statement)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what happens inside as a whole, or nothing of it when it raises."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def write(self, statement: str, *values: object) -> int:
        """Run one statement, as a transaction of its own outside of one; return how many rows it changed."""
        return self._connection.execute(statement, values).rowcount

    def row(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        """Return the first row, None without one."""
        row: tuple[Any, ...] | None = self._connection.execute(statement, values).fetchone()
        return row

    def value(self, statement: str, *values: object) -> Any:  # noqa: ANN401 - a column of any type
        """Return the first column of the first row, None without one."""
        row = self.row(statement, *values)
        return None if row is None else row[0]

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Return all rows."""
        return self._connection.execute(statement, values).fetchall()

    def fold_log(self) -> None:
        """Move the write-ahead log into the file: the log holds old pages until then."""
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
