"""The transactions of a process that stands still: Postgres ends them, so that it gives its locks up.

`idle_in_transaction_session_timeout` counts from the end of a message exchange. The driver prepares a new statement by
an exchange that it ends only together with the execution: a process frozen between the two is never idle, and would
keep its locks until it wakes. `transaction_timeout` (Postgres 17) counts from the beginning of a transaction and ends
that one too; an older server has no remedy.
"""

from __future__ import annotations

from typing import Final

import asyncpg

# How much longer a transaction may last than it may be idle: it may wait for the locks of others.
_LASTS_LONGER_S: Final = 8
# No row, and no call, where the server is older.
_BOUND_TRANSACTIONS: Final = """
SELECT set_config('transaction_timeout', $1, false) WHERE current_setting('server_version_num')::int >= 170000
"""


async def bound_transactions(connection: asyncpg.Connection, idle_s: int) -> None:
    """Have Postgres end a transaction of this connection ``idle_s`` and 8 s after its beginning.

    Not for a connection of a pooler, which gives the setting to others too.
    """
    await connection.fetch(_BOUND_TRANSACTIONS, str((idle_s + _LASTS_LONGER_S) * 1000))
