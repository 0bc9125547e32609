"""Define surveys and import answers; repeating a call leaves existing rows unchanged."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from services.core.office.surveys.errors import SurveyPublishedError
from services.core.office.surveys.queries import (
    answers_of,
    families_by_code,
    families_that_agree,
    name_in,
    questions_of,
    survey_named,
)
from services.core.office.surveys.rules import Answer, AnswerList, Question
from services.core.office.surveys.tables import Survey, SurveyAnswer, SurveyQuestion
from services.core.people.households.tables import Membership
from services.core.people.programme.rules import check_name
from services.core.people.programme.tables import Programme
from services.core.platform.audit.actions import Actor, record_audit
from services.core.platform.db.columns import new_id
from services.core.platform.db.database import UnitOfWork
from services.core.platform.spreadsheets.sheets import Fault, SheetRefusedError, all_faults


@dataclass
class Taken:
    """Result of an answer list."""

    noted: int = 0
    corrected: int = 0
    unchanged: int = 0


async def define_survey(
    work: UnitOfWork, actor: Actor, programme: Programme, name: str, questions: Sequence[Question]
) -> int:
    """Create a survey or add questions to it; return the number of new questions. Repeating the call returns 0.

    Raises TextNotAllowedError, and SheetRefusedError for an existing question with a different definition.
    """
    made = await work.run(
        insert(Survey)
        .values(survey_id=new_id(), programme_id=programme.programme_id, name=check_name(name), created_at=work.now)
        .on_conflict_do_nothing(index_elements=["programme_id", "name"])
        .returning(col(Survey.survey_id))
    )
    is_new = made.scalar_one_or_none() is not None
    survey = await survey_named(work, programme, name)
    # Definitions are serialised: the comparison stays valid until the commit.
    await work.session.exec(select(func.pg_advisory_xact_lock(func.hashtextextended(f"survey.{survey.survey_id}", 0))))
    await _check_open(work, survey)
    known = await questions_of(work, survey)
    faults = [
        Fault(0, question.key, "question_differs", "This question already exists with another kind, label or bounds.")
        for question in questions
        if question.key in known and known[question.key] != question
    ]
    if faults:
        raise SheetRefusedError(faults)
    fresh = [question for question in questions if question.key not in known]
    work.add(
        *(
            SurveyQuestion(
                survey_id=survey.survey_id, question=question.key, kind=question.kind,
                label=question.label, least=question.least, most=question.most,
            )
            for question in fresh
        )
    )  # fmt: skip
    if is_new or fresh:
        record_audit(work, actor, "survey.defined", subject_id=survey.survey_id)
    await work.flush()
    return len(fresh)


async def take_answers(
    work: UnitOfWork,
    actor: Actor,
    survey: Survey,
    listed: AnswerList,
    *,
    correct: bool = False,
    site_id: uuid.UUID | None = None,
    progress: Callable[[], None] = lambda: None,
) -> Taken:
    """Record an answer list, all rows or none; repeating the call changes nothing.

    Families are identified by their code or by their pseudonym in the survey, and need their first guardian's consent
    to measurement. An answer that differs from the stored one is rejected unless ``correct``. With ``site_id``, a
    family of another site is reported as unknown. Raises SheetRefusedError with every fault of the file and every row
    that conflicts with the stored data; SurveyPublishedError.
    """
    await work.session.exec(select(func.pg_advisory_xact_lock(func.hashtextextended(f"survey.{survey.survey_id}", 0))))
    await _check_open(work, survey)
    families = await _families(work, survey, set(listed.families.values()), site_id)
    agreeing = set(
        await work.session.exec(families_that_agree().where(col(Membership.family_id).in_(families.values())))
    )
    kept = await answers_of(work, survey)
    compared = _family_faults(listed, families, agreeing)
    first: dict[tuple[uuid.UUID, str, str], str] = {}
    for answer in listed.answers:
        family_id = families.get(answer.family_code)
        if family_id is None or family_id not in agreeing:
            continue
        if first.setdefault((family_id, answer.wave, answer.question), answer.family_code) != answer.family_code:
            compared.append(
                Fault(
                    answer.row,
                    answer.question,
                    "answer_repeated",
                    "The list already has this family's answer under another name.",
                )
            )
        before = kept.get((answer.question, answer.wave), {}).get(family_id)
        if before is not None and before != answer.value and not correct:
            compared.append(
                Fault(
                    answer.row,
                    answer.question,
                    "answer_differs",
                    "A different answer is stored. Use the correction option to replace it.",
                )
            )
    if faults := all_faults(listed.faults, compared):
        raise SheetRefusedError(faults)
    return await _take(work, actor, survey, listed.answers, families, kept, progress)


def _family_faults(listed: AnswerList, families: dict[str, uuid.UUID], agreeing: set[uuid.UUID]) -> list[Fault]:
    """Return a fault for each row of a family that is unknown, or has not agreed to measurement."""
    unknown = ("family_unknown", "No family of the programme has this code or this name.")
    not_agreed = ("measurement_not_agreed", "The family has not consented to measurement. Remove its answers.")
    return [
        Fault(row, "family_code", *(unknown if code not in families else not_agreed))
        for row, code in listed.families.items()
        if families.get(code) not in agreeing
    ]


async def _take(
    work: UnitOfWork,
    actor: Actor,
    survey: Survey,
    answers: Sequence[Answer],
    families: dict[str, uuid.UUID],
    kept: dict[tuple[str, str], dict[uuid.UUID, float]],
    progress: Callable[[], None],
) -> Taken:
    outcome = Taken()
    for answer in answers:
        family_id = families[answer.family_code]
        before = kept.get((answer.question, answer.wave), {}).get(family_id)
        if before == answer.value:
            outcome.unchanged += 1
        else:
            outcome.noted += before is None
            outcome.corrected += before is not None
            values = {
                "survey_id": survey.survey_id, "question": answer.question, "family_id": family_id, "wave": answer.wave,
                "answer": answer.value, "noted_at": work.now,
            }  # fmt: skip
            await work.run(
                insert(SurveyAnswer)
                .values(**values)
                .on_conflict_do_update(
                    index_elements=["survey_id", "question", "family_id", "wave"],
                    set_={"answer": answer.value, "noted_at": work.now},
                )
            )
        progress()
    if outcome.noted or outcome.corrected:
        record_audit(work, actor, "survey.answers_taken", subject_id=survey.survey_id)
    return outcome


async def _check_open(work: UnitOfWork, survey: Survey) -> None:
    """Reject changes to a survey with published reports; locks out publishing. Raises SurveyPublishedError."""
    await work.session.refresh(survey, with_for_update={"key_share": True})
    if survey.published_at is not None:
        raise SurveyPublishedError


async def _families(
    work: UnitOfWork, survey: Survey, said: set[str], site_id: uuid.UUID | None
) -> dict[str, uuid.UUID]:
    """Return the programme's (or site's) families by code and by their pseudonym in this survey."""
    by_code = await families_by_code(work, survey, site_id)
    by_name = {name_in(work.vault, survey, family_id): family_id for family_id in by_code.values()}
    return {name: family_id for name, family_id in (by_name | by_code).items() if name in said}
