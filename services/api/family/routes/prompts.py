"""Conversation prompts of the week, and an optional reminder after a day without messages."""

from services.api.declaring import Routes
from services.api.dependencies import Work
from services.api.family.access import GuardianOfChild, IsLoggedIn
from services.api.family.schemas import prompts as schemas
from services.api.problems import problem_responses
from services.core.office.prompts.actions import nudge_is_wanted, want_nudges
from services.core.office.prompts.queries import starters_for

router = Routes(prefix="/v1", tags=["starters"])


@router.get("/children/{child_id}/starters", responses=problem_responses(401, 403, 404, 422))
async def read_starters(work: Work, scope: GuardianOfChild) -> schemas.PromptsResponse:
    """Return this week's conversation prompts for the child's age. Suggestions only: their use is not reported."""
    week = await starters_for(work, scope.child, scope.caller.guardian.locale)
    return schemas.PromptsResponse(
        week_starts_on=week.starts_on,
        starters=[
            schemas.Prompt(starter=starter.starter, ages=starter.ages, text=starter.text) for starter in week.starters
        ],
    )


@router.get("/me/starter-nudge", responses=problem_responses(401))
async def read_nudge(work: Work, caller: IsLoggedIn) -> schemas.ReminderResponse:
    """Return whether the caller gets reminders after a day without messages."""
    return schemas.ReminderResponse(wanted=await nudge_is_wanted(work, caller.guardian_id))


@router.put("/me/starter-nudge", responses=problem_responses(401, 422))
async def set_nudge(work: Work, caller: IsLoggedIn, body: schemas.ReminderRequest) -> schemas.ReminderResponse:
    """Turn reminders on or off: at most one event a day, between 9:00 and 20:00 in the site's time zone."""
    await want_nudges(work, caller.guardian_id, wanted=body.wanted)
    return schemas.ReminderResponse(wanted=body.wanted)
