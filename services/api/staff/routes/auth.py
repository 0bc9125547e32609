"""Staff log-in with address, password and authenticator app."""

from fastapi import Request, Response

from services.api.access import OPEN
from services.api.client_address import ClientAddress
from services.api.declaring import Routes
from services.api.dependencies import Tokens, Work
from services.api.limits import costs_address
from services.api.problems import problem_responses
from services.api.qr import qr_svg
from services.api.session_cookies import (
    PageMark,
    StaffCookie,
    forget_staff_session,
    keep_staff_session,
    require_own_page,
)
from services.api.staff.access import IsStaff
from services.api.staff.schemas.accounts import (
    ConfirmSetUpRequest,
    Keep,
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

router = Routes(prefix="/v1/staff/auth", tags=["staff log-in"])


@router.post("/set-up", dependencies=[OPEN], responses=problem_responses(403, 422, 429))
async def set_up(work: Work, address: ClientAddress, body: StaffPasswordRequest) -> StaffSetUpResponse:
    """Start the set-up of the authenticator app with the first password. Repeating it voids the previous QR code."""
    url = await begin_set_up(work, StaffProof(body.email, body.password, address))
    return StaffSetUpResponse(otpauth_url=url, qr_svg=qr_svg(url))


@router.post("/set-up/confirm", dependencies=[OPEN], responses=problem_responses(403, 422, 429))
async def confirm(
    request: Request,
    response: Response,
    work: Work,
    tokens: Tokens,
    address: ClientAddress,
    body: ConfirmSetUpRequest,
    mark: PageMark = None,
) -> StaffSetUpDoneResponse:
    """Confirm the set-up with the app's first code and a new password. Returns a session and ten recovery codes."""
    _check_page(request, body.keep, mark)
    proof = StaffProof(body.email, body.password, address, body.code)
    session, codes = await confirm_set_up(work, proof, body.new_password)
    pair = _answer(response, body.keep, _pair(work, tokens, session))
    return StaffSetUpDoneResponse(**pair.model_dump(), recovery_codes=codes)


@router.post("/tokens", dependencies=[OPEN], responses=problem_responses(403, 422, 429))
async def log_in(
    request: Request,
    response: Response,
    work: Work,
    tokens: Tokens,
    address: ClientAddress,
    body: StaffLogInRequest,
    mark: PageMark = None,
) -> StaffTokenResponse:
    """Log in. The error is the same for every wrong entry. Each code works once."""
    _check_page(request, body.keep, mark)
    session = await log_in_staff(work, StaffProof(body.email, body.password, address, body.code))
    return _answer(response, body.keep, _pair(work, tokens, session))


@router.post(
    "/refresh",
    dependencies=[OPEN, costs_address(Limits.REFRESHES_OF_ADDRESS)],
    responses=problem_responses(401, 403, 422, 429),
)
async def refresh(
    request: Request,
    response: Response,
    work: Work,
    tokens: Tokens,
    body: StaffRefreshRequest,
    mark: PageMark = None,
    cookie: StaffCookie = None,
) -> StaffTokenResponse:
    """Refresh a session: at most 30 minutes after its last use and 12 hours after its start.

    With `keep: cookie` the token is read from the cookie and replaced there; 403 for a page of another server.
    """
    _check_page(request, body.keep, mark)
    token = body.refresh_token or cookie or ""
    return _answer(response, body.keep, _pair(work, tokens, await refresh_staff(work, token)))


@router.post("/logout", status_code=204, responses=problem_responses(401))
async def log_out(response: Response, work: Work, caller: IsStaff) -> None:
    """End the current session; a refresh token in a cookie is removed."""
    await end_staff_session(work, caller.staff_id, caller.staff_session_id)
    forget_staff_session(response)


def _check_page(request: Request, keep: Keep, mark: str | None) -> None:
    """Raise ForeignPageError where a cookie is not for the caller; before any code or token is spent."""
    if keep == "cookie":
        require_own_page(request, mark)


def _answer(response: Response, keep: Keep, issued: StaffTokenResponse) -> StaffTokenResponse:
    if keep == "json":
        return issued
    keep_staff_session(response, issued.refresh_token)
    return issued.model_copy(update={"refresh_token": ""})


def _pair(work: UnitOfWork, tokens: AccessTokens, session: OpenStaffSession) -> StaffTokenResponse:
    claims = StaffClaims(session.staff_id, session.staff_session_id)
    return StaffTokenResponse(
        access_token=tokens.issue_staff(claims, work.now),
        expires_in_s=int(STAFF_ACCESS_LIFETIME.total_seconds()),
        refresh_token=session.refresh_token,
        staff_id=session.staff_id,
    )
