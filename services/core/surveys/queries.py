"""Read surveys: questions, answers of those who agreed, and what may be told of what changed."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlmodel import col, select

from services.core.consents.rules import Part
from services.core.consents.tables import Consent
from services.core.db.database import UnitOfWork
from services.core.families.tables import Membership
from services.core.programme.rules import composed
from services.core.programme.tables import Programme
from services.core.surveys.errors import SurveyUnknownError
from services.core.surveys.rules import Question
from services.core.surveys.tables import Survey, SurveyAnswer, SurveyQuestion, SurveyReport


async def survey_named(work: UnitOfWork, programme: Programme, name: str) -> Survey:
    """Return the programme's survey of this name; raises SurveyUnknownError."""
    found = await work.session.exec(
        select(Survey).where(col(Survey.programme_id) == programme.programme_id, col(Survey.name) == composed(name))
    )
    survey = found.first()
    if survey is None:
        raise SurveyUnknownError
    return survey


async def surveys_of(work: UnitOfWork, programme_id: uuid.UUID) -> Sequence[Survey]:
    """Return a programme's surveys, by name."""
    found = await work.session.exec(
        select(Survey).where(col(Survey.programme_id) == programme_id).order_by(col(Survey.name))
    )
    return found.all()


async def survey_of_programme(work: UnitOfWork, programme_id: uuid.UUID, survey_id: uuid.UUID) -> Survey | None:
    """Return a survey of this programme; None for any other and for one that does not exist."""
    survey = await work.session.get(Survey, survey_id)
    return survey if survey is not None and survey.programme_id == programme_id else None


async def questions_of(work: UnitOfWork, survey: Survey) -> dict[str, Question]:
    """Return the questions of a survey by key, in the order of keys."""
    found = await work.session.exec(
        select(SurveyQuestion)
        .where(col(SurveyQuestion.survey_id) == survey.survey_id)
        .order_by(col(SurveyQuestion.question))
    )
    return {one.question: Question(one.question, one.kind, one.label, one.least, one.most) for one in found}


async def answers_of(
    work: UnitOfWork, survey: Survey, *, agreed_only: bool = False
) -> dict[tuple[str, str], dict[uuid.UUID, float]]:
    """Return the answers by question and wave, each by family; of those who left, too.

    ``agreed_only`` leaves out whoever has taken consent to measurement back since.
    """
    statement = select(SurveyAnswer).where(col(SurveyAnswer.survey_id) == survey.survey_id)
    if agreed_only:
        agreed = (
            select(Membership.family_id)
            .join(
                Consent,
                (col(Consent.family_id) == col(Membership.family_id))
                & (col(Consent.guardian_id) == col(Membership.guardian_id)),
            )
            .where(
                col(Membership.is_primary), col(Membership.removed_at).is_(None),
                col(Consent.part) == Part.MEASUREMENT, col(Consent.withdrawn_at).is_(None),
            )
        )  # fmt: skip
        statement = statement.where(col(SurveyAnswer.family_id).in_(agreed))
    answers: dict[tuple[str, str], dict[uuid.UUID, float]] = {}
    for one in await work.session.exec(statement):
        answers.setdefault((one.question, one.wave), {})[one.family_id] = one.answer
    return answers


async def report_of(work: UnitOfWork, survey: Survey, scope_id: uuid.UUID) -> list[dict[str, Any]]:
    """Return what may be told of a site or of the programme, question by question; nothing before it is published.

    A site that came later has no report.
    """
    report = await work.session.get(SurveyReport, (survey.survey_id, scope_id))
    return [] if report is None else report.comparisons
