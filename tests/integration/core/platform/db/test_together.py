"""Writes that share a statement keep their own parameters and read each other's parts."""

from __future__ import annotations

from services.core.platform.db.database import Database
from services.core.platform.db.together import Write, write_together


async def test_each_write_has_its_own_parameters(database: Database) -> None:
    first = Write((("a", "SELECT $1::int AS x, $2::int AS y"),), (1, 2))
    second = Write((("b", "SELECT x, y, $1::int AS z FROM a"), ("c", "SELECT z + $1::int AS w FROM b")), (3,))
    async with database.begin() as work:
        rows = await write_together(work, first, second, result="SELECT x, y, z, w FROM b, c")
    assert [tuple(row) for row in rows] == [(1, 2, 3, 6)]
