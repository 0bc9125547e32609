"""Display names of colleagues beside their ids: a list names who asked and who approved."""

from collections.abc import Sequence
from typing import Any, Final

from sqlmodel import SQLModel

from services.core.people.staff_accounts.queries import names_of_staff
from services.core.platform.db.database import UnitOfWork

_FIELDS: Final = ("asked_by", "approved_by", "delay_approved_by")


async def rows_with_names(work: UnitOfWork, rows: Sequence[SQLModel]) -> list[dict[str, Any]]:
    """Return each row as a dictionary with the name of every staff member that it refers to, in the same order."""
    dumps = [row.model_dump() for row in rows]
    names = await names_of_staff(work, (row[field] for row in dumps for field in _FIELDS if field in row))
    return [{**row, **{f"{field}_name": names.get(row[field]) for field in _FIELDS if field in row}} for row in dumps]


async def row_with_names(work: UnitOfWork, row: SQLModel) -> dict[str, Any]:
    """Return one row as ``rows_with_names`` does."""
    (named_row,) = await rows_with_names(work, [row])
    return named_row
