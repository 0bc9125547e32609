"""Families by their code: enrolment, trainings, help requests and notices, without any content."""

import uuid
from typing import Annotated, Literal

from fastapi import Query

from services.api.declaring import Routes
from services.api.dependencies import Work
from services.api.problems import problem_responses
from services.api.staff.access import FamilyCodesAtSite, SupportsAtSite
from services.api.staff.schemas import programme as schemas
from services.core.office.enrolment.actions import FamilyRow, row_faults
from services.core.office.enrolment.history import ended_enrolments_at, trainings_at
from services.core.office.enrolment.participation import end_enrolment, record_training
from services.core.office.enrolment.with_watches import enrol_and_hand_out
from services.core.office.help_requests.actions import close_help, open_help_at
from services.core.office.notices.actions import notices_sent, notify_cohort, request_contact
from services.core.office.prompts.queries import weeks_of_cohort
from services.core.people.accounts.actors import staff_actor
from services.core.people.households.errors import NotFoundError
from services.core.people.programme.queries import cohort_of_site
from services.core.people.programme.tables import Programme
from services.core.platform.spreadsheets.sheets import SheetRefusedError

router = Routes(prefix="/v1/staff/sites/{site_id}", tags=["staff: families"])

PAGE = 50
PageLocale = Literal["en", "zh-Hans", "vi", "tr"]


@router.post("/family-lists", responses=problem_responses(401, 403, 404, 422))
async def enrol(
    work: Work, scope: FamilyCodesAtSite, body: schemas.EnrolFamiliesRequest
) -> schemas.EnrolFamiliesResponse:
    """Enrol a list of families, all or none; faults name row and column. Repeating the request changes nothing."""
    programme = await work.session.get_one(Programme, scope.site.programme_id)
    rows = [
        FamilyRow(
            row,
            fault.family_code.upper(),
            fault.phone,
            scope.site.name,
            fault.cohort,
            fault.watch_serial,
            fault.form_number.strip().upper() if fault.form_number else None,
        )
        for row, fault in enumerate(body.families, start=1)
    ]
    try:
        outcome = await enrol_and_hand_out(
            work, staff_actor(scope.caller.staff_id), rows, programme=programme.name, further=row_faults(rows)
        )
    except SheetRefusedError as refused:
        # Faults are raised before the first write. Their sentences can name other families, so only codes are sent.
        faults = [
            schemas.FamilyListFault(row=fault.row, column=fault.column, code=fault.code) for fault in refused.faults
        ]
        return schemas.EnrolFamiliesResponse(taken=False, faults=faults, enrolled=0, unchanged=0, watches_handed_out=0)
    if body.dry_run:
        await work.roll_back()
    return schemas.EnrolFamiliesResponse(
        taken=not body.dry_run, faults=[], enrolled=len(outcome.families.enrolled),
        unchanged=len(outcome.families.unchanged), watches_handed_out=len(outcome.handed_out),
    )  # fmt: skip


@router.post("/trainings", responses=problem_responses(401, 403, 404, 422))
async def note_attended(
    work: Work, scope: FamilyCodesAtSite, body: schemas.RecordTrainingRequest
) -> schemas.RecordTrainingResponse:
    """Record a family's attendance of a training. Repeating the request keeps the first date."""
    is_new = await record_training(
        work, staff_actor(scope.caller.staff_id), body.family_code, body.training, body.attended_on,
        site_id=scope.site.site_id,
    )  # fmt: skip
    return schemas.RecordTrainingResponse(is_new=is_new)


