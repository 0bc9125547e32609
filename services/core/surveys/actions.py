"""Define a survey and take answers to it; each may be repeated: what is there already is left as it is."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from services.core.audit.actions import Actor, record_audit
from services.core.consents.rules import Part
from services.core.consents.tables import Consent
from services.core.db.columns import new_id
from services.core.db.database import UnitOfWork
from services.core.families.tables import Enrolment, Family, Membership
from services.core.programme.rules import check_name
from services.core.programme.tables import Programme, Site
from services.core.sheets import Fault, SheetRefusedError
from services.core.surveys.errors import SurveyPublishedError
from services.core.surveys.queries import answers_of, questions_of, survey_named
from services.core.surveys.rules import Answer, Question
from services.core.surveys.tables import Survey, SurveyAnswer, SurveyQuestion


@dataclass
class Taken:
    """What a list of answers came to."""

    noted: int = 0
    corrected: int = 0
    unchanged: int = 0


async def define_survey(
    work: UnitOfWork, actor: Actor, programme: Programme, name: str, questions: Sequence[Question]
) -> int:
    """Make a survey or add questions to it; return how many are new. A repeat returns 0.

    Raises TextNotAllowedError, and SheetRefusedError for a question that is there with another meaning.
    """
    made = await work.run(
        insert(Survey)
        .values(survey_id=new_id(), programme_id=programme.programme_id, name=check_name(name), created_at=work.now)
        .on_conflict_do_nothing(index_elements=["programme_id", "name"])
        .returning(col(Survey.survey_id))
    )
    is_new = made.scalar_one_or_none() is not None
    survey = await survey_named(work, programme, name)
    # One at a time: what is compared here stays true until the commit.
    await work.session.exec(select(func.pg_advisory_xact_lock(func.hashtextextended(f"survey.{survey.survey_id}", 0))))
    await _check_open(work, survey)
    known = await questions_of(work, survey)
    faults = [
        Fault(0, one.key, "question_differs", "It is asked already, with another kind, label or bounds.")
        for one in questions
        if one.key in known and known[one.key] != one
    ]
    if faults:
        raise SheetRefusedError(faults)
    fresh = [one for one in questions if one.key not in known]
    work.add(
        *(
            SurveyQuestion(
                survey_id=survey.survey_id, question=one.key, kind=one.kind, label=one.label, least=one.least,
                most=one.most,
            )
            for one in fresh
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
    answers: Sequence[Answer],
    *,
    correct: bool = False,
    site_id: uuid.UUID | None = None,
    progress: Callable[[], None] = lambda: None,
) -> Taken:
    """Take a list of answers, all of it or nothing; a repeat changes nothing.

    Only of families whose first guardian has agreed to measurement. Another answer than the one that is kept is
    refused unless ``correct``. With ``site_id`` a family of another site is as unknown as one that is none. Raises
    SheetRefusedError, SurveyPublishedError.
    """
    await work.session.exec(select(func.pg_advisory_xact_lock(func.hashtextextended(f"survey.{survey.survey_id}", 0))))
    await _check_open(work, survey)
    agreed, known_codes = await _families(work, survey, {one.family_code for one in answers}, site_id)
    kept = await answers_of(work, survey)
    faults = []
    for one in answers:
        family_id = agreed.get(one.family_code)
        if family_id is None:
            code = "measurement_not_agreed" if one.family_code in known_codes else "family_unknown"
            said = (
                "The family has not agreed to measurement: take its answers out."
                if one.family_code in known_codes
                else "No family of the programme has this code."
            )
            faults.append(Fault(one.row, "family_code", code, said))
            continue
        before = kept.get((one.question, one.wave), {}).get(family_id)
        if before is not None and before != one.value and not correct:
            faults.append(
                Fault(one.row, one.question, "answer_differs", "Another answer is kept: correct it on purpose.")
            )
    if faults:
        raise SheetRefusedError(set(faults))
    return await _take(work, actor, survey, answers, agreed, kept, progress)


async def _take(
    work: UnitOfWork,
    actor: Actor,
    survey: Survey,
    answers: Sequence[Answer],
    agreed: dict[str, uuid.UUID],
    kept: dict[tuple[str, str], dict[uuid.UUID, float]],
    progress: Callable[[], None],
) -> Taken:
    outcome = Taken()
    for one in answers:
        family_id = agreed[one.family_code]
        before = kept.get((one.question, one.wave), {}).get(family_id)
        if before == one.value:
            outcome.unchanged += 1
        else:
            outcome.noted += before is None
            outcome.corrected += before is not None
            values = {
                "survey_id": survey.survey_id, "question": one.question, "family_id": family_id, "wave": one.wave,
                "answer": one.value, "noted_at": work.now,
            }  # fmt: skip
            await work.run(
                insert(SurveyAnswer)
                .values(**values)
                .on_conflict_do_update(
                    index_elements=["survey_id", "question", "family_id", "wave"],
                    set_={"answer": one.value, "noted_at": work.now},
                )
            )
        progress()
    if outcome.noted or outcome.corrected:
        record_audit(work, actor, "survey.answers_taken", subject_id=survey.survey_id)
    return outcome


async def _check_open(work: UnitOfWork, survey: Survey) -> None:
    """Refuse what would change reports that stand; holds off publishing. Raises SurveyPublishedError."""
    await work.session.refresh(survey, with_for_update={"key_share": True})
    if survey.published_at is not None:
        raise SurveyPublishedError


async def _families(
    work: UnitOfWork, survey: Survey, codes: set[str], site_id: uuid.UUID | None
) -> tuple[dict[str, uuid.UUID], set[str]]:
    """Return the families by code that agreed to measurement, and the codes that the programme (or site) knows."""
    here = [] if site_id is None else [col(Site.site_id) == site_id]
    found = await work.session.exec(
        select(Family.family_code, Family.family_id)
        .join(Enrolment, col(Enrolment.family_id) == col(Family.family_id))
        .join(Site, col(Site.site_id) == col(Enrolment.site_id))
        .where(col(Site.programme_id) == survey.programme_id, col(Family.family_code).in_(codes), *here)
        .distinct()
    )
    known = dict(found.all())
    agreed = await work.session.exec(
        select(Membership.family_id)
        .join(
            Consent,
            (col(Consent.family_id) == col(Membership.family_id))
            & (col(Consent.guardian_id) == col(Membership.guardian_id)),
        )
        .where(
            col(Membership.family_id).in_(known.values()),
            col(Membership.is_primary),
            col(Membership.removed_at).is_(None),
            col(Consent.part) == Part.MEASUREMENT,
            col(Consent.withdrawn_at).is_(None),
        )
    )
    with_consent = set(agreed)
    return {code: family_id for code, family_id in known.items() if family_id in with_consent}, set(known)
