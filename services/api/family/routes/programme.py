"""Notices of the programme office, requests for help, and the end of the programme."""

from typing import Annotated

from fastapi import Query

from services.api.declaring import Routes
from services.api.dependencies import Work
from services.api.family.access import AnyGuardian, GuardianOfChild, IsLoggedIn
from services.api.family.schemas import programme as schemas
from services.api.problems import problem_responses
from services.core.office.help_requests import actions as helping
from services.core.office.notices.actions import notices_for
from services.core.office.programme_end.actions import end_of_family

router = Routes(prefix="/v1", tags=["programme"])


@router.get("/notices", responses=problem_responses(401, 422))
async def list_notices(
    work: Work, caller: IsLoggedIn, limit: Annotated[int, Query(ge=1, le=100)] = 50
) -> schemas.NoticesResponse:
    """Return the notices of the programme office to the caller's families, newest first. Replies are not possible."""
    return schemas.NoticesResponse(
        notices=[
            schemas.Notice.model_validate({**notice.model_dump(exclude={"family_id"}), "family_id": family_id})
            for notice, family_id in await notices_for(work, caller.guardian_id, limit)
        ]
    )


@router.post("/children/{child_id}/help", status_code=201, responses=problem_responses(401, 403, 404, 422))
async def ask_for_help(work: Work, scope: GuardianOfChild, body: schemas.AskForHelpRequest) -> schemas.HelpResponse:
    """Ask the programme office for help; the office sees only the family's code and `kind`.

    While a request of this kind is open, it is returned instead of a new one.
    """
    request = await helping.ask_for_help(work, scope.child, scope.caller.guardian_id, body.kind)
    line = helping.helpline_of(await helping.country_of_family(work, scope.family_id))
    return schemas.HelpResponse(
        help_id=request.help_id, kind=body.kind, asked_at=request.asked_at,
        text=helping.help_text(body.kind, scope.caller.guardian.locale),
        helpline=schemas.Helpline(number=line.number, name=line.name),
    )  # fmt: skip


@router.get("/children/{child_id}/help", responses=problem_responses(401, 403, 404, 422))
async def list_help(work: Work, scope: GuardianOfChild) -> schemas.OpenHelpResponse:
    """Return the help requests for this child that the office has not closed yet, and the helpline of the country."""
    line = helping.helpline_of(await helping.country_of_family(work, scope.family_id))
    return schemas.OpenHelpResponse(
        open=[
            schemas.OpenHelp.model_validate(call.model_dump())
            for call in await helping.open_help_of(work, [scope.child.child_id])
        ],
        helpline=schemas.Helpline(number=line.number, name=line.name),
    )


@router.get("/families/{family_id}/programme-end", responses=problem_responses(401, 403, 404, 422))
async def read_end(work: Work, scope: AnyGuardian) -> schemas.ProgrammeEndResponse:
    """Return when the programme ends for this family, and when its data is erased; null while no end is announced."""
    end = await end_of_family(work, scope.family_id)
    if end is None:
        return schemas.ProgrammeEndResponse(ends_on=None, told_at=None, erased_from=None)
    return schemas.ProgrammeEndResponse(ends_on=end.ends_on, told_at=end.told_at, erased_from=end.erased_from)
