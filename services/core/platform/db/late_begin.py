"""Begin a transaction with its first statement that writes or locks: what only reads sends neither BEGIN nor COMMIT.

Transactions are READ COMMITTED, where each statement sees what was committed before it began: a statement that reads
sees the same before the beginning of a transaction as after it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Connection
from sqlalchemy.event import listen
from sqlalchemy.ext.asyncio import AsyncEngine

# Row locks, and functions whose effect belongs to a transaction.
_LOCKS_OR_WRITES: Final = re.compile(r"\bFOR (?:NO KEY )?(?:UPDATE|SHARE)\b|\bFOR KEY SHARE\b|\bpg_|\bset_config|val\(")


@lru_cache(maxsize=4096)
def is_plain_read(statement: str) -> bool:
    """Return whether a statement neither writes nor locks nor calls what does."""
    return statement.lstrip().startswith("SELECT") and _LOCKS_OR_WRITES.search(statement) is None


def begin_late(engine: AsyncEngine) -> None:
    """Have the statements of this engine begin a transaction when they need one."""
    listen(engine.sync_engine, "before_cursor_execute", _choose)


def begin_now(adapted: Any) -> None:  # noqa: ANN401 - of SQLAlchemy's dialect, and untyped
    """Have the next statement of this connection begin a transaction, unless one has begun."""
    adapted.autocommit = False


def _choose(
    connection: Connection, _cursor: object, statement: str, _parameters: object, _context: object, is_many: bool,  # noqa: FBT001 - of the event
) -> None:  # fmt: skip
    adapted: Any = connection.connection.dbapi_connection
    # The dialect begins with the first statement of a connection that has no transaction, unless it commits by itself.
    if adapted._transaction is None:  # noqa: SLF001 - the dialect has no other place for it
        adapted.autocommit = not is_many and is_plain_read(statement)
