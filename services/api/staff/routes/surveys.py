"""Surveys: questions, imported answers and published reports; a response never contains one family's answer."""

import uuid
from typing import Annotated, Final

from fastapi import Query, Request

from services.api.declaring import Routes
from services.api.dependencies import Work
from services.api.problems import problem_responses
from services.api.staff.access import MayManageStructure, SeesImpactAtSite, SupportsAtSite
from services.api.staff.lists import Counts, import_list
from services.api.staff.schemas import surveys as schemas
from services.api.staff.schemas.imports import DryRun, ListImportResponse, list_body
from services.core.office.surveys.actions import define_survey, take_answers
from services.core.office.surveys.publishing import publish_survey
from services.core.office.surveys.queries import (
    names_in,
    questions_of,
    report_of,
    survey_named,
    survey_of_programme,
    surveys_of,
)
from services.core.office.surveys.rules import AnswerList, Question, check_questions, read_answers
from services.core.office.surveys.tables import Survey
from services.core.people.accounts.actors import staff_actor
from services.core.people.households.errors import NotFoundError
from services.core.people.programme.queries import programme_of, programme_served
from services.core.platform.db.database import UnitOfWork

NAMES_PAGE: Final = 100

router = Routes(prefix="/v1/staff", tags=["staff: surveys"])


@router.get("/sites/{site_id}/surveys", responses=problem_responses(401, 403, 404, 422))
async def list_surveys(work: Work, scope: SeesImpactAtSite) -> schemas.SurveysResponse:
    """List the surveys of the site's programme."""
    return schemas.SurveysResponse(
        surveys=[_survey(survey) for survey in await surveys_of(work, scope.site.programme_id)]
    )


@router.get("/sites/{site_id}/surveys/{survey_id}", responses=problem_responses(401, 403, 404, 422))
async def read_report(work: Work, scope: SeesImpactAtSite, survey_id: uuid.UUID) -> schemas.SurveyReportResponse:
    """Return the site's published report in matched pairs; it is empty before publication."""
    survey = await _of_programme(work, scope.site.programme_id, survey_id)
    return _report(survey, await report_of(work, survey, scope.site.site_id))


@router.get("/sites/{site_id}/surveys/{survey_id}/questions", responses=problem_responses(401, 403, 404, 422))
async def list_questions(work: Work, scope: SeesImpactAtSite, survey_id: uuid.UUID) -> schemas.SurveyQuestionsResponse:
    """List the questions of a survey, published or not; the keys are the headings of an answer list."""
    questions = await questions_of(work, await _of_programme(work, scope.site.programme_id, survey_id))
    return schemas.SurveyQuestionsResponse(
        questions=[
            schemas.SurveyQuestionResponse.model_validate(
                {
                    "question": question.key,
                    "kind": question.kind,
                    "label": question.label,
                    "least": question.least,
                    "most": question.most,
                }
            )
            for question in questions.values()
        ]
    )


@router.post(
    "/sites/{site_id}/surveys/{survey_id}/answers",
    responses=problem_responses(401, 403, 404, 409, 422, 429),
    openapi_extra=list_body(
        "family_code (or name in the survey), wave (baseline or endline), a column a question; or question, answer"
    ),
)
async def import_answers(
    request: Request,
    work: Work,
    scope: SupportsAtSite,
    survey_id: uuid.UUID,
    *,
    correct: Annotated[bool, Query(description="replace answers that are stored already")] = False,
    dry_run: DryRun = False,
) -> ListImportResponse:
    """Import survey answers of families of the site, all rows or none; `new` is the number of answers in the list.

    Stored are those of families that have agreed to measurement. Which ones they are is not told: the answer to a list
    is the same for every family. A stored answer stays unless `correct` is true.
    """
    questions = await questions_of(work, await _of_programme(work, scope.site.programme_id, survey_id))

    async def write(writing: UnitOfWork, listed: AnswerList) -> Counts:
        survey = await _of_programme(writing, scope.site.programme_id, survey_id)
        return Counts(
            new=await take_answers(
                writing, staff_actor(scope.caller.staff_id), survey, listed, correct=correct, site_id=scope.site.site_id
            )
        )

    return await import_list(request, work, scope, lambda raw: read_answers(raw, questions), write, dry_run=dry_run)


