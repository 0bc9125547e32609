"""Two of staff decide about a contested right, with the family's document; every guardian is notified before and after.

A decision can only remove a right or keep it: none is given.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy.orm import aliased
from sqlmodel import col, select

from services.core.office.recovery.paper import Paper, check_paper, recorded_forms
from services.core.people.accounts.actors import staff_actor
from services.core.people.households.errors import (
    NotFoundError,
    PrimaryGuardianError,
    RecoveryPaperError,
)
from services.core.people.households.queries import guardians_of
from services.core.people.households.rules import APPROVAL_LIFETIME, RECOVERY_WAIT
from services.core.people.households.tables import Enrolment, Family, Membership
from services.core.people.programme.tables import Site
from services.core.people.staff_accounts.approvals import check_second_person, noting_refusals
from services.core.platform.audit.actions import SYSTEM, record_audit
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event
from services.core.platform.outbox.actions import send_sms
from services.core.privacy.contests.actions import check_removal, settle_contest
from services.core.privacy.contests.sms_texts import decision_text
from services.core.privacy.contests.tables import ContestDecision
from services.core.privacy.errors import ContestDecisionEndedError, ContestDecisionStandsError, LastMessengerError
from services.core.privacy.tables import Contest


async def request_decision(
    work: UnitOfWork, staff_id: uuid.UUID, site: Site, contest_id: uuid.UUID, *, upholds: bool, paper: Paper
) -> ContestDecision:
    """Request that a contest at a site is upheld or dismissed.

    Raises NotFoundError, PrimaryGuardianError, LastMessengerError, TextNotAllowedError, RecoveryPaperError,
    RecoveryDocumentNeededError, ContestDecisionStandsError.
    """
    contest = await _open_contest(work, site, contest_id)
    if upholds:
        await check_removal(work, contest)
    with noting_refusals(work, staff_id, "contest_decision.asked", family_id=contest.family_id, subject_id=contest_id):
        document, number = check_paper(await recorded_forms(work, contest.family_id, contest.raised_by), paper)
    await _end_lapsed(work, contest_id)
    decision = ContestDecision(
        contest_id=contest_id, family_id=contest.family_id, site_id=site.site_id, upholds=upholds, document=document,
        number_hash=_hash(work, number), asked_by=staff_id, asked_at=work.now,
    )  # fmt: skip
    work.add(decision)
    record_audit(
        work, staff_actor(staff_id), "contest_decision.asked", family_id=contest.family_id, subject_id=contest_id
    )
    return decision


async def approve_decision(
    work: UnitOfWork, staff_id: uuid.UUID, site: Site, contest_id: uuid.UUID, paper: Paper
) -> ContestDecision:
    """Approve a decision as a second person who has seen the document; 48 hours later it is carried out.

    Raises NotFoundError, ContestDecisionEndedError, SecondPersonNeededError, ApproverTooNewError, TextNotAllowedError,
    RecoveryPaperError, RecoveryDocumentNeededError.
    """
    contest = await _open_contest(work, site, contest_id)
    decision = await _standing(work, contest_id)
    if decision is None or decision.state != "asked" or decision.asked_at <= work.now - APPROVAL_LIFETIME:
        raise ContestDecisionEndedError
    with noting_refusals(
        work, staff_id, "contest_decision.approved", family_id=contest.family_id, subject_id=contest_id
    ):
        await check_second_person(work, staff_id, {decision.asked_by})
        document, number = check_paper(await recorded_forms(work, contest.family_id, contest.raised_by), paper)
        if (document, _hash(work, number)) != (decision.document, decision.number_hash):
            raise RecoveryPaperError
    decision.state = "waiting"
    decision.approved_by = staff_id
    decision.due_at = work.now + RECOVERY_WAIT
    work.add(decision)
    record_audit(
        work, staff_actor(staff_id), "contest_decision.approved", family_id=contest.family_id, subject_id=contest_id
    )
    await _notify(work, decision)
    return decision


async def withdraw_decision(
    work: UnitOfWork, staff_id: uuid.UUID, site: Site, contest_id: uuid.UUID
) -> ContestDecision:
    """Withdraw a decision, such as after a guardian's objection. Raises NotFoundError, ContestDecisionEndedError."""
    contest = await _open_contest(work, site, contest_id)
    decision = await _standing(work, contest_id)
    if decision is None:
        raise ContestDecisionEndedError
    was_announced = decision.state == "waiting"
    _end(work, decision, "withdrawn")
    record_audit(
        work, staff_actor(staff_id), "contest_decision.withdrawn", family_id=contest.family_id, subject_id=contest_id
    )
    if was_announced:
        await _notify_apps(work, decision)
    return decision


