"""Check that an approver is a second person and that the account is old enough; keep a record of who was refused."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Collection, Iterator
from datetime import datetime

from services.core.people.accounts.actors import staff_actor
from services.core.people.accounts.tables import Staff
from services.core.people.households.errors import (
    RecoveryDocumentNeededError,
    RecoveryPaperError,
    SecondPersonNeededError,
)
from services.core.people.staff_accounts.errors import ApproverTooNewError
from services.core.people.staff_accounts.queries import accounts_behind, standing_of
from services.core.people.staff_accounts.rules import PROBATION, approves_from, was_there_before
from services.core.platform.audit.actions import record_audit
from services.core.platform.db.database import UnitOfWork


async def check_second_person(
    work: UnitOfWork,
    staff_id: uuid.UUID,
    others: Collection[uuid.UUID],
    *,
    urgent: bool = False,
    there_before: datetime | None = None,
) -> None:
    """Raise unless ``staff_id`` is another person than all ``others`` and its account is old enough to approve.

    ``urgent``: as in :func:`rules.approves_from`. ``there_before``: the account must not have been opened, promoted or
    reset after this time. Raises SecondPersonNeededError, ApproverTooNewError.
    """
    behind = await accounts_behind(work, {staff_id, *others})
    if any(behind[staff_id] & behind[other] for other in others):
        raise SecondPersonNeededError
    standing = standing_of(await work.session.get_one(Staff, staff_id))
    from_at = approves_from(standing, urgent=urgent)
    if from_at > work.now:
        raise ApproverTooNewError(from_at)
    if there_before is not None and not was_there_before(standing, there_before):
        # The account can never approve this case; the reported date applies to later cases.
        raise ApproverTooNewError(max(from_at, there_before + PROBATION))


@contextlib.contextmanager
def noting_refusals(
    work: UnitOfWork,
    staff_id: uuid.UUID,
    action: str,
    *,
    family_id: uuid.UUID | None = None,
    subject_id: uuid.UUID | str = "",
) -> Iterator[None]:
    """Write an audit entry that outlives the refusal of a second person or of a paper; the error goes on."""
    try:
        yield
    except (
        SecondPersonNeededError,
        ApproverTooNewError,
        RecoveryPaperError,
        RecoveryDocumentNeededError,
    ) as refused:
        record_audit(
            work, staff_actor(staff_id), action, family_id=family_id, subject_id=subject_id, refused=refused.code
        )
        work.keep_refusal()
        raise
