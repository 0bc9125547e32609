"""A row in every table there is, so that tests hold for tables yet to come."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    String,
    Table,
    TypeDecorator,
    Uuid,
    insert,
    select,
)

from services.core.platform.db.database import UnitOfWork

# One of two, as a constraint has it.
EMPTY: Final = {"notice.cohort_id", "staff_scope.site_id"}

Known = dict[tuple[str, str], Any]


def _made_up(column: Column[Any], now: datetime) -> object:  # noqa: PLR0911 - a kind of column each
    kind = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    match kind:
        case Uuid():
            return uuid.uuid4()
        case Boolean():
            return False
        case Integer() | Float():
            return 1
        case DateTime():
            return now
        case Date():
            return date(2026, 1, 5)
        case LargeBinary():
            return uuid.uuid4().bytes
        case String() as text:
            return uuid.uuid4().hex[: text.length]
        case _:
            return {}


async def fill_table(work: UnitOfWork, table: Table, known: Known) -> None:
    """See to it that the table has a row that refers to what is known, and make that row known."""
    session = await work.session.connection()
    refers = {
        key.parent.name: known[target]
        for key in table.foreign_keys
        if (target := (key.column.table.name, key.column.name)) in known
        and f"{table.name}.{key.parent.name}" not in EMPTY
    }
    own = {column.name: known.get((table.name, column.name)) for column in table.primary_key}
    row = None
    if None not in own.values():
        wanted = [table.c[name] == value for name, value in own.items()]
        row = (await session.execute(select(table).where(*wanted))).mappings().one()
    elif refers:
        wanted = [table.c[name] == value for name, value in refers.items() if not table.c[name].nullable]
        row = (await session.execute(select(table).where(*wanted).limit(1))).mappings().first()
    if row is None:
        values = {
            column.name: _made_up(column, work.now)
            for column in table.columns
            if not column.nullable and not column.identity and column.autoincrement is not True
        }
        row = (await session.execute(insert(table).values(**values | refers).returning(table))).mappings().one()
    for column in table.columns:
        known.setdefault((table.name, column.name), row[column.name])
