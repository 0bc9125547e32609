"""Attendance of trainings, and the end of an enrolment, which ends the measurement and nothing else."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from services.core.people.households.queries import standing_enrolment
from services.core.people.households.rules import TRAININGS, check_end_reason, check_training
from services.core.people.households.tables import Enrolment, Family, TrainingAttended
from services.core.platform.audit.actions import Actor, record_audit
from services.core.platform.db.database import UnitOfWork
from services.core.platform.facts.actions import record_fact
from services.core.platform.spreadsheets.sheets import (
    Fault,
    Listed,
    Row,
    SheetRefusedError,
    all_faults,
    first_faults,
    is_date,
    read_sheet,
)

TRAINING_COLUMNS: Final = ("family_code", "training", "attended_on")
# Stands for the day of a row whose cell is none; such a list is never recorded.
_NO_DAY: Final = date.min


@dataclass(frozen=True)
class TrainingRow:
    """One row of an attendance list."""

    row: int
    family_code: str
    training: str
    attended_on: date


@dataclass
class Noted:
    """Result of an attendance list: the number of rows recorded by this call and of rows recorded before."""

    noted: int = 0
    unchanged: int = 0


async def end_enrolment(
    work: UnitOfWork, actor: Actor, family_code: str, reason: str, *, site_id: uuid.UUID | None = None
) -> None:
    """End a family's enrolment: statistics and site lists exclude it from now on.

    The watch, the messages and the guardians' access stay unchanged. No notification is sent. Raises
    FamilyUnknownError, also for a family that has already left, and EndReasonUnknownError.
    """
    checked = check_end_reason(reason)
    enrolment = await standing_enrolment(work, family_code, lock=True, site_id=site_id)
    enrolment.ended_at = work.now
    enrolment.end_reason = checked
    work.add(enrolment)
    record_fact(work, "family_left", family_id=enrolment.family_id)
    record_audit(work, actor, "family.left", family_id=enrolment.family_id, subject_id=enrolment.enrolment_id)


async def record_training(
    work: UnitOfWork, actor: Actor, family_code: str, training: str, attended_on: date, *,
    site_id: uuid.UUID | None = None,
) -> bool:  # fmt: skip
    """Record a family's attendance of a training; repeating the call returns False and keeps the first date.

    Raises FamilyUnknownError, TrainingUnknownError.
    """
    checked = check_training(training)
    enrolment = await standing_enrolment(work, family_code, site_id=site_id)
    return await _note(work, actor, enrolment, checked, attended_on)


def read_training_list(raw: bytes) -> Listed[TrainingRow]:
    """Return the rows of an attendance list and its faults; raises SheetRefusedError for a file that is not one."""
    faults: list[Fault] = []
    rows = read_sheet(raw, required=TRAINING_COLUMNS, collected=faults)
    faults += [fault for row in rows for fault in _faults(row)]
    return Listed([_training(row) for row in rows], first_faults(faults))


async def record_trainings(
    work: UnitOfWork,
    actor: Actor,
    listed: Listed[TrainingRow],
    progress: Callable[[], None] = lambda: None,
    *,
    site_id: uuid.UUID | None = None,
) -> Noted:
    """Record an attendance list, all rows or none; repeating the call changes nothing.

    With ``site_id``, a family of another site is reported as unknown. Raises SheetRefusedError with every fault of the
    file and every row that conflicts with the enrolments.
    """
    rows = listed.rows
    here = [] if site_id is None else [col(Enrolment.site_id) == site_id]
    result = await work.session.exec(
        select(Family.family_code, Enrolment)
        .join(Enrolment, col(Enrolment.family_id) == col(Family.family_id))
        .where(col(Family.family_code).in_([row.family_code for row in rows]), col(Enrolment.ended_at).is_(None), *here)
    )
    enrolments = dict(result.all())
    today = work.now.date()
    faults = [
        Fault(row.row, "family_code", "family_unknown", "No family with this code is enrolled.")
        for row in rows
        if row.family_code not in enrolments
    ]
    faults += [
        Fault(row.row, "attended_on", "attended_on_ahead", "This date is in the future.")
        for row in rows
        # Tomorrow's date in UTC is accepted, because the day starts earlier in Asia.
        if (row.attended_on - today).days > 1
    ]
    if faults := all_faults(listed.faults, faults):
        raise SheetRefusedError(faults)
    outcome = Noted()
    for row in rows:
        if await _note(work, actor, enrolments[row.family_code], row.training, row.attended_on):
            outcome.noted += 1
        else:
            outcome.unchanged += 1
        progress()
    return outcome


async def trainings_of(work: UnitOfWork, enrolment: Enrolment) -> list[TrainingAttended]:
    """Return the trainings that an enrolled family attended, by date."""
    result = await work.session.exec(
        select(TrainingAttended)
        .where(col(TrainingAttended.enrolment_id) == enrolment.enrolment_id)
        .order_by(col(TrainingAttended.attended_on), col(TrainingAttended.training))
    )
    return list(result)


async def _note(work: UnitOfWork, actor: Actor, enrolment: Enrolment, training: str, attended_on: date) -> bool:
    made = await work.run(
        insert(TrainingAttended)
        .values(enrolment_id=enrolment.enrolment_id, training=training, attended_on=attended_on, noted_at=work.now)
        .on_conflict_do_nothing()
        .returning(col(TrainingAttended.enrolment_id))
    )
    if made.scalar_one_or_none() is None:
        return False
    record_audit(work, actor, "family.training_noted", family_id=enrolment.family_id, subject_id=enrolment.enrolment_id)
    return True


def _training(row: Row) -> TrainingRow:
    day = row.cells["attended_on"]
    return TrainingRow(
        row.number, row.cells["family_code"].upper(), row.cells["training"].lower(),
        date.fromisoformat(day) if is_date(day) else _NO_DAY,
    )  # fmt: skip


def _faults(row: Row) -> list[Fault]:
    faults = []
    if not row.cells["family_code"]:
        faults.append(row.fault("family_code", "family_code_missing", "This cell is empty."))
    if row.cells["training"].lower() not in TRAININGS:
        faults.append(row.fault("training", "training_unknown", f"Must be one of {', '.join(TRAININGS)}."))
    if not is_date(row.cells["attended_on"]):
        faults.append(row.fault("attended_on", "attended_on_malformed", "Write the date as 2027-01-31."))
    return faults
