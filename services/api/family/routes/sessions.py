"""Sessions of the caller, the PIN, and approvals of other guardians' log-ins."""

import uuid

from fastapi import APIRouter

from services.api.dependencies import Work
from services.api.family.access import IsLoggedIn
from services.api.family.schemas.auth import (
    MySession,
    MySessionsResponse,
    NewPinRequest,
    PinStateResponse,
    WaitingLogIn,
    WaitingLogInsResponse,
)
from services.api.problems import problem_responses
from services.core.people.accounts.actions import end_session_of
from services.core.people.accounts.devices import set_pin
from services.core.people.accounts.queries import sessions_of
from services.core.people.accounts.tables import Guardian
from services.core.people.households.admission import join_enrolled
from services.core.people.households.errors import NotFoundError
from services.core.people.households.log_ins import approve_log_in, log_ins_waiting_for, refuse_log_in

router = APIRouter(prefix="/v1/me", tags=["log-in"])


@router.get("/sessions", responses=problem_responses(401))
async def list_sessions(work: Work, caller: IsLoggedIn) -> MySessionsResponse:
    """Return the caller's sessions, newest first."""
    return MySessionsResponse(
        sessions=[
            MySession(
                session_id=one.session_id, label=one.label, created_at=one.created_at,
                last_used_at=one.last_used_at, limited=one.limited, current=one.session_id == caller.session_id,
            )
            for one in await sessions_of(work, caller.guardian_id)
        ]
    )  # fmt: skip


@router.delete("/sessions/{session_id}", status_code=204, responses=problem_responses(401, 404, 422))
async def end_session(work: Work, caller: IsLoggedIn, session_id: uuid.UUID) -> None:
    """End one of the caller's sessions with its open streams; its device becomes unknown.

    An ended session stays ended. 404 for another guardian's session.
    """
    if not await end_session_of(work, caller.guardian_id, session_id, "ended"):
        raise NotFoundError


@router.get("/pin", responses=problem_responses(401))
async def read_pin(caller: IsLoggedIn) -> PinStateResponse:
    """Return whether the caller has a PIN. Without one, a new phone needs another guardian or the watch."""
    return PinStateResponse(is_set=caller.guardian.pin_hash is not None)


@router.put("/pin", status_code=204, responses=problem_responses(401, 422))
async def choose_pin(work: Work, caller: IsLoggedIn, body: NewPinRequest) -> None:
    """Set or change the PIN that completes log-ins on new devices."""
    await set_pin(work, caller.guardian_id, body.pin)


@router.get("/log-ins", responses=problem_responses(401))
async def list_log_ins(work: Work, caller: IsLoggedIn) -> WaitingLogInsResponse:
    """Return limited log-ins of other guardians in the caller's families that wait for an approval."""
    return WaitingLogInsResponse(
        log_ins=[
            WaitingLogIn(
                log_in_id=one.session_id, guardian_id=one.guardian_id, display_name=one.display_name,
                created_at=one.created_at,
            )
            for one in await log_ins_waiting_for(work, caller.guardian_id)
        ]
    )  # fmt: skip


@router.post("/log-ins/{log_in_id}/approve", status_code=204, responses=problem_responses(401, 404, 422))
async def approve(work: Work, caller: IsLoggedIn, log_in_id: uuid.UUID) -> None:
    """Confirm that a waiting log-in belongs to the other guardian, which completes it.

    The app must advise the caller to ask the other guardian first, in person or by voice.
    """
    guardian_id = await approve_log_in(work, caller.guardian_id, log_in_id)
    await join_enrolled(work, await work.session.get_one(Guardian, guardian_id))


@router.post("/log-ins/{log_in_id}/refuse", status_code=204, responses=problem_responses(401, 404, 422))
async def refuse(work: Work, caller: IsLoggedIn, log_in_id: uuid.UUID) -> None:
    """Reject a waiting log-in as a stranger's; its session ends at once."""
    await refuse_log_in(work, caller.guardian_id, log_in_id)
