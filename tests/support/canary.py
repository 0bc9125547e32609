"""Look for planted words where they must not be any more."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sqlmodel import SQLModel

from services.core.platform.db.database import Database


async def rows_with(database: Database, canary: str | bytes) -> list[str]:
    """Return every table with a row in which the text, or its bytes, stand anywhere; of bytes: as they are."""
    text, raw = (canary, canary.encode()) if isinstance(canary, str) else (canary.hex(), canary)
    canaries = []
    async with database.begin() as work:
        connection = await work.session.connection()
        for table in SQLModel.metadata.tables:
            # A row as text shows bytea as hexadecimal digits.
            hits = await connection.exec_driver_sql(
                f'SELECT count(*) FROM "{table}" AS t WHERE t::text ILIKE $1 OR t::text ILIKE $2',  # noqa: S608
                (f"%{text}%", f"%{raw.hex()}%"),
            )
            if hits.scalar_one():
                canaries.append(table)
    return canaries


def files_with(folders: Iterable[Path], canaries: Iterable[bytes]) -> list[str]:
    """Return every file below these folders in which one of the words stands, with the word."""
    wanted = list(canaries)
    return [
        f"{file}: {canary!r}"
        for folder in folders
        for file in ([folder] if folder.is_file() else sorted(folder.rglob("*")))
        if file.is_file()
        for canary in wanted
        if canary in file.read_bytes()
    ]
