"""Record that a guardian puts a question off."""

from __future__ import annotations

import uuid

from sqlalchemy.dialects.postgresql import insert

from services.core.people.households.errors import NotFoundError
from services.core.people.households.queries import child_by_id
from services.core.people.households.tables import Membership
from services.core.people.questions.errors import QuestionChildError
from services.core.people.questions.rules import Subject
from services.core.people.questions.tables import QuestionPutOff
from services.core.platform.db.columns import new_id
from services.core.platform.db.database import UnitOfWork


async def put_off(work: UnitOfWork, membership: Membership, subject: Subject, child_id: uuid.UUID | None) -> None:
    """Record "not now": this question is not asked again for rules.ASK_AGAIN_AFTER, and no other one today.

    A repeat moves the time. Nothing else changes: not now is no answer. Raises QuestionChildError unless exactly the
    child's own word names a child, and NotFoundError for a child of another family.
    """
    if (child_id is None) == (subject is Subject.CHILDS_WORD):
        raise QuestionChildError
    if child_id is not None:
        child = await child_by_id(work, child_id)
        if child is None or child.family_id != membership.family_id:
            raise NotFoundError
    row = insert(QuestionPutOff).values(
        put_off_id=new_id(), guardian_id=membership.guardian_id, family_id=membership.family_id,
        subject=subject.value, child_id=child_id, put_off_at=work.now,
    )  # fmt: skip
    await work.run(
        row.on_conflict_do_update(
            index_elements=["guardian_id", "family_id", "subject", "child_id"], set_={"put_off_at": work.now}
        )
    )
