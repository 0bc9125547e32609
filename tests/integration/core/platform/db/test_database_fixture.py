"""The ground all other integration tests stand on."""

from __future__ import annotations

from services.core.platform.db.database import Database
from tests.support.clock import FakeClock


async def test_a_module_has_a_migrated_database_of_its_own(database: Database, clock: FakeClock) -> None:
    async with database.begin() as work:
        assert work.now == clock.now
    await database.ping()
