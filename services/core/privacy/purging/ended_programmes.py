"""Erase the families of a programme that has ended, each when its own notice period has run out."""

from __future__ import annotations

import uuid

import structlog
from sqlmodel import col, select

from services.core.office.programme_end.actions import end_of_family, families_due_for_erasure
from services.core.people.households.errors import NotFoundError
from services.core.people.households.tables import Family, FamilyEnding
from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.erasure_ledger import ErasureLedger
from services.core.privacy.erasure.actions import erase_family
from services.core.privacy.erasure.removal import remove_now

log = structlog.get_logger()


async def erase_one_ended(database: Database, ledger: ErasureLedger) -> bool:
    """Erase one family whose 30 days are over and whose programme has ended; return whether there was one.

    Idempotent; several workers may run it: the row of the notice is locked, and a changed end date removes that row.
    After a kill the next run, or the replay of the ledger, completes the erasure.
    """
    try:
        async with database.begin() as work:
            due = await families_due_for_erasure(work, most=1)
            if not due:
                return False
            [family_id] = due
            # Another worker holds it and completes it; that worker would wait for this one while it removes the rows.
            locked = await work.session.exec(
                select(FamilyEnding.family_id)
                .where(col(FamilyEnding.family_id) == family_id)
                .with_for_update(key_share=True, skip_locked=True)
            )
            if locked.first() is None or not await _still_due(work, family_id):
                return False
            erasure = await erase_family(work, ledger, family_id, None)
    except NotFoundError:
        # A guardian or another worker has erased the family meanwhile.
        return False
    log.info("ended_family_erased", erasure_id=str(erasure.erasure_id))
    await remove_now(database, erasure.erasure_id)
    return True


async def _still_due(work: UnitOfWork, family_id: uuid.UUID) -> bool:
    """Return whether the family was neither erased, nor notified again, nor given a later end since it was selected."""
    family = await work.session.get(Family, family_id, populate_existing=True)
    end = await end_of_family(work, family_id)
    erased_from = None if end is None else end.erased_from
    is_there = family is not None and family.erased_at is None
    return is_there and erased_from is not None and erased_from <= work.now
