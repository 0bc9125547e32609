"""A guardian's own change of number, and the objection to it."""

from services.api.declaring import Routes
from services.api.dependencies import Work
from services.api.family.access import BeforeConsent, BeforeSecondStep, IsProven
from services.api.family.schemas import numbers as schemas
from services.api.family.schemas.auth import LoginCodeResponse
from services.api.problems import problem_responses
from services.core.devices.number_changes.actions import (
    ask_for_number,
    changes_of_family,
    request_number_code,
    stop_number_change,
    waiting_change,
)
from services.core.devices.number_changes.tables import NumberChange as NumberChangeRow
from services.core.people.accounts.codes import EnteredCode

router = Routes(prefix="/v1", tags=["protection"])


@router.post("/me/number-change/codes", status_code=202, responses=problem_responses(401, 403, 409, 422, 429))
async def request_code(work: Work, caller: IsProven, body: schemas.NewNumberRequest) -> LoginCodeResponse:
    """Send a one-time code to the caller's new number. 403 without a PIN: then the office changes the number."""
    sent = await request_number_code(work, caller.guardian, caller.session_id, body.phone, body.country)
    return LoginCodeResponse(
        challenge_id=sent.challenge_id, challenge_secret=sent.challenge_secret, expires_in_s=sent.expires_in_s,
        resend_after_s=sent.resend_after_s,
    )  # fmt: skip


@router.post("/me/number-change", status_code=201, responses=problem_responses(401, 403, 409, 422, 429))
async def ask(work: Work, caller: IsProven, body: schemas.NumberChangeRequest) -> schemas.NumberChange:
    """Ask to move the caller's account to the number whose code was entered; it happens 24 hours later.

    The old number and every guardian get a text, and an event. Sessions and known phones stay. 409 for a number that
    has an account, or while another change waits; 429 after three a month.
    """
    entered = EnteredCode(body.challenge_id, body.challenge_secret, body.phone, body.code)
    return _change(await ask_for_number(work, caller.guardian, caller.session_id, entered, body.country))


@router.get("/me/number-change", responses=problem_responses(401))
async def read_own(work: Work, caller: BeforeSecondStep) -> schemas.NumberChangesResponse:
    """Return the change of the caller's number that waits, if any; also before the second step."""
    change = await waiting_change(work, caller.guardian_id)
    return schemas.NumberChangesResponse(changes=[] if change is None else [_change(change)])


@router.post("/me/number-change/stop", responses=problem_responses(401, 409))
async def stop(work: Work, caller: BeforeSecondStep) -> schemas.NumberChange:
    """Stop the change of the caller's number within its 24 hours; a log-in with the old number is enough.

    From another session than the one that asked it is an objection, which also ends that session. 409 if none waits.
    """
    return _change(await stop_number_change(work, caller.guardian_id, caller.session_id))


@router.get("/families/{family_id}/number-changes", responses=problem_responses(401, 404, 422))
async def list_of_family(work: Work, scope: BeforeConsent) -> schemas.NumberChangesResponse:
    """Return the changes of the guardians' numbers that wait, without the numbers."""
    return schemas.NumberChangesResponse(
        changes=[_change(change) for change in await changes_of_family(work, scope.family_id)]
    )


def _change(row: NumberChangeRow) -> schemas.NumberChange:
    return schemas.NumberChange.model_validate(
        row.model_dump(include={"change_id", "guardian_id", "state", "asked_at", "due_at"})
    )
