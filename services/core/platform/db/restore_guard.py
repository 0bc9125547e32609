"""Compares each connection that is given out with the ledger of erasures: a restored backup serves nothing.

A backup can be restored while every process runs, so one comparison at the start is not enough. Restoring one ends
every connection as a rule, but tables can be restored in place, below open connections too. So each connection is
compared each time it is given out, once anything was ever erased. The comparison is also how the pool finds out whether
a connection is still alive; where there is nothing to compare, one that was looked at within the last second is given
out without a round trip.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

import asyncpg

from services.core.platform.erasure_ledger import CHILD, FAMILY, ErasureLedger, ErasuresPendingError, LedgerEntry

# A connection that does not answer within this time is closed and replaced.
_ANSWER_TIMEOUT_S: Final = 10.0
_IS_ALIVE: Final = "SELECT"
# By primary key. The newest entry of the ledger is missing from every backup that is older than it.
_HAS_NEWEST: Final = "SELECT EXISTS (SELECT FROM erasure_ledger WHERE erasure_id = $1)"
# The tables are named, not imported: their areas stand above. The row lock waits for an erasure that is just being
# committed, which wrote to the ledger first, and then no longer finds it.
_HOLDS_ERASED: Final = (
    "SELECT 1 FROM child WHERE child_id = ANY($1::uuid[]) AND erased_at IS NULL LIMIT 1 FOR SHARE",
    "SELECT 1 FROM family WHERE family_id = ANY($1::uuid[]) AND erased_at IS NULL LIMIT 1 FOR SHARE",
)


class RestoreGuard:
    """Refuses connections to a database that holds what the ledger says is erased."""

    def __init__(self, ledger: ErasureLedger | None, *, in_transaction: bool = False) -> None:
        self._ledger = ledger
        # For a pooler that gives each transaction another server.
        self._in_transaction = in_transaction

    @property
    def has_nothing_to_compare(self) -> bool:
        """Whether the ledger is empty, and was so at the last check of this process."""
        return self._ledger is None or self._ledger.unchanged_entries() == []

    async def check(self, connection: asyncpg.Connection) -> None:
        """Raise ErasuresPendingError, LedgerBrokenError, or whatever shows that the connection is dead."""
        entries = [] if self._ledger is None else await _read(self._ledger)
        async with asyncio.timeout(_ANSWER_TIMEOUT_S):
            if not entries:
                await connection.execute(_IS_ALIVE)
                return
            held = connection.transaction() if self._in_transaction else contextlib.nullcontext()
            async with held:
                if not await connection.fetchval(_HAS_NEWEST, entries[-1].erasure_id) and await _holds_any_of(
                    connection, entries
                ):
                    raise ErasuresPendingError


async def _read(ledger: ErasureLedger) -> list[LedgerEntry]:
    known = ledger.unchanged_entries()
    return known if known is not None else await asyncio.to_thread(ledger.read)


async def _holds_any_of(connection: asyncpg.Connection, entries: list[LedgerEntry]) -> bool:
    for what, statement in zip((CHILD, FAMILY), _HOLDS_ERASED, strict=True):
        ids = [entry.subject_id for entry in entries if entry.what == what]
        if ids and await connection.fetchval(statement, ids) is not None:
            return True
    return False
