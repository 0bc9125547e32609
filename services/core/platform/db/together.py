"""Several writes with one round trip: each is a part of one statement (`WITH a AS (...), b AS (...)`).

All parts see the rows as they were before the statement. Foreign keys are checked at its end, so that a part may refer
to a row of another part. A part that needs what another one has written names it in its FROM.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import asyncpg

from services.core.platform.db.database import UnitOfWork
from services.core.platform.db.prepared import unseen_arrays

_PARAMETER: Final = re.compile(r"\$(\d+)")


@dataclass(frozen=True, slots=True)
class Write:
    """Parts by their names, which are unique within a statement; ``$1`` is the first of this write's arguments."""

    parts: tuple[tuple[str, str], ...]
    arguments: tuple[object, ...]


async def write_together(
    work: UnitOfWork, *writes: Write, result: str = "SELECT", is_last: bool = False
) -> list[asyncpg.Record]:
    """Run these writes as one statement; return the rows of ``result``, a SELECT that may name parts.

    ``is_last``: as `UnitOfWork.fetch_last`.
    """
    statement = _composed(tuple((write.parts, len(write.arguments)) for write in writes), result)
    fetch = work.fetch_last if is_last else work.fetch
    return await fetch(statement, *(argument for write in writes for argument in write.arguments))


# Callers combine a few constant writes: the statement of each combination is made once.
@lru_cache(maxsize=256)
def _composed(writes: Sequence[tuple[tuple[tuple[str, str], ...], int]], result: str) -> str:
    parts, offset = [], 0
    for named, count in writes:
        parts += [f"{name} AS ({_renumbered(sql, offset)})" for name, sql in named]
        offset += count
    # One row is the usual case, and a plan for one would be made at each execution.
    return unseen_arrays(f"WITH {', '.join(parts)} {result}")


def _renumbered(sql: str, offset: int) -> str:
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + offset}", sql)