@router.get("/sites/{site_id}/surveys/{survey_id}/families", responses=problem_responses(401, 403, 404, 422))
async def list_names(
    work: Work,
    scope: SupportsAtSite,
    survey_id: uuid.UUID,
    after: Annotated[
        str, Query(max_length=20, pattern=r"^[A-Za-z0-9-]*$", description="`next` of the previous page")
    ] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = NAMES_PAGE,
) -> schemas.SurveyPseudonymsResponse:
    """List the families of the site by code, each with its pseudonym in a survey, one page at a time.

    Whether a family has agreed to measurement is not told. The list stays with staff. Interviewers receive pseudonyms
    only, which differ from survey to survey.
    """
    survey = await _of_programme(work, scope.site.programme_id, survey_id)
    listed = [pair for pair in await names_in(work, survey, scope.site.site_id) if pair.family_code > after]
    page = listed[:limit]
    return schemas.SurveyPseudonymsResponse(
        families=[schemas.SurveyPseudonym(family_code=pair.family_code, pseudonym=pair.pseudonym) for pair in page],
        next=page[-1].family_code if len(listed) > limit else None,
    )


@router.post("/programmes/{programme_id}/surveys", responses=problem_responses(401, 403, 404, 409, 422))
async def define(
    work: Work, caller: MayManageStructure, programme_id: uuid.UUID, body: schemas.NewSurveyRequest
) -> schemas.SurveyResponse:
    """Create a survey of a programme, or add questions to it. Repeating the request changes nothing."""
    await _serve(work, caller.staff_id, programme_id)
    questions = [
        Question(question.question, question.kind, question.label, question.least, question.most)
        for question in body.questions
    ]
    check_questions(questions)
    programme = await programme_of(work, programme_id)
    await define_survey(work, staff_actor(caller.staff_id), programme, body.name, questions)
    return _survey(await survey_named(work, programme, body.name))


@router.post(
    "/programmes/{programme_id}/surveys/{survey_id}/publish", responses=problem_responses(401, 403, 404, 409, 422)
)  # fmt: skip
async def publish(
    work: Work,
    caller: MayManageStructure,
    programme_id: uuid.UUID,
    survey_id: uuid.UUID,
    confirm: Annotated[
        str | None,
        Query(max_length=40, pattern=r"^[0-9a-f]*$", description="`confirm` of the first request's 409 response"),
    ] = None,
) -> schemas.SurveyResponse:
    """Publish the reports of every site and of the programme. Afterwards answers and reports cannot change.

    The first request responds 409 `survey_unconfirmed` with the number of families (`pairs`, rounded down to fives) and
    a value to send as `confirm`. It holds for these lists: after another import the response is 409 with a new value.
    """
    await _serve(work, caller.staff_id, programme_id)
    survey = await _of_programme(work, programme_id, survey_id)
    await publish_survey(work, staff_actor(caller.staff_id), survey, confirm=confirm)
    return _survey(survey)


@router.get("/programmes/{programme_id}/surveys/{survey_id}", responses=problem_responses(401, 403, 404, 422))
async def read_whole_report(
    work: Work, caller: MayManageStructure, programme_id: uuid.UUID, survey_id: uuid.UUID
) -> schemas.SurveyReportResponse:
    """Return the whole programme's published report; it is empty before publication."""
    await _serve(work, caller.staff_id, programme_id)
    survey = await _of_programme(work, programme_id, survey_id)
    return _report(survey, await report_of(work, survey, programme_id))


async def _serve(work: UnitOfWork, staff_id: uuid.UUID, programme_id: uuid.UUID) -> None:
    if await programme_served(work, staff_id, programme_id) is None:
        raise NotFoundError


async def _of_programme(work: UnitOfWork, programme_id: uuid.UUID, survey_id: uuid.UUID) -> Survey:
    survey = await survey_of_programme(work, programme_id, survey_id)
    if survey is None:
        raise NotFoundError
    return survey


def _survey(survey: Survey) -> schemas.SurveyResponse:
    return schemas.SurveyResponse(survey_id=survey.survey_id, name=survey.name, published_at=survey.published_at)


def _report(survey: Survey, comparisons: list[dict[str, object]]) -> schemas.SurveyReportResponse:
    return schemas.SurveyReportResponse(
        survey_id=survey.survey_id, published_at=survey.published_at,
        comparisons=[schemas.Comparison.model_validate(comparison) for comparison in comparisons],
    )  # fmt: skip
