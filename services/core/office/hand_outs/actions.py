"""Hand-out sessions at a site: an hour with its own code budget, and printed log-in slips as an SMS fallback."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlmodel import col, select

from services.core.people.accounts.actions import OpenSession
from services.core.people.accounts.actors import staff_actor
from services.core.people.accounts.codes import lock_phone
from services.core.people.accounts.phone_numbers import normal_phone
from services.core.people.households.admission import Asker, admit
from services.core.people.households.errors import (
    HandOutClosedError,
    HandOutOfColleagueError,
    HandOutTooLongError,
    NotFoundError,
    SlipRefusedError,
)
from services.core.people.households.hand_out_codes import code_as_hashed, hand_out_code_hash, is_open, wall_code
from services.core.people.households.rules import HAND_OUT_CODES_A_FAMILY, HAND_OUT_LONGEST_PROLONGED
from services.core.people.households.tables import Enrolment, Family, HandOut, LogInSlip
from services.core.people.programme.tables import Site
from services.core.platform.audit.actions import record_audit
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.columns import new_id
from services.core.platform.db.database import UnitOfWork

# A slip opens a session, so it has 60 bits.
_SLIP_LETTERS = 12


@dataclass(frozen=True)
class PrintedSlip:
    """A log-in slip in readable form; it is available only at the moment of printing."""

    family_code: str
    code: str
    valid_until: datetime


async def open_hand_out(
    work: UnitOfWork, staff_id: uuid.UUID, site: Site, *, families: int, lasts: timedelta
) -> tuple[HandOut, str]:
    """Open a hand-out and return it with its wall code, which is not stored."""
    hand_out_id = new_id()
    code = wall_code(work, hand_out_id)
    hand_out = HandOut(
        hand_out_id=hand_out_id, site_id=site.site_id, opened_by=staff_id,
        code_hash=hand_out_code_hash(work, code), families=families,
        codes_left=families * HAND_OUT_CODES_A_FAMILY, opened_at=work.now, closes_at=work.now + lasts,
    )  # fmt: skip
    work.add(hand_out)
    await work.flush()
    record_audit(work, staff_actor(staff_id), "hand_out.opened", subject_id=hand_out.hand_out_id)
    return hand_out, grouped(code)


async def close_hand_out(work: UnitOfWork, staff_id: uuid.UUID, site: Site, hand_out_id: uuid.UUID) -> HandOut:
    """Close a hand-out early; repeating the call changes nothing. Raises NotFoundError."""
    hand_out = await _of_site(work, site, hand_out_id)
    if is_open(hand_out, work.now):
        hand_out.closes_at = work.now
        work.add(hand_out)
        record_audit(work, staff_actor(staff_id), "hand_out.closed", subject_id=hand_out_id)
    return hand_out


async def prolong_hand_out(
    work: UnitOfWork, staff_id: uuid.UUID, site: Site, hand_out_id: uuid.UUID, closes_at: datetime
) -> HandOut:
    """Keep a hand-out open until ``closes_at``, with the same wall code and slips; repeating the call changes nothing.

    An earlier time changes nothing. Raises NotFoundError, HandOutClosedError, HandOutOfColleagueError,
    HandOutTooLongError.
    """
    hand_out = await _of_site(work, site, hand_out_id)
    if not is_open(hand_out, work.now):
        raise HandOutClosedError
    if hand_out.opened_by != staff_id:
        raise HandOutOfColleagueError
    if closes_at > hand_out.opened_at + HAND_OUT_LONGEST_PROLONGED:
        raise HandOutTooLongError
    if closes_at > hand_out.closes_at:
        hand_out.closes_at = closes_at
        work.add(hand_out)
        record_audit(work, staff_actor(staff_id), "hand_out.prolonged", subject_id=hand_out_id)
    return hand_out


def may_prolong(hand_out: HandOut, staff_id: uuid.UUID) -> bool:
    """Return whether a staff member can still keep an open hand-out open for longer."""
    return hand_out.opened_by == staff_id and hand_out.closes_at < hand_out.opened_at + HAND_OUT_LONGEST_PROLONGED


async def hand_outs_of(work: UnitOfWork, site_id: uuid.UUID) -> Sequence[HandOut]:
    """Return the site's newest hand-outs."""
    result = await work.session.exec(
        select(HandOut)
        .where(HandOut.site_id == site_id)
        .order_by(col(HandOut.opened_at).desc(), col(HandOut.hand_out_id))
        .limit(50)
    )
    return result.all()


