"""How the watch's memory talks to SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class StoreBase:
    """A connection in autocommit mode; writes that belong together stand in `_transaction`."""

    _database: sqlite3.Connection

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def _write(self, statement: str, *values: object) -> int:
        """Run one statement as a transaction of its own; return how many rows it changed."""
        return self._database.execute(statement, values).rowcount

    def _one(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._database.execute(statement, values).fetchone()
        return row

    def _one_of(self, statement: str, *values: object) -> Any:  # noqa: ANN401 - a column of any type
        row = self._one(statement, *values)
        return None if row is None else row[0]

    def _all(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        return self._database.execute(statement, values).fetchall()
