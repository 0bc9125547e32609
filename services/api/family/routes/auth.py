"""Log in by phone and one-time code, verify a new device, refresh and end a session."""

from fastapi import Request, Response

from services.api.access import OPEN
from services.api.client_address import ClientAddress
from services.api.declaring import Routes
from services.api.dependencies import Tokens, Work
from services.api.family.access import BeforeSecondStep
from services.api.family.schemas.auth import (
    Keep,
    LoginCodeRequest,
    LoginCodeResponse,
    LogInRequest,
    RefreshRequest,
    SecondStepRequest,
    SecondStepResponse,
    SlipLogInRequest,
    TokenResponse,
)
from services.api.limits import costs_address
from services.api.problems import problem_responses
from services.api.session_cookies import (
    DeviceCookie,
    PageMark,
    RefreshCookie,
    forget_session,
    is_own_page,
    require_own_page,
    set_cookies,
)
from services.core.office.hand_outs.actions import log_in_by_slip
from services.core.pairing.proof import prove_identity_by_watch
from services.core.people.accounts import actions as accounts
from services.core.people.accounts.actions import OpenSession
from services.core.people.accounts.codes import EnteredCode
from services.core.people.accounts.devices import prove_by_pin
from services.core.people.accounts.rules import ACCESS_LIFETIME
from services.core.people.accounts.tokens import AccessClaims, AccessTokens
from services.core.people.households import admission
from services.core.people.households.admission import Asker
from services.core.platform.db.database import UnitOfWork
from services.core.platform.limits.rules import Limits

router = Routes(prefix="/v1/auth", tags=["log-in"])

_A_TRY = costs_address(Limits.TRIES_OF_ADDRESS)


@router.post("/codes", status_code=202, dependencies=[OPEN], responses=problem_responses(403, 422, 429))
async def request_code(
    request: Request,
    work: Work,
    address: ClientAddress,
    body: LoginCodeRequest,
    mark: PageMark = None,
    device: DeviceCookie = None,
) -> LoginCodeResponse:
    """Request a one-time code for a phone.

    The response is the same for every phone; an SMS is sent only to an enrolled, invited or known one. With the
    `device_token` of an earlier log-in the request counts against the limits of that device, which strangers cannot
    exhaust; with a `hand_out_code` against the budget of the hand-out. 429 with `Retry-After` beyond the limits.
    """
    known = body.device_token or (device if is_own_page(request, mark) else None)
    asker = Asker(body.locale, address, known, body.hand_out_code, body.country)
    sent = await admission.request_login_code(work, body.phone, asker)
    return LoginCodeResponse(
        challenge_id=sent.challenge_id, challenge_secret=sent.challenge_secret, expires_in_s=sent.expires_in_s,
        resend_after_s=sent.resend_after_s,
    )  # fmt: skip


@router.post("/tokens", dependencies=[OPEN, _A_TRY], responses=problem_responses(403, 422, 429))
async def log_in(
    request: Request,
    response: Response,
    work: Work,
    tokens: Tokens,
    address: ClientAddress,
    body: LogInRequest,
    mark: PageMark = None,
    device: DeviceCookie = None,
) -> TokenResponse:
    """Exchange a one-time code for a session: a short-lived access token and a refresh token that changes at each use.

    On a device that is unknown, or was not used for 60 days, the session is `limited` until its second step. Every
    wrong code counts against the tries of the challenge.
    """
    entered = EnteredCode(body.challenge_id, body.challenge_secret, body.phone, body.code)
    asker = Asker(
        body.locale,
        address,
        _known_device(request, body, mark, device),
        country=body.country,
        label=body.label,
    )
    session = await admission.log_in(work, entered, asker)
    return _answer(response, body.keep, pair_of(work, tokens, session))