@router.post("/enrolments/end", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def end(work: Work, scope: FamilyCodesAtSite, body: schemas.EndEnrolmentRequest) -> None:
    """End a family's enrolment: site lists and statistics exclude it. Its watch and messages stay."""
    await end_enrolment(
        work, staff_actor(scope.caller.staff_id), body.family_code, body.reason, site_id=scope.site.site_id
    )


@router.post("/contact-requests", responses=problem_responses(401, 403, 404, 422))
async def ask_contact(
    work: Work, scope: SupportsAtSite, body: schemas.FamilyCodeRequest
) -> schemas.ContactFamilyResponse:
    """Ask a family of the site to get in touch, by SMS and notice, without a reason; at most once a day."""
    asked_now = await request_contact(work, staff_actor(scope.caller.staff_id), body.family_code, scope.site.site_id)
    return schemas.ContactFamilyResponse(asked_now=asked_now)


@router.get("/help", responses=problem_responses(401, 403, 404, 422))
async def list_help(
    work: Work,
    scope: SupportsAtSite,
    after: Annotated[uuid.UUID | None, Query(description="`next` of the previous page")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = PAGE,
    kind: schemas.HelpKind | None = None,
) -> schemas.HelpCallsResponse:
    """List the open help requests of the site's families, oldest first, one page at a time."""
    calls = await open_help_at(work, scope.site.site_id, most=limit + 1, after=after, kind=kind)
    return schemas.HelpCallsResponse(
        calls=[
            schemas.HelpCall.model_validate(
                {**call.request.model_dump(include={"help_id", "kind", "asked_at"}), "family_code": call.family_code}
            )
            for call in calls[:limit]
        ],
        next=calls[limit - 1].help_id if len(calls) > limit else None,
    )


@router.post("/help/{help_id}/done", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def close(work: Work, scope: SupportsAtSite, help_id: uuid.UUID) -> None:
    """Close a help request. Repeating the request changes nothing."""
    await close_help(work, staff_actor(scope.caller.staff_id), scope.site.site_id, help_id)


@router.post("/cohorts/{cohort_id}/notices", status_code=201, responses=problem_responses(401, 403, 404, 422))
async def send_notice(
    work: Work, scope: SupportsAtSite, cohort_id: uuid.UUID, body: schemas.NewNoticeRequest
) -> schemas.SentNoticeResponse:
    """Send a notice to every enrolled family of a cohort. The app shows it without a reply function."""
    cohort = await cohort_of_site(work, scope.site.site_id, cohort_id)
    if cohort is None:
        raise NotFoundError
    notice = await notify_cohort(work, staff_actor(scope.caller.staff_id), cohort, body.text)
    return schemas.SentNoticeResponse(notice_id=notice.notice_id, created_at=notice.created_at)


@router.get("/cohorts/{cohort_id}/notices", responses=problem_responses(401, 403, 404, 422))
async def list_notices(
    work: Work, scope: SupportsAtSite, cohort_id: uuid.UUID, limit: Annotated[int, Query(ge=1, le=200)] = PAGE
) -> schemas.SentNoticesResponse:
    """List the notices sent to a cohort, newest first."""
    cohort = await cohort_of_site(work, scope.site.site_id, cohort_id)
    if cohort is None:
        raise NotFoundError
    return schemas.SentNoticesResponse(
        notices=[
            schemas.SentNotice(notice_id=notice.notice_id, created_at=notice.created_at, text=notice.text)
            for notice in await notices_sent(work, cohort, limit)
        ]
    )


@router.get("/cohorts/{cohort_id}/prompts", responses=problem_responses(401, 403, 404, 422))
async def list_prompts(
    work: Work, scope: SupportsAtSite, cohort_id: uuid.UUID, locale: PageLocale = "en"
) -> schemas.CohortPromptsResponse:
    """List the conversation prompts that parents of a cohort are shown this week and the next, by the child's age."""
    cohort = await cohort_of_site(work, scope.site.site_id, cohort_id)
    if cohort is None:
        raise NotFoundError
    return schemas.CohortPromptsResponse(
        weeks=[
            schemas.CohortPromptWeek(
                week_starts_on=week.starts_on,
                prompts=[
                    schemas.CohortPrompt(starter=prompt.starter, ages=prompt.ages, text=prompt.text)
                    for prompt in week.starters
                ],
            )
            for week in weeks_of_cohort(work.now, scope.site, cohort, locale)
        ]
    )


@router.get("/trainings", responses=problem_responses(401, 403, 404, 422))
async def list_trainings(
    work: Work,
    scope: SupportsAtSite,
    after: Annotated[
        str | None, Query(max_length=60, pattern=r"^[A-Za-z0-9-]+ [a-z_]+$", description="`next` of the previous page")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = PAGE,
) -> schemas.RecordedTrainingsResponse:
    """List the recorded trainings of the site's enrolled families by family code, one page at a time."""
    place = None if after is None else (after.partition(" ")[0], after.partition(" ")[2])
    trainings = await trainings_at(work, scope.site.site_id, most=limit + 1, after=place)
    return schemas.RecordedTrainingsResponse(
        trainings=[
            schemas.RecordedTraining.model_validate(
                {"family_code": code, "training": row.training, "attended_on": row.attended_on,
                 "recorded_at": row.noted_at}
            )
            for code, row in trainings[:limit]
        ],
        next=f"{trainings[limit - 1][0]} {trainings[limit - 1][1].training}" if len(trainings) > limit else None,
    )  # fmt: skip


@router.get("/enrolments/ended", responses=problem_responses(401, 403, 404, 422))
async def list_ended(
    work: Work,
    scope: SupportsAtSite,
    after: Annotated[uuid.UUID | None, Query(description="`next` of the previous page")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = PAGE,
) -> schemas.EndedEnrolmentsResponse:
    """List the ended enrolments of the site with their reason, newest first, one page at a time."""
    enrolments = await ended_enrolments_at(work, scope.site.site_id, most=limit + 1, after=after)
    return schemas.EndedEnrolmentsResponse(
        enrolments=[
            schemas.EndedEnrolment.model_validate(
                {"enrolment_id": ended.enrolment.enrolment_id, "family_code": ended.family_code, "cohort": ended.cohort,
                 "enrolled_at": ended.enrolment.enrolled_at, "ended_at": ended.enrolment.ended_at,
                 "reason": ended.enrolment.end_reason}
            )
            for ended in enrolments[:limit]
        ],
        next=enrolments[limit - 1].enrolment.enrolment_id if len(enrolments) > limit else None,
    )  # fmt: skip
