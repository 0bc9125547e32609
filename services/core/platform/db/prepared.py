"""Frequent statements run by the driver: reads that SQLAlchemy builds, SQL in parts, rows as objects of the session."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property, lru_cache
from typing import Any, Final, TypeVar

import asyncpg
from sqlalchemy import BindParameter, bindparam, cast, func, inspect
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import asyncpg as dialect
from sqlalchemy.orm import Mapper, configure_mappers
from sqlalchemy.orm.attributes import instance_state, set_committed_value
from sqlalchemy.sql.expression import ClauseElement, Function
from sqlalchemy.types import TypeEngine
from sqlmodel import SQLModel

from services.core.platform.db.database import UnitOfWork

Entity = TypeVar("Entity", bound=SQLModel)


class PreparedRead:
    """A plain SELECT with named parameters. It is built at the first use, when all tables are known.

    The planner sees no value of a parameter, so that Postgres keeps the plan: it plans each execution anew while a plan
    for the values looks cheaper than the one for all values. It does for a LIMIT (of an unknown one it expects a tenth
    of the rows), for a child with few messages among many, and for times at the edge of a table. To plan a page of
    messages takes 1.4 ms, to read it 0.9 ms.
    """

    def __init__(self, build: Callable[[], ClauseElement]) -> None:
        self._build = build

    async def read(self, work: UnitOfWork, values: Mapping[str, object]) -> list[asyncpg.Record]:
        """Return the rows; see `UnitOfWork.read`."""
        statement, names = self._compiled
        return await work.read(statement, *(values[name] for name in names))

    @cached_property
    def _compiled(self) -> tuple[str, tuple[str, ...]]:
        """Return the statement and the names of its parameters in their order."""
        for_all_values = dialect.dialect()  # type: ignore[no-untyped-call]
        for_all_values.statement_compiler = _ForAllValues
        compiled = self._build().compile(dialect=for_all_values)
        return str(compiled), tuple(compiled.positiontup or ())  # type: ignore[attr-defined]


class _ForAllValues(dialect.PGCompiler_asyncpg):
    """Renders parameters as subqueries, which the planner does not see, and values of the statement as literals.

    As parameters the latter would hide that the condition of a partial index holds.
    """

    def visit_bindparam(self, bindparam: BindParameter[Any], *rest: Any, **options: Any) -> str:  # noqa: ANN401
        """Return the literal, or a subquery of the parameter's placeholder."""
        is_parameter = bindparam.value is None
        if not is_parameter:
            options["literal_binds"] = True
        rendered = str(super().visit_bindparam(bindparam, *rest, **options))  # type: ignore[no-untyped-call]
        return f"(SELECT {rendered})" if is_parameter else rendered


def any_of(name: str, of: TypeEngine[Any]) -> Function[Any]:
    """Return ``ANY`` over an array parameter of a `PreparedRead`; in SQL `any_array` does it.

    Of an array that it does not see the planner expects ten items. Seen, the one family of most guardians would make
    each plan for values look cheaper.
    """
    return func.any(cast(bindparam(name, type_=ARRAY(of)), ARRAY(of)))


def any_array(number: int, of: str) -> str:
    """Return what `any_of` does in SQL, of parameter ``number`` with items of type ``of``."""
    return f"ANY((SELECT ${number}::{of}[])::{of}[])"


_ARRAY: Final = re.compile(r"\$(\d+)::([a-z ]+)\[\]")


@lru_cache(maxsize=1024)
def unseen_arrays(statement: str) -> str:
    """Return SQL with the lengths of all its array parameters (``$1::uuid[]``) hidden, as `any_array` hides one."""
    return _ARRAY.sub(r"(SELECT $\1::\2[])::\2[]", statement)


# Not the second colon of a cast.
_PARAMETER: Final = re.compile(r"(?<!:):([a-z][a-z0-9_]*)")


class NamedStatement:
    """SQL whose parameters have names (``:name``), so that modules contribute parts to one statement."""

    def __init__(self, statement: str) -> None:
        self._names = tuple(dict.fromkeys(_PARAMETER.findall(statement)))
        numbers = {name: f"${number}" for number, name in enumerate(self._names, 1)}
        self._statement = _PARAMETER.sub(lambda parameter: numbers[parameter[1]], statement)

    async def read(self, work: UnitOfWork, values: Mapping[str, object]) -> list[asyncpg.Record]:
        """Run a plain SELECT as `UnitOfWork.read` does."""
        return await work.read(self._statement, *(values[name] for name in self._names))

    async def fetch(self, work: UnitOfWork, values: Mapping[str, object]) -> list[asyncpg.Record]:
        """Run the statement in the transaction and return its rows; see `UnitOfWork.fetch`."""
        return await work.fetch(self._statement, *(values[name] for name in self._names))

    async def fetch_last(self, work: UnitOfWork, values: Mapping[str, object]) -> list[asyncpg.Record]:
        """Run the statement as `UnitOfWork.fetch_last` does."""
        return await work.fetch_last(self._statement, *(values[name] for name in self._names))


@cache
def _mapper(entity: type[SQLModel]) -> Mapper[Any]:
    """Return the mapper of a table, set up as SQLAlchemy does at its own first statement: ours may come before.

    Before that the attributes of an object cannot be read.
    """
    configure_mappers()
    mapper: Mapper[Any] = inspect(entity)
    return mapper


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
    mapper, session = _mapper(entity), work.session.sync_session
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


def object_of_no_session(entity: type[Entity], row: asyncpg.Record) -> Entity:
    """Return an object of a row whose changes nobody writes; to construct one by SQLModel takes 15 times as long."""
    made: Entity = _mapper(entity).class_manager.new_instance()
    made.__dict__.update(row.items())
    return made
