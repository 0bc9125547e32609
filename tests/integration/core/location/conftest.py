"""A family whose watch may tell where it is."""

from __future__ import annotations

import pytest_asyncio

from services.core.platform.db.database import Database
from tests.support.places import allow_places
from tests.support.world import LONG_AGO, Home, Worn, make_home, wear


@pytest_asyncio.fixture(loop_scope="session")
async def home(database: Database) -> Home:
    """A family that agreed to places and turned them on."""
    made = await make_home(database)
    await allow_places(database, made)
    return made


@pytest_asyncio.fixture(loop_scope="session")
async def worn(database: Database, home: Home) -> Worn:
    """Its watch, paired long ago."""
    return await wear(database, home, since=LONG_AGO)
