"""Read the question that a guardian is asked now."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlmodel import select

from services.core.people.consents.queries import agreement_was_taken_back, consents_of
from services.core.people.consents.rules import Part, consent_texts
from services.core.people.households.birth import childs_consent_due
from services.core.people.households.queries import children_of, latest_site_of_family
from services.core.people.households.tables import Membership
from services.core.people.questions import rules
from services.core.people.questions.rules import Asked, Guardian, Subject
from services.core.people.questions.tables import QuestionPutOff
from services.core.platform.db.database import UnitOfWork
from services.core.platform.locales import LOCALES


async def question_for(work: UnitOfWork, membership: Membership) -> Asked | None:
    """Return the one question to ask this guardian now, or None."""
    site = await latest_site_of_family(work, membership.family_id)
    zone = ZoneInfo(site.timezone if site else "UTC")
    given = [
        consent
        for consent in await consents_of(work, membership.guardian_id)
        if consent.family_id == membership.family_id
    ]
    standing = {Part(consent.part): consent.text_version for consent in given if consent.withdrawn_at is None}
    put_off = await _put_off(work, membership)
    answers = [consent.given_at for consent in given] + [question.put_off_at for question in put_off]
    return rules.next_question(
        Guardian(
            today=_day(work.now, zone),
            answered_on=_day(max(answers), zone) if answers else None,
            standing=standing,
            current={part: consent_texts()[part, LOCALES[0]].text_version for part in Part},
            withdrawn=frozenset(Part(consent.part) for consent in given) - standing.keys(),
            put_off_at={(Subject(question.subject), question.child_id): question.put_off_at for question in put_off},
            offered=rules.offered_parts(
                may_locate=membership.may_locate, may_manage=membership.may_manage, is_primary=membership.is_primary
            ),
            children_due=await _children_due(work, membership) if Part.MESSAGES in standing else [],
        ),
        work.now,
    )


async def _put_off(work: UnitOfWork, membership: Membership) -> list[QuestionPutOff]:
    result = await work.session.exec(
        select(QuestionPutOff).where(
            QuestionPutOff.guardian_id == membership.guardian_id, QuestionPutOff.family_id == membership.family_id
        )
    )
    return list(result)


async def _children_due(work: UnitOfWork, membership: Membership) -> list[uuid.UUID]:
    """Return the children whose word is due and was never given: a no is an answer, and is not asked away."""
    if not membership.may_manage:
        return []
    return [
        child.child_id
        for child in await children_of(work, membership.family_id)
        if await childs_consent_due(work, child) and not await agreement_was_taken_back(work, child.child_id)
    ]


def _day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()
