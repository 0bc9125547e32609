"""Many rows at once: by COPY, in the same transaction as everything else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlmodel import SQLModel

from services.core.platform.db.database import UnitOfWork


async def copy_rows(
    work: UnitOfWork, table: type[SQLModel], columns: Sequence[str], records: Sequence[tuple[Any, ...]]
) -> None:
    """Write records of these columns; what refers to others must be there already, defaults are the database's."""
    # A statement before makes sure that the transaction has begun, and that what was added is written.
    await work.run(text("SELECT 1"))
    raw = await (await work.session.connection()).get_raw_connection()
    driver: Any = raw.driver_connection
    await driver.copy_records_to_table(str(table.__tablename__), records=records, columns=columns)
