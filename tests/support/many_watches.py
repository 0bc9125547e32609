"""Thousands of families with a paired watch each: one is made by the product, the others are copies of its rows."""

from __future__ import annotations

from services.core.platform.db.database import Database
from services.devstack.fleet_stage import copy_families, first_of
from tests.support.world import make_home, wear


async def many_watches(database: Database, count: int) -> list[tuple[str, str]]:
    """Return the user names and passwords of so many paired watches, each of a family of its own."""
    home = await make_home(database)
    worn = await wear(database, home)
    async with database.begin() as work:
        first = await first_of(work, worn.username, worn.password)
    return [(member.username, member.password) for member in await copy_families(database, first, count - 1)]