@router.post("/slips", dependencies=[OPEN, _A_TRY], responses=problem_responses(403, 422, 429))
async def log_in_with_slip(
    request: Request,
    response: Response,
    work: Work,
    tokens: Tokens,
    address: ClientAddress,
    body: SlipLogInRequest,
    mark: PageMark = None,
    device: DeviceCookie = None,
) -> TokenResponse:
    """Log in with a printed slip from a hand-out, when no SMS arrives.

    A slip works once, and only while the hand-out is open; otherwise 403. An unknown device gets a `limited` session.
    """
    asker = Asker(
        body.locale,
        address,
        _known_device(request, body, mark, device),
        country=body.country,
        label=body.label,
    )
    session = await log_in_by_slip(work, body.slip_code, body.phone, asker)
    return _answer(response, body.keep, pair_of(work, tokens, session))


@router.get("/second-step", responses=problem_responses(401))
async def read_second_step(caller: BeforeSecondStep) -> SecondStepResponse:
    """Return whether this session still needs its second step; an approval by another guardian completes it."""
    return SecondStepResponse(needed=caller.limited)


@router.post("/second-step", status_code=204, responses=problem_responses(401, 403, 422, 429))
async def take_second_step(work: Work, caller: BeforeSecondStep, body: SecondStepRequest) -> None:
    """Complete a limited session with the guardian's PIN, or with the code shown by the child's paired watch.

    A session that is complete already stays unchanged. 403 for a wrong entry, 429 after five.
    """
    if not caller.limited:
        return
    if body.pin is not None:
        await prove_by_pin(work, caller.guardian, caller.session_id, body.pin)
    else:
        await prove_identity_by_watch(work, caller.guardian_id, caller.session_id, body.watch_code or "")
    await admission.join_enrolled(work, caller.guardian)


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
    body: RefreshRequest,
    mark: PageMark = None,
    cookie: RefreshCookie = None,
) -> TokenResponse:
    """Exchange a refresh token for new tokens.

    A refresh token works once. A retry within 60 seconds returns the same new tokens unless they were used; any other
    reuse ends the session with 401. With `keep: cookie` the token is read from the cookie and replaced there; 403 for
    a page of another server.
    """
    if body.keep == "cookie":
        require_own_page(request, mark)
    token = body.refresh_token or cookie or ""
    return _answer(response, body.keep, pair_of(work, tokens, await accounts.refresh(work, token)))


@router.post("/logout", status_code=204, responses=problem_responses(401))
async def log_out(response: Response, work: Work, caller: BeforeSecondStep) -> None:
    """End this session and its open streams; a refresh token in a cookie is removed."""
    await accounts.log_out(work, caller.session_id)
    forget_session(response)


def _known_device(
    request: Request, body: LogInRequest | SlipLogInRequest, mark: str | None, cookie: str | None
) -> str | None:
    """Return the device token of the body or the cookie. Raises ForeignPageError where cookies are not for the caller.

    The check comes first: a one-time code is not spent on a request that is refused.
    """
    if body.keep == "cookie":
        require_own_page(request, mark)
        return body.device_token or cookie
    return body.device_token


def _answer(response: Response, keep: Keep, issued: TokenResponse) -> TokenResponse:
    if keep == "json":
        return issued
    set_cookies(
        response, refresh_token=issued.refresh_token, refresh_expires_in_s=issued.refresh_expires_in_s,
        device_token=issued.device_token,
    )  # fmt: skip
    return issued.model_copy(update={"refresh_token": "", "device_token": None})


def pair_of(work: UnitOfWork, tokens: AccessTokens, session: OpenSession) -> TokenResponse:
    """Return the token response of a session."""
    return TokenResponse(
        access_token=tokens.issue(AccessClaims(session.guardian_id, session.session_id), work.now),
        expires_in_s=int(ACCESS_LIFETIME.total_seconds()),
        refresh_token=session.refresh_token,
        refresh_expires_in_s=session.refresh_expires_in_s,
        guardian_id=session.guardian_id,
        limited=session.limited,
        device_token=session.device_token,
    )