async def print_slips(
    work: UnitOfWork, staff_id: uuid.UUID, site: Site, hand_out_id: uuid.UUID, family_codes: Collection[str]
) -> list[PrintedSlip]:
    """Create a log-in slip for each of these families of the site; a new slip voids the family's previous one.

    Raises NotFoundError, also for a family of another site, and HandOutClosedError, also when the slips would exceed
    the number of families of the hand-out.
    """
    hand_out = await _of_site(work, site, hand_out_id)
    if not is_open(hand_out, work.now):
        raise HandOutClosedError
    result = await work.session.exec(
        select(Family)
        .join(Enrolment, col(Enrolment.family_id) == col(Family.family_id))
        .where(
            col(Family.family_code).in_(family_codes), Enrolment.site_id == site.site_id,
            col(Enrolment.ended_at).is_(None),
        )
        .order_by(col(Family.family_code))
    )  # fmt: skip
    families = result.all()
    if len(families) != len(set(family_codes)):
        raise NotFoundError
    await work.run(
        delete(LogInSlip).where(
            col(LogInSlip.hand_out_id) == hand_out_id,
            col(LogInSlip.family_id).in_([family.family_id for family in families]),
        )
    )
    others = await work.session.exec(select(LogInSlip.slip_id).where(LogInSlip.hand_out_id == hand_out_id))
    if len(others.all()) + len(families) > hand_out.families:
        raise HandOutClosedError
    printed = []
    for family in families:
        code = new_ref(_SLIP_LETTERS)
        work.add(
            LogInSlip(
                hand_out_id=hand_out_id, family_id=family.family_id, code_hash=_slip_hash(work, code),
                printed_at=work.now,
            )
        )  # fmt: skip
        record_audit(work, staff_actor(staff_id), "slip.printed", family_id=family.family_id, subject_id=hand_out_id)
        printed.append(PrintedSlip(family.family_code, grouped(code), hand_out.closes_at))
    return printed


async def log_in_by_slip(work: UnitOfWork, code: str, phone: str, asker: Asker) -> OpenSession:
    """Open a session with a printed slip and the phone number enrolled for its family; a slip works once.

    The device check is the same as for any other log-in. Raises PhoneInvalidError, SlipRefusedError,
    NewPhonesBlockedError, TextNotAllowedError.
    """
    of_slip = (
        select(Site.country)
        .join(HandOut, col(HandOut.site_id) == col(Site.site_id))
        .join(LogInSlip, col(LogInSlip.hand_out_id) == col(HandOut.hand_out_id))
        .where(LogInSlip.code_hash == _slip_hash(work, code))
    )
    number = normal_phone(phone, (await work.session.exec(of_slip)).first() or asker.region)
    await lock_phone(work, number)
    result = await work.session.exec(
        select(LogInSlip, HandOut, Enrolment.guardian_phone)
        .join(HandOut, col(HandOut.hand_out_id) == col(LogInSlip.hand_out_id))
        .join(Enrolment, col(Enrolment.family_id) == col(LogInSlip.family_id))
        .where(LogInSlip.code_hash == _slip_hash(work, code), col(Enrolment.ended_at).is_(None))
        .with_for_update(of=LogInSlip, key_share=True)
    )
    row = result.first()
    if row is None or row[2] != number or row[0].used_at is not None or not is_open(row[1], work.now):
        raise SlipRefusedError
    row[0].used_at = work.now
    work.add(row[0])
    return await admit(work, number, asker)


def grouped(code: str) -> str:
    """Return a code in groups of four characters, for reading out and typing."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def _slip_hash(work: UnitOfWork, code: str) -> bytes:
    return work.vault.keyed_hash(code_as_hashed(code), "log-in-slip")


async def _of_site(work: UnitOfWork, site: Site, hand_out_id: uuid.UUID) -> HandOut:
    hand_out = await work.session.get(HandOut, hand_out_id, with_for_update={"key_share": True}, populate_existing=True)
    if hand_out is None or hand_out.site_id != site.site_id:
        raise NotFoundError
    return hand_out