async def carry_out_one_decision(work: UnitOfWork) -> bool:
    """Carry out a decision that is due; return whether there was one. Idempotent.

    A decision that no longer fits (the contest was withdrawn, the guardian became the first or the last one who may
    message) fails and changes nothing.
    """
    result = await work.session.exec(
        select(ContestDecision)
        .where(ContestDecision.state == "waiting", col(ContestDecision.due_at) <= work.now)
        .order_by(col(ContestDecision.due_at))
        .limit(1)
        .with_for_update(key_share=True, skip_locked=True)
    )
    decision = result.first()
    if decision is None:
        return False
    contest = await work.session.get_one(Contest, decision.contest_id)
    fits = contest.state == "open"
    if fits:
        try:
            await settle_contest(work, SYSTEM, decision.contest_id, uphold=decision.upholds)
        except (PrimaryGuardianError, LastMessengerError):
            fits = False
    _end(work, decision, "done" if fits else "failed")
    if fits:
        await _notify(work, decision)
    else:
        await _notify_apps(work, decision)
    return True


async def contests_at(
    work: UnitOfWork, site_id: uuid.UUID
) -> Sequence[tuple[Contest, str, str, str, ContestDecision | None]]:
    """Return the open contests of a site, the oldest first, at most 100.

    Each with the family's code, the relations of whoever raised it and of the contested guardian, and the decision
    that stands.
    """
    raiser, contested = aliased(Membership), aliased(Membership)
    result = await work.session.exec(
        select(Contest, Family.family_code, raiser.relation, contested.relation)
        .join(Family, col(Family.family_id) == col(Contest.family_id))
        .join(Enrolment, col(Enrolment.family_id) == col(Contest.family_id))
        .join(
            raiser,
            (col(raiser.family_id) == col(Contest.family_id))
            & (col(raiser.guardian_id) == col(Contest.raised_by))
            & col(raiser.removed_at).is_(None),
        )
        .join(
            contested,
            (col(contested.family_id) == col(Contest.family_id))
            & (col(contested.guardian_id) == col(Contest.about_id))
            & col(contested.removed_at).is_(None),
        )
        .where(Contest.state == "open", Enrolment.site_id == site_id, col(Enrolment.ended_at).is_(None))
        .order_by(col(Contest.raised_at), col(Contest.contest_id))
        .limit(100)
    )
    standing = await work.session.exec(
        select(ContestDecision).where(
            ContestDecision.site_id == site_id, col(ContestDecision.state).in_(("asked", "waiting"))
        )
    )
    decisions = {decision.contest_id: decision for decision in standing}
    return [
        (contest, code, raised_by, about, decisions.get(contest.contest_id))
        for contest, code, raised_by, about in result
    ]


async def _open_contest(work: UnitOfWork, site: Site, contest_id: uuid.UUID) -> Contest:
    result = await work.session.exec(
        select(Contest)
        .join(Enrolment, col(Enrolment.family_id) == col(Contest.family_id))
        .where(
            Contest.contest_id == contest_id, Contest.state == "open", Enrolment.site_id == site.site_id,
            col(Enrolment.ended_at).is_(None),
        )
        .with_for_update(of=Contest, key_share=True)
        .execution_options(populate_existing=True)
    )  # fmt: skip
    contest = result.first()
    if contest is None:
        raise NotFoundError
    return contest


async def _standing(work: UnitOfWork, contest_id: uuid.UUID) -> ContestDecision | None:
    result = await work.session.exec(
        select(ContestDecision)
        .where(ContestDecision.contest_id == contest_id, col(ContestDecision.state).in_(("asked", "waiting")))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return result.first()


async def _end_lapsed(work: UnitOfWork, contest_id: uuid.UUID) -> None:
    standing = await _standing(work, contest_id)
    if standing is None:
        return
    if standing.state == "waiting" or standing.asked_at > work.now - APPROVAL_LIFETIME:
        raise ContestDecisionStandsError
    _end(work, standing, "withdrawn")
    await work.flush()


def _end(work: UnitOfWork, decision: ContestDecision, state: str) -> None:
    decision.state = state
    decision.number_hash = b""
    decision.ended_at = work.now
    work.add(decision)


async def _notify(work: UnitOfWork, decision: ContestDecision) -> None:
    """Notify every guardian by text and in the app."""
    is_done = decision.state == "done"
    for _, guardian in await guardians_of(work, decision.family_id):
        await send_sms(work, guardian.phone, decision_text(is_done, guardian.locale, work.host))
    await _notify_apps(work, decision)


async def _notify_apps(work: UnitOfWork, decision: ContestDecision) -> None:
    detail: dict[str, str | int | bool] = {
        "state": "open" if decision.state != "done" else "upheld" if decision.upholds else "dismissed"
    }
    detail["decision"] = decision.state
    if decision.state == "waiting" and decision.due_at is not None:
        detail["due_at"] = decision.due_at.isoformat()
    await record_event(work, decision.family_id, "contest.changed", ref_id=decision.contest_id, detail=detail)


def _hash(work: UnitOfWork, number: str) -> bytes:
    return work.vault.keyed_hash(number, "contest-paper")
