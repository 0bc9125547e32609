"""Sessions of the caller, the PIN, approvals of other guardians' log-ins, and the block of new phones."""

import uuid
from datetime import datetime

from services.api.declaring import Routes
from services.api.dependencies import Work
from services.api.family.access import IsLoggedIn, IsProven
from services.api.family.schemas.auth import (
    MySession,
    MySessionsResponse,
    NewPhonesBlock,
    NewPinRequest,
    PinStateResponse,
    WaitingLogIn,
    WaitingLogInsResponse,
)
from services.api.problems import problem_responses
from services.core.people.accounts.actions import end_session_of
from services.core.people.accounts.devices import set_pin
from services.core.people.accounts.queries import sessions_of
from services.core.people.accounts.rules import new_phones_are_blocked
from services.core.people.accounts.tables import Guardian
from services.core.people.households.admission import join_enrolled
from services.core.people.households.errors import NotFoundError
from services.core.people.households.log_ins import (
    WaitingLogIn as WaitingRow,
)
from services.core.people.households.log_ins import (
    approve_log_in,
    block_new_phones,
    refuse_log_in,
    show_log_ins,
    unblock_new_phones,
)

router = Routes(prefix="/v1/me", tags=["log-in"])


@router.get("/sessions", responses=problem_responses(401))
async def list_sessions(work: Work, caller: IsLoggedIn) -> MySessionsResponse:
    """Return the caller's sessions, newest first."""
    return MySessionsResponse(
        sessions=[
            MySession(
                session_id=session.session_id, label=session.label, created_at=session.created_at,
                last_used_at=session.last_used_at, limited=session.limited,
                current=session.session_id == caller.session_id,
            )
            for session in await sessions_of(work, caller.guardian_id)
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


@router.put("/pin", status_code=204, responses=problem_responses(401, 403, 422))
async def choose_pin(work: Work, caller: IsProven, body: NewPinRequest) -> None:
    """Set or change the PIN that completes log-ins on new devices and confirms what cannot be undone.

    Who has forgotten it logs in as on a new phone, and passes the second step by the watch or another guardian.
    """
    await set_pin(work, caller.guardian_id, body.pin)


@router.get("/log-ins", responses=problem_responses(401))
async def list_log_ins(work: Work, caller: IsLoggedIn) -> WaitingLogInsResponse:
    """Return limited log-ins of other guardians in the caller's families that wait for an approval.

    Being listed counts as shown: an approval is accepted from 5 seconds later until 30 minutes after the log-in.
    """
    return WaitingLogInsResponse(
        log_ins=[
            waiting_response(log_in, work.now) for log_in in await show_log_ins(work, caller.guardian_id)
        ]
    )  # fmt: skip


def waiting_response(log_in: WaitingRow, shown_at: datetime) -> WaitingLogIn:
    """Return a log-in as a list shows it; ``shown_at`` is the time of this list."""
    return WaitingLogIn(
        log_in_id=log_in.session_id,
        guardian_id=log_in.guardian_id,
        display_name=log_in.display_name,
        phone=log_in.phone,
        label=log_in.label,
        created_at=log_in.created_at,
        approvable_from_at=log_in.approvable_from_at or shown_at,
        approvable_until_at=log_in.approvable_until_at,
    )


@router.post("/log-ins/{log_in_id}/approve", status_code=204, responses=problem_responses(401, 404, 409, 422))
async def approve(work: Work, caller: IsLoggedIn, log_in_id: uuid.UUID) -> None:
    """Confirm that a waiting log-in belongs to the other guardian, which completes it.

    The app must advise the caller to ask the other guardian first, in person or by voice. 409 until the list has shown
    the log-in to the caller for 5 seconds, and 30 minutes after the log-in.
    """
    guardian_id = await approve_log_in(work, caller.guardian_id, log_in_id)
    await join_enrolled(work, await work.session.get_one(Guardian, guardian_id))


@router.post("/log-ins/{log_in_id}/refuse", status_code=204, responses=problem_responses(401, 404, 422))
async def refuse(work: Work, caller: IsLoggedIn, log_in_id: uuid.UUID) -> None:
    """Reject a waiting log-in as a stranger's; its session ends at once."""
    await refuse_log_in(work, caller.guardian_id, log_in_id)


@router.get("/new-phones", responses=problem_responses(401))
async def read_new_phones(work: Work, caller: IsLoggedIn) -> NewPhonesBlock:
    """Return until when log-ins from new phones are blocked under the caller's number."""
    until = caller.guardian.new_phones_blocked_until_at
    return NewPhonesBlock(blocked_until_at=until if new_phones_are_blocked(until, work.now) else None)


@router.post("/new-phones/block", responses=problem_responses(401))
async def block(work: Work, caller: IsLoggedIn) -> NewPhonesBlock:
    """Block log-ins from new phones under the caller's number for 24 hours; those that wait end at once.

    For the owner who is told of a log-in that is not the owner's own. Phones that are known stay logged in.
    """
    return NewPhonesBlock(blocked_until_at=await block_new_phones(work, caller.guardian_id))


@router.post("/new-phones/unblock", status_code=204, responses=problem_responses(401, 403))
async def unblock(work: Work, caller: IsProven) -> None:
    """Let new phones log in again before the 24 hours are over."""
    await unblock_new_phones(work, caller.guardian_id)
