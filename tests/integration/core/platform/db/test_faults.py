"""Transient database errors: the same request may pass later, and the answer is not an internal error."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import TimeoutError as NoConnectionFreeError
from sqlalchemy.ext.asyncio import create_async_engine

from services.core.platform.db.faults import is_database_unavailable


async def test_when_no_connection_comes_free_in_time_the_database_counts_as_away(database_url: str) -> None:
    engine = create_async_engine(
        database_url.replace("postgresql://", "postgresql+asyncpg://", 1), pool_size=1, max_overflow=0, pool_timeout=0.1
    )
    async with engine.connect():
        with pytest.raises(NoConnectionFreeError) as refused:
            await engine.connect()
    await engine.dispose()
    assert is_database_unavailable(refused.value)


def test_a_mistake_of_ours_does_not() -> None:
    assert not is_database_unavailable(ValueError("ours"))
