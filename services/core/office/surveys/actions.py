"""Define surveys and import answers; repeating a call leaves existing rows unchanged."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from services.core.office.surveys.errors import SurveyPublishedError
from services.core.office.surveys.queries import (
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
) -> int:
    """Import an answer list, all rows or none; return the number of its answers. Repeating the call changes nothing.

    Families are identified by their code or by their pseudonym in the survey. Stored are the answers of families whose
    first guardian consents to measurement; the others are dropped. Neither the result nor a fault depends on that, so
    that no list shows who has agreed. For the same reason a stored answer that differs is no fault: it stays, or is
    replaced with ``correct``. With ``site_id``, a family of another site is reported as unknown.

    Raises SheetRefusedError with every fault of the file and every row of an unknown family; SurveyPublishedError.
    """
    await work.session.exec(select(func.pg_advisory_xact_lock(func.hashtextextended(f"survey.{survey.survey_id}", 0))))
    await _check_open(work, survey)
    families = await _families(work, survey, set(listed.families.values()), site_id)
    if faults := all_faults(listed.faults, [*_unknown_families(listed, families), *_repeated(listed, families)]):
        raise SheetRefusedError(faults)
    agreeing = set(
        await work.session.exec(families_that_agree().where(col(Membership.family_id).in_(families.values())))
    )
    for answer in listed.answers:
        family_id = families[answer.family_code]
        if family_id in agreeing:
            await _store(work, survey, family_id, answer, correct=correct)
        progress()
    if listed.answers:
        survey.lists_imported += 1
        work.add(survey)
        record_audit(work, actor, "survey.answers_taken", subject_id=survey.survey_id)
    return len(listed.answers)


def _unknown_families(listed: AnswerList, families: Mapping[str, uuid.UUID]) -> list[Fault]:
    return [
        Fault(row, "family_code", "family_unknown", "No family of the programme has this code or this name.")
        for row, code in listed.families.items()
        if code not in families
    ]


def _repeated(listed: AnswerList, families: Mapping[str, uuid.UUID]) -> list[Fault]:
    """Return a fault for each answer that the list has under the code and under the pseudonym of a family."""
    first: dict[tuple[uuid.UUID, str, str], str] = {}
    return [
        Fault(
            answer.row, answer.question, "answer_repeated",
            "The list already has this family's answer under another name.",
        )
        for answer in listed.answers
        if answer.family_code in families
        and first.setdefault((families[answer.family_code], answer.wave, answer.question), answer.family_code)
        != answer.family_code
    ]  # fmt: skip


async def _store(work: UnitOfWork, survey: Survey, family_id: uuid.UUID, answer: Answer, *, correct: bool) -> None:
    statement = insert(SurveyAnswer).values(
        survey_id=survey.survey_id, question=answer.question, family_id=family_id, wave=answer.wave,
        answer=answer.value, noted_at=work.now,
    )  # fmt: skip
    key = ["survey_id", "question", "family_id", "wave"]
    await work.run(
        statement.on_conflict_do_update(index_elements=key, set_={"answer": answer.value, "noted_at": work.now})
        if correct
        else statement.on_conflict_do_nothing(index_elements=key)
    )


async def _check_open(work: UnitOfWork, survey: Survey) -> None:
    """Reject changes to a survey with published reports; locks out publishing. Raises SurveyPublishedError."""
    await work.session.refresh(survey, with_for_update={"key_share": True})
    if survey.published_at is not None:
        raise SurveyPublishedError


async def _families(
    work: UnitOfWork, survey: Survey, names: set[str], site_id: uuid.UUID | None
) -> dict[str, uuid.UUID]:
    """Return the programme's (or site's) families by code and by their pseudonym in this survey."""
    by_code = await families_by_code(work, survey, site_id)
    by_name = {name_in(work.vault, survey, family_id): family_id for family_id in by_code.values()}
    return {name: family_id for name, family_id in (by_name | by_code).items() if name in names}
