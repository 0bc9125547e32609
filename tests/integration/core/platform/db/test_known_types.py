"""A new connection does not ask for the types of Postgres that an earlier one of the process has asked for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import asyncpg
import pytest

from services.core.platform.db.database import Database

DRIVER: Any = asyncpg.Connection
# Prepared one after the other, so that each asks for types of its own.
BUILT_IN: Sequence[tuple[str, object]] = (
    ("SELECT $1::text[]", ["a"]),
    ("SELECT $1::interval[]", []),
    ("SELECT ARRAY[$1::timestamptz]", None),
)
# The type of a table's rows has another number in each database.
OF_DATABASE: Sequence[tuple[str, object]] = (("SELECT array_agg(family) FROM family WHERE $1", False),)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Collection[int]]:
    """Collect the types for which the driver asks Postgres."""
    asked: list[Collection[int]] = []
    introspect = DRIVER._introspect_types  # noqa: SLF001 - the driver has no other place for it

    async def noted(connection: asyncpg.Connection, typeoids: Collection[int], timeout: float | None) -> Any:  # noqa: ASYNC109 - of the driver
        asked.append(typeoids)
        return await introspect(connection, typeoids, timeout)

    monkeypatch.setattr(DRIVER, "_introspect_types", noted)
    return asked


async def read(database: Database, statements: Sequence[tuple[str, object]]) -> list[Any]:
    connection = await database.connect_direct(timeout=10)
    try:
        first = [await connection.fetchval(statement, value) for statement, value in statements]
        assert [await connection.fetchval(statement, value) for statement, value in statements] == first
        return first
    finally:
        await connection.close()


async def test_types_of_postgres_are_asked_for_once_a_process(
    database: Database, asked: list[Collection[int]]
) -> None:  # fmt: skip
    assert await read(database, BUILT_IN) == [["a"], [], [None]]
    asked.clear()
    assert await read(database, BUILT_IN) == [["a"], [], [None]]
    assert asked == []


async def test_types_of_a_database_are_asked_for_by_each_connection(
    database: Database, asked: list[Collection[int]]
) -> None:  # fmt: skip
    for count in (1, 2):
        assert await read(database, OF_DATABASE) == [None]
        assert len(asked) == count
