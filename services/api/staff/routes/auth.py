"""Staff log-in with address, password and authenticator app."""

import io

import segno
from fastapi import APIRouter

from services.api.access import OPEN
from services.api.client_address import ClientAddress
from services.api.dependencies import Tokens, Work
from services.api.limits import costs_address
from services.api.problems import problem_responses
from services.api.staff.access import IsStaff
from services.api.staff.schemas.accounts import (
    ConfirmSetUpRequest,
    StaffLogInRequest,
    StaffPasswordRequest,
    StaffRefreshRequest,
    StaffSetUpDoneResponse,
    StaffSetUpResponse,
    StaffTokenResponse,
)
from services.core.people.accounts.rules import STAFF_ACCESS_LIFETIME
from services.core.people.accounts.staff_log_in import StaffProof, begin_set_up, confirm_set_up, log_in_staff
from services.core.people.accounts.staff_sessions import OpenStaffSession, end_staff_session, refresh_staff
from services.core.people.accounts.tokens import AccessTokens, StaffClaims
from services.core.platform.db.database import UnitOfWork
from services.core.platform.limits.rules import Limits

router = APIRouter(prefix="/v1/staff/auth", tags=["staff log-in"])


@router.post("/set-up", dependencies=[OPEN], responses=problem_responses(403, 422, 429))
async def set_up(work: Work, address: ClientAddress, body: StaffPasswordRequest) -> StaffSetUpResponse:
    """Start the set-up of the authenticator app with the first password. Repeating it voids the previous QR code."""
    url = await begin_set_up(work, StaffProof(body.email, body.password, address))
    picture = io.BytesIO()
    segno.make(url, error="m", micro=False).save(picture, kind="svg", xmldecl=False, scale=4)
    return StaffSetUpResponse(otpauth_url=url, qr_svg=picture.getvalue().decode())


@router.post("/set-up/confirm", dependencies=[OPEN], responses=problem_responses(403, 422, 429))
async def confirm(
    work: Work, tokens: Tokens, address: ClientAddress, body: ConfirmSetUpRequest
) -> StaffSetUpDoneResponse:
    """Confirm the set-up with the app's first code and a new password. Returns a session and ten recovery codes."""
    proof = StaffProof(body.email, body.password, address, body.code)
    session, codes = await confirm_set_up(work, proof, body.new_password)
    return StaffSetUpDoneResponse(**_pair(work, tokens, session).model_dump(), recovery_codes=codes)


@router.post("/tokens", dependencies=[OPEN], responses=problem_responses(403, 422, 429))
async def log_in(work: Work, tokens: Tokens, address: ClientAddress, body: StaffLogInRequest) -> StaffTokenResponse:
    """Log in. The error is the same for every wrong entry. Each code works once."""
    session = await log_in_staff(work, StaffProof(body.email, body.password, address, body.code))
    return _pair(work, tokens, session)


@router.post(
    "/refresh",
    dependencies=[OPEN, costs_address(Limits.REFRESHES_OF_ADDRESS)],
    responses=problem_responses(401, 422, 429),
)
async def refresh(work: Work, tokens: Tokens, body: StaffRefreshRequest) -> StaffTokenResponse:
    """Refresh a session: at most 30 minutes after its last use and 12 hours after its start."""
    return _pair(work, tokens, await refresh_staff(work, body.refresh_token))


@router.post("/logout", status_code=204, responses=problem_responses(401))
async def log_out(work: Work, caller: IsStaff) -> None:
    """End the current session."""
    await end_staff_session(work, caller.staff_id, caller.staff_session_id)


def _pair(work: UnitOfWork, tokens: AccessTokens, session: OpenStaffSession) -> StaffTokenResponse:
    claims = StaffClaims(session.staff_id, session.staff_session_id)
    return StaffTokenResponse(
        access_token=tokens.issue_staff(claims, work.now),
        expires_in_s=int(STAFF_ACCESS_LIFETIME.total_seconds()),
        refresh_token=session.refresh_token,
        staff_id=session.staff_id,
    )
