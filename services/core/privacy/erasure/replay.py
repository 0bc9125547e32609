"""After the restore of a backup: what the ledger says is erased is erased again, before anything is served."""

from __future__ import annotations

from services.core.people.households.errors import NotFoundError
from services.core.platform.db.database import Database
from services.core.platform.erasure_ledger import ErasureLedger
from services.core.privacy.erasure.actions import erase_again
from services.core.privacy.erasure.removal import remove_one_erased


async def replay(database: Database, ledger: ErasureLedger) -> int:
    """Erase again what the database should not hold, to the last row; return how many. A repeat finds nothing.

    Raises LedgerBrokenError.
    """
    repeated = 0
    for entry in ledger.read():
        try:
            async with database.begin(to_replay=True) as work:
                repeated += await erase_again(work, entry) is not None
        except NotFoundError:
            continue  # another process was faster
    removing = True
    while removing:
        async with database.begin(to_replay=True) as work:
            removing = await remove_one_erased(work)
    return repeated
