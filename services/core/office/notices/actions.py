"""Notices of the office: news for a cohort, and a request that one family get in touch. There are no replies."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Final

from sqlmodel import col, select

from services.core.people.accounts.tables import Guardian
from services.core.people.households.queries import standing_enrolment
from services.core.people.households.sms_texts import get_in_touch_text
from services.core.people.households.tables import Enrolment, Family, Membership, Notice
from services.core.people.programme.tables import Cohort
from services.core.platform.audit.actions import Actor, record_audit
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event
from services.core.platform.outbox.actions import send_sms
from services.core.platform.text_rules import PROSE, check_text

# At most one contact request a day for a guardian, whichever staff member sends it.
ASK_AGAIN_AFTER: Final = timedelta(days=1)


async def notify_cohort(work: UnitOfWork, actor: Actor, cohort: Cohort, text: str) -> Notice:
    """Send a notice to every enrolled family of a cohort; an event announces it to apps. Raises TextNotAllowedError."""
    notice = Notice(cohort_id=cohort.cohort_id, kind="news", text=check_text("text", text, PROSE), created_at=work.now)
    work.add(notice)
    await work.flush()
    result = await work.session.exec(
        select(Enrolment.family_id)
        .where(col(Enrolment.cohort_id) == cohort.cohort_id, col(Enrolment.ended_at).is_(None))
        # Families in a fixed order: each event locks its family's row.
        .order_by(col(Enrolment.family_id))
    )
    for family_id in result:
        await record_event(work, family_id, "notice.created", ref_id=notice.notice_id)
    record_audit(work, actor, "notice.sent", subject_id=notice.notice_id)
    return notice


async def request_contact(work: UnitOfWork, actor: Actor, family_code: str, site_id: uuid.UUID) -> bool:
    """Ask a family of this site to get in touch, by SMS and in the app, without a reason; at most once a day.

    Repeating the call within the day returns False and sends nothing. Raises FamilyUnknownError, also for a family of
    another site.
    """
    enrolment = await standing_enrolment(work, family_code, lock=True, site_id=site_id)
    open_requests = await work.session.exec(
        select(Notice.notice_id).where(
            col(Notice.family_id) == enrolment.family_id,
            col(Notice.kind) == "get_in_touch",
            col(Notice.created_at) > work.now - ASK_AGAIN_AFTER,
        )
    )
    if open_requests.first() is not None:
        return False
    notice = Notice(family_id=enrolment.family_id, kind="get_in_touch", created_at=work.now)
    work.add(notice)
    await work.flush()
    primary = await work.session.exec(
        select(Guardian)
        .join(Membership, col(Membership.guardian_id) == col(Guardian.guardian_id))
        .where(
            col(Membership.family_id) == enrolment.family_id,
            col(Membership.is_primary),
            col(Membership.removed_at).is_(None),
        )
    )
    guardian = primary.first()
    if guardian is not None:
        await send_sms(work, guardian.phone, get_in_touch_text(guardian.locale))
    await record_event(work, enrolment.family_id, "notice.created", ref_id=notice.notice_id)
    record_audit(work, actor, "family.asked_to_get_in_touch", family_id=enrolment.family_id)
    return True


async def notices_sent(work: UnitOfWork, cohort: Cohort, most: int) -> list[Notice]:
    """Return the notices sent to a cohort, newest first."""
    result = await work.session.exec(
        select(Notice)
        .where(col(Notice.cohort_id) == cohort.cohort_id)
        .order_by(col(Notice.created_at).desc(), col(Notice.notice_id))
        .limit(most)
    )
    return list(result)


async def notices_for(work: UnitOfWork, guardian_id: uuid.UUID, most: int) -> list[tuple[Notice, uuid.UUID]]:
    """Return the notices sent to the guardian's families during their enrolment, newest first, with the family ids."""
    result = await work.session.exec(
        select(Notice, Family.family_id)
        .select_from(Membership)
        .join(Family, col(Family.family_id) == col(Membership.family_id))
        .join(Enrolment, col(Enrolment.family_id) == col(Family.family_id))
        .join(
            Notice,
            (col(Notice.family_id) == col(Family.family_id))
            | (
                (col(Notice.cohort_id) == col(Enrolment.cohort_id))
                & (col(Notice.created_at) >= col(Enrolment.enrolled_at))
                & (col(Enrolment.ended_at).is_(None) | (col(Notice.created_at) <= col(Enrolment.ended_at)))
            ),
        )
        .where(col(Membership.guardian_id) == guardian_id, col(Membership.removed_at).is_(None))
        .distinct()
        .order_by(col(Notice.created_at).desc(), col(Notice.notice_id))
        .limit(most)
    )
    return list(result.all())
