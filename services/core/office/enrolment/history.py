"""Queries over a site's past: recorded trainings and ended enrolments, by family code, without erased families."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import tuple_
from sqlmodel import col, select

from services.core.people.households.tables import Enrolment, Family, TrainingAttended
from services.core.people.programme.tables import Cohort
from services.core.platform.db.database import UnitOfWork


@dataclass(frozen=True)
class EndedEnrolment:
    """An ended enrolment with its family and cohort."""

    enrolment: Enrolment
    family_code: str
    cohort: str


async def trainings_at(
    work: UnitOfWork, site_id: uuid.UUID, *, most: int, after: tuple[str, str] | None = None
) -> list[tuple[str, TrainingAttended]]:
    """Return the trainings of families enrolled at the site now, by family code and training, at most ``most``.

    ``after``: family code and training of the last row of the previous page.
    """
    statement = (
        select(Family.family_code, TrainingAttended)
        .join(Enrolment, col(Enrolment.family_id) == col(Family.family_id))
        .join(TrainingAttended, col(TrainingAttended.enrolment_id) == col(Enrolment.enrolment_id))
        .where(col(Enrolment.site_id) == site_id, col(Enrolment.ended_at).is_(None))
        .order_by(col(Family.family_code), col(TrainingAttended.training))
        .limit(most)
    )
    if after is not None:
        statement = statement.where(tuple_(col(Family.family_code), col(TrainingAttended.training)) > after)
    return list((await work.session.exec(statement)).all())


async def ended_enrolments_at(
    work: UnitOfWork, site_id: uuid.UUID, *, most: int, after: uuid.UUID | None = None
) -> list[EndedEnrolment]:
    """Return the ended enrolments of a site, newest end first: at most ``most``, after the one ``after``."""
    statement = (
        select(Enrolment, Family.family_code, Cohort.name)
        .join(Family, col(Family.family_id) == col(Enrolment.family_id))
        .join(Cohort, col(Cohort.cohort_id) == col(Enrolment.cohort_id))
        .where(col(Enrolment.site_id) == site_id, col(Enrolment.ended_at).is_not(None), col(Family.erased_at).is_(None))
        .order_by(col(Enrolment.ended_at).desc(), col(Enrolment.enrolment_id).desc())
        .limit(most)
    )
    if after is not None:
        # An ``after`` of another site behaves like an unknown one: the page is empty.
        place = select(Enrolment.ended_at).where(Enrolment.enrolment_id == after, Enrolment.site_id == site_id)
        statement = statement.where(
            tuple_(col(Enrolment.ended_at), col(Enrolment.enrolment_id)) < tuple_(place.scalar_subquery(), after)
        )
    return [EndedEnrolment(*row) for row in await work.session.exec(statement)]
