"""Read surveys: questions, answers of consenting families, and published reports."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from services.core.office.surveys.errors import SurveyUnknownError
from services.core.office.surveys.rules import Question
from services.core.office.surveys.tables import Survey, SurveyAnswer, SurveyQuestion, SurveyReport
from services.core.people.consents.rules import Part
from services.core.people.consents.tables import Consent
from services.core.people.households.tables import Enrolment, Family, Membership
from services.core.people.programme.rules import composed
from services.core.people.programme.tables import Programme, Site
from services.core.platform.crypto.pseudonyms import pseudonym
from services.core.platform.crypto.vault import Vault
from services.core.platform.db.database import UnitOfWork


@dataclass(frozen=True)
class Named:
    """A family of the survey's programme: its code and its pseudonym in this survey."""

    family_code: str
    pseudonym: str


async def survey_named(work: UnitOfWork, programme: Programme, name: str) -> Survey:
    """Return the programme's survey of this name; raises SurveyUnknownError."""
    result = await work.session.exec(
        select(Survey).where(col(Survey.programme_id) == programme.programme_id, col(Survey.name) == composed(name))
    )
    survey = result.first()
    if survey is None:
        raise SurveyUnknownError
    return survey


async def surveys_of(work: UnitOfWork, programme_id: uuid.UUID) -> Sequence[Survey]:
    """Return a programme's surveys, by name."""
    result = await work.session.exec(
        select(Survey).where(col(Survey.programme_id) == programme_id).order_by(col(Survey.name))
    )
    return result.all()


async def survey_of_programme(work: UnitOfWork, programme_id: uuid.UUID, survey_id: uuid.UUID) -> Survey | None:
    """Return a survey of this programme; None for any other and for one that does not exist."""
    survey = await work.session.get(Survey, survey_id)
    return survey if survey is not None and survey.programme_id == programme_id else None


async def questions_of(work: UnitOfWork, survey: Survey) -> dict[str, Question]:
    """Return the questions of a survey by key, ordered by key."""
    result = await work.session.exec(
        select(SurveyQuestion)
        .where(col(SurveyQuestion.survey_id) == survey.survey_id)
        .order_by(col(SurveyQuestion.question))
    )
    return {row.question: Question(row.question, row.kind, row.label, row.least, row.most) for row in result}


async def answers_of(
    work: UnitOfWork, survey: Survey, *, agreed_only: bool = False
) -> dict[tuple[str, str], dict[uuid.UUID, float]]:
    """Return the answers by question and wave, each by family, including families that left.

    ``agreed_only`` excludes families that have withdrawn their consent to measurement.
    """
    statement = select(SurveyAnswer).where(col(SurveyAnswer.survey_id) == survey.survey_id)
    if agreed_only:
        statement = statement.where(col(SurveyAnswer.family_id).in_(families_that_agree()))
    answers: dict[tuple[str, str], dict[uuid.UUID, float]] = {}
    for row in await work.session.exec(statement):
        answers.setdefault((row.question, row.wave), {})[row.family_id] = row.answer
    return answers


async def report_of(work: UnitOfWork, survey: Survey, scope_id: uuid.UUID) -> list[dict[str, Any]]:
    """Return the published report of a site or of the programme, by question; empty before publication.

    A site created after the publication has no report.
    """
    report = await work.session.get(SurveyReport, (survey.survey_id, scope_id))
    return [] if report is None else report.comparisons


def families_that_agree() -> SelectOfScalar[uuid.UUID]:
    """Return the query for the families whose first guardian consents to measurement now."""
    return (
        select(Membership.family_id)
        .join(
            Consent,
            (col(Consent.family_id) == col(Membership.family_id))
            & (col(Consent.guardian_id) == col(Membership.guardian_id)),
        )
        .where(
            col(Membership.is_primary),
            col(Membership.removed_at).is_(None),
            col(Consent.part) == Part.MEASUREMENT,
            col(Consent.withdrawn_at).is_(None),
        )
    )


async def families_by_code(work: UnitOfWork, survey: Survey, site_id: uuid.UUID | None = None) -> dict[str, uuid.UUID]:
    """Return by code every current or former family of the survey's programme, or of one of its sites."""
    here = [] if site_id is None else [col(Site.site_id) == site_id]
    result = await work.session.exec(
        select(Family.family_code, Family.family_id)
        .join(Enrolment, col(Enrolment.family_id) == col(Family.family_id))
        .join(Site, col(Site.site_id) == col(Enrolment.site_id))
        .where(col(Site.programme_id) == survey.programme_id, *here)
        .distinct()
    )
    return dict(result.all())


async def names_in(work: UnitOfWork, survey: Survey, site_id: uuid.UUID | None = None) -> list[Named]:
    """Return every family of the programme or site by code, each with its pseudonym in this survey.

    Families that have not agreed to measurement are listed like all others, so that the list does not show who has.
    The list stays with staff. The interviewers receive pseudonyms only, which differ from survey to survey.
    """
    families = await families_by_code(work, survey, site_id)
    # Sorted here, because the database's collation varies and the next page starts after a code.
    return [Named(code, name_in(work.vault, survey, family_id)) for code, family_id in sorted(families.items())]


def name_in(vault: Vault, survey: Survey, family_id: uuid.UUID) -> str:
    """Return a family's pseudonym in one survey."""
    return pseudonym(vault, f"survey/{survey.survey_id}", family_id)
