"""A section of a copy: rows of one subject, with the columns that are copied and the guardians who get them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, Table, select
from sqlmodel import SQLModel

from services.core.platform.db.database import UnitOfWork


@dataclass(frozen=True)
class Reader:
    """The guardian who takes the copy, as far as it decides about rows."""

    family_id: uuid.UUID
    guardian_id: uuid.UUID
    phone: str
    is_primary: bool
    may_manage: bool


@dataclass(frozen=True)
class Section:
    """Rows of one subject.

    ``tables`` are the tables whose rows it copies; ``columns`` are names in the document, which ``rows`` selects. Only
    the first guardian gets a section ``of_primary``: it is about its consent, its signature, or the whole family.
    """

    name: str
    about: str
    tables: frozenset[str]
    columns: tuple[str, ...]
    rows: Callable[[Reader], Select[Any]]
    of_primary: bool = False


async def read_section(work: UnitOfWork, section: Section, reader: Reader) -> list[dict[str, Any]]:
    """Return the section's rows for the reader, oldest first."""
    if section.of_primary and not reader.is_primary:
        return []
    rows = (await work.run(section.rows(reader))).mappings().all()
    return [{name: _plain(row[name]) for name in section.columns} for row in rows]


def table_of(model: type[SQLModel]) -> Table:
    """Return the table of a model."""
    return SQLModel.metadata.tables[str(model.__tablename__)]


def rows_of(table: Table, columns: Sequence[str], order: str) -> Select[Any]:
    """Return a statement for these columns of a table, in the order of one of its columns."""
    return select(*(table.c[name] for name in columns)).order_by(table.c[order], *table.primary_key)


def tables_of(sections: Sequence[Section]) -> frozenset[str]:
    """Return all tables that the sections copy."""
    return frozenset[str]().union(*(section.tables for section in sections))


def _plain(value: object) -> object:
    match value:
        case datetime() | date():
            return value.isoformat()
        case uuid.UUID():
            return str(value)
        case _:
            return value
