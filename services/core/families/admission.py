"""Who may log in, and what the first log-in of an enrolled phone makes."""

from __future__ import annotations

import uuid

from services.core.accounts import actions as accounts
from services.core.accounts.actions import OpenSession, SentCode
from services.core.accounts.errors import LoginCodeEndedError
from services.core.accounts.queries import guardian_by_phone
from services.core.accounts.rules import normal_phone
from services.core.accounts.tables import Guardian
from services.core.audit.actions import guardian_actor, record_audit
from services.core.db.database import UnitOfWork
from services.core.events.actions import record_event
from services.core.families.queries import enrolments_of_phone, guardians_of, is_expected
from services.core.families.rules import PRIMARY_RIGHTS
from services.core.families.tables import Membership
from services.core.locales import fitting_locale, region_of


async def request_login_code(work: UnitOfWork, phone: str, locale: str | None) -> SentCode:
    """Send a one-time code to a phone that is enrolled, invited or known; any other gets the same answer and no SMS.

    Raises PhoneInvalidError, LoginCodeTooOftenError.
    """
    spoken = fitting_locale(locale)
    number = normal_phone(phone, region_of(spoken))
    return await accounts.request_code(work, number, spoken, expected=await is_expected(work, number))


async def log_in(work: UnitOfWork, challenge_id: uuid.UUID, phone: str, code: str, locale: str | None) -> OpenSession:
    """Open a session for whoever holds the phone; its first log-in makes the account and the primary membership.

    Raises PhoneInvalidError, LoginCodeWrongError (the try is counted), LoginCodeEndedError.
    """
    spoken = fitting_locale(locale)
    number = normal_phone(phone, region_of(spoken))
    await accounts.lock_phone(work, number)
    await accounts.use_code(work, challenge_id, number, code)
    # The code went out while the phone was expected; an enrolment or invitation can have ended since.
    if not await is_expected(work, number):
        raise LoginCodeEndedError
    enrolments = await enrolments_of_phone(work, number)
    guardian = await guardian_by_phone(work, number)
    if guardian is None:
        default = enrolments[0][1].locale if enrolments else spoken
        guardian = await accounts.make_guardian(work, number, fitting_locale(locale, default))
    session = await accounts.open_session(work, guardian.guardian_id)
    for enrolment, _ in enrolments:
        await _join_as_primary(work, guardian, enrolment.family_id)
    return session


async def _join_as_primary(work: UnitOfWork, guardian: Guardian, family_id: uuid.UUID) -> None:
    standing = await guardians_of(work, family_id)
    if any(member.is_primary or member.guardian_id == guardian.guardian_id for member, _ in standing):
        return
    membership = Membership(
        family_id=family_id,
        guardian_id=guardian.guardian_id,
        relation="other",
        is_primary=True,
        may_message=PRIMARY_RIGHTS.may_message,
        may_locate=PRIMARY_RIGHTS.may_locate,
        may_manage=PRIMARY_RIGHTS.may_manage,
        joined_at=work.now,
    )
    work.add(membership)
    await work.flush()
    record_audit(
        work, guardian_actor(guardian.guardian_id), "guardian.joined", family_id=family_id,
        subject_id=guardian.guardian_id,
    )  # fmt: skip
    await record_event(work, family_id, "guardians.changed", ref_id=guardian.guardian_id)
