"""After a restore, erase again what the ledger lists, before anything is served."""

from __future__ import annotations

from services.core.people.households.errors import NotFoundError
from services.core.platform.db.database import Database
from services.core.platform.erasure_ledger import ErasureLedger
from services.core.privacy.erasure.actions import erase_again
from services.core.privacy.erasure.removal import remove_one_erased


async def replay(database: Database, ledger: ErasureLedger) -> int:
    """Erase again everything in the ledger that the database still holds; return how many. Repeating it finds nothing.

    Raises LedgerBrokenError.
    """
    repeated = 0
    for entry in ledger.read():
        try:
            async with database.begin(to_replay=True) as work:
                repeated += await erase_again(work, entry) is not None
        except NotFoundError:
            continue  # another process has erased it
    removing = True
    while removing:
        async with database.begin(to_replay=True) as work:
            removing = await remove_one_erased(work)
    return repeated
