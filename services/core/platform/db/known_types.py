"""A connection of the driver that knows Postgres' own types from an earlier one of this process.

The driver asks for each type that a statement names and that it has no codec for, which an array is, by a recursive
query: 5 to 18 ms of Postgres for each set of types on each new connection, in the midst of whatever needed it first.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final, NamedTuple

import asyncpg

# Types below it have the same numbers in every installation of Postgres, and never change.
_FIRST_UNFIXED: Final = 10_000
# Its own, which its types do not name.
_DRIVER: Final[Any] = asyncpg.Connection
_known: dict[frozenset[int], list[Any]] = {}


class _NoStatement(NamedTuple):
    """Stands for the statement that was not sent; with a name, it has replaced no statement of the connection."""

    name: str = "known"


class KnowingConnection(asyncpg.Connection):
    """A connection that asks for Postgres' own types once a process."""

    __slots__ = ()

    async def _introspect_types(self, typeoids: Collection[int], timeout: float | None) -> tuple[list[Any], Any]:  # noqa: ASYNC109 - of the driver
        asked = frozenset(typeoids)
        if asked in _known:
            return _known[asked], _NoStatement()
        types, statement = await _DRIVER._introspect_types(self, typeoids, timeout)  # noqa: SLF001 - it has no other place for it
        if max(asked, default=0) < _FIRST_UNFIXED:
            _known[asked] = types
        return types, statement
