"""The proof that steps which cannot be undone ask for: the PIN, or a fresh code where no PIN is set."""

import uuid

from services.api.declaring import Routes
from services.api.dependencies import Work
from services.api.family.access import IsLoggedIn
from services.api.family.schemas.auth import LoginCodeResponse, StepUpRequest
from services.api.problems import problem_responses
from services.core.people.accounts.codes import EnteredCode
from services.core.people.accounts.step_up import request_step_up_code, step_up_by_code, step_up_by_pin

router = Routes(prefix="/v1/me/step-up", tags=["protection"])


@router.post("/codes", status_code=202, responses=problem_responses(401, 403, 429))
async def request_code(work: Work, caller: IsLoggedIn) -> LoginCodeResponse:
    """Send a one-time code to the caller's own number, for a step-up. 403 where a PIN is set: it is asked for."""
    sent = await request_step_up_code(work, caller.guardian, caller.session_id)
    return LoginCodeResponse(
        challenge_id=sent.challenge_id, challenge_secret=sent.challenge_secret, expires_in_s=sent.expires_in_s,
        resend_after_s=sent.resend_after_s,
    )  # fmt: skip


@router.post("", status_code=204, responses=problem_responses(401, 403, 422, 429))
async def step_up(work: Work, caller: IsLoggedIn, body: StepUpRequest) -> None:
    """Confirm with the PIN, or with a fresh code where no PIN is set, that it is the guardian who asks.

    For 5 minutes this session may then do what cannot be undone: the routes whose `x-access` ends in `step-up`, which
    otherwise answer 403 `step_up_required` with `how`. 403 for a wrong entry, 429 after six PINs.
    """
    if body.pin is not None:
        await step_up_by_pin(work, caller.guardian, caller.session_id, body.pin)
        return
    # The schema asks for all three where there is no PIN.
    entered = EnteredCode(
        body.challenge_id or uuid.UUID(int=0), body.challenge_secret or "", caller.guardian.phone, body.code or ""
    )
    await step_up_by_code(work, caller.guardian, caller.session_id, entered)
