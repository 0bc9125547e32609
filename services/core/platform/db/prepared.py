"""Frequent statements run by the driver: reads that SQLAlchemy builds, SQL in parts, rows as objects of the session."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property
from typing import Any, Final

import asyncpg
from sqlalchemy import inspect
from sqlalchemy.dialects.postgresql import asyncpg as dialect
from sqlalchemy.orm.attributes import instance_state, set_committed_value
from sqlalchemy.sql.expression import ClauseElement
from sqlmodel import SQLModel

from services.core.platform.db.database import UnitOfWork


class PreparedRead:
    """A plain SELECT with named parameters. It is built at the first use, when all tables are known."""

    def __init__(self, build: Callable[[], ClauseElement]) -> None:
        self._build = build

    async def read(self, work: UnitOfWork, values: Mapping[str, object]) -> list[asyncpg.Record]:
        """Return the rows; see `UnitOfWork.read`."""
        statement, names, constants = self._compiled
        return await work.read(statement, *(values[name] if name in values else constants[name] for name in names))

    @cached_property
    def _compiled(self) -> tuple[str, tuple[str, ...], Mapping[str, object]]:
        """Return the statement, its parameters in their order, and those whose value stands in the statement."""
        compiled = self._build().compile(dialect=dialect.dialect())  # type: ignore[no-untyped-call]
        names = tuple(compiled.positiontup or ())  # type: ignore[attr-defined]
        constants = {name: value for name, value in compiled.params.items() if value is not None}
        return str(compiled), names, constants


# Not the second colon of a cast.
_PARAMETER: Final = re.compile(r"(?<!:):([a-z][a-z0-9_]*)")


class NamedStatement:
    """SQL whose parameters have names (``:name``), so that modules contribute parts to one statement."""

    def __init__(self, statement: str) -> None:
        self._names = tuple(dict.fromkeys(_PARAMETER.findall(statement)))
        numbers = {name: f"${number}" for number, name in enumerate(self._names, 1)}
        self._statement = _PARAMETER.sub(lambda parameter: numbers[parameter[1]], statement)

    async def fetch(self, work: UnitOfWork, values: Mapping[str, object]) -> list[asyncpg.Record]:
        """Run the statement in the transaction and return its rows; see `UnitOfWork.fetch`."""
        return await work.fetch(self._statement, *(values[name] for name in self._names))

    async def fetch_last(self, work: UnitOfWork, values: Mapping[str, object]) -> list[asyncpg.Record]:
        """Run the statement as `UnitOfWork.fetch_last` does."""
        return await work.fetch_last(self._statement, *(values[name] for name in self._names))


@cache
def _names(entity: type[SQLModel]) -> tuple[str, ...]:
    """Return the names of a table's columns, the primary key first."""
    return tuple(column.name for column in SQLModel.metadata.tables[str(entity.__tablename__)].columns)


def columns_of(*entities: tuple[type[SQLModel], str]) -> str:
    """Return the columns of tables under their aliases, as `objects_of` expects them in a row."""
    return ", ".join(f"{alias}.{name}" for entity, alias in entities for name in _names(entity))


def objects_of(
    work: UnitOfWork, row: Sequence[Any], *entities: type[SQLModel], refresh: bool = False
) -> list[Any]:  # fmt: skip
    """Return the objects of a row that begins with the columns of these tables, as if the ORM had loaded them.

    An object that the session knows already is returned as it is, or with ``refresh`` (of rows that the statement
    locked) with the values of the row. None stands for an outer join without a row. The primary key is the first column
    of each table.
    """
    objects, place = [], 0
    for entity in entities:
        names = _names(entity)
        objects.append(_object_of(work, entity, names, row[place : place + len(names)], refresh=refresh))
        place += len(names)
    return objects


def _object_of(
    work: UnitOfWork, entity: type[SQLModel], names: Sequence[str], values: Sequence[Any], *, refresh: bool
) -> Any:  # noqa: ANN401
    if values[0] is None:
        return None
    mapper, session = inspect(entity), work.session.sync_session
    key = mapper.identity_key_from_primary_key((values[0],))
    known = session.identity_map.get(key)
    if known is not None:
        if refresh:
            for name, value in zip(names, values, strict=True):
                set_committed_value(known, name, value)
        return known
    loaded = mapper.class_manager.new_instance()
    # The engine has set up its connections, so that the driver gives JSON as the ORM has it.
    loaded.__dict__.update(zip(names, values, strict=True))
    # As SQLAlchemy's own loading does it. `make_transient_to_detached` and `Session.add` look for what may have changed
    # in the object and in all that belongs to it, which takes six times as long as the rest.
    state = instance_state(loaded)
    state.key, state.session_id = key, session.hash_key
    session.identity_map.add(state)
    return loaded
