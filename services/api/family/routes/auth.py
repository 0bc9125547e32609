"""Log in by phone and one-time code, prove a new device; continue and end a session."""

from fastapi import APIRouter

from services.api.access import OPEN
from services.api.client_address import ClientAddress
from services.api.dependencies import Tokens, Work
from services.api.family.access import BeforeSecondStep
from services.api.family.schemas.auth import (
    CodeRequest,
    CodeSent,
    LogIn,
    Refresh,
    SecondStep,
    SecondStepState,
    SlipLogIn,
    TokenPair,
)
from services.api.limits import costs_address
from services.api.problems import answers
from services.core.office.hand_outs.actions import log_in_by_slip
from services.core.pairing.proof import prove_by_watch
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

router = APIRouter(prefix="/v1/auth", tags=["log-in"])

_A_TRY = costs_address(Limits.TRIES_OF_ADDRESS)


@router.post("/codes", status_code=202, dependencies=[OPEN], responses=answers(403, 422, 429))
async def request_code(work: Work, address: ClientAddress, asked: CodeRequest) -> CodeSent:
    """Have a one-time code sent to a phone.

    The answer is the same for every phone; only an enrolled, invited or known one is sent an SMS. With the token of a
    device that logged in before, limits that strangers can use up do not matter; with the code on the wall of a
    hand-out the hand-out's own budget pays.
    """
    asker = Asker(asked.locale, address, asked.device_token, asked.hand_out_code)
    sent = await admission.request_login_code(work, asked.phone, asker)
    return CodeSent(
        challenge_id=sent.challenge_id, challenge_secret=sent.challenge_secret, expires_in_s=sent.expires_in_s,
        resend_after_s=sent.resend_after_s,
    )  # fmt: skip


@router.post("/tokens", dependencies=[OPEN, _A_TRY], responses=answers(403, 422, 429))
async def log_in(work: Work, tokens: Tokens, address: ClientAddress, said: LogIn) -> TokenPair:
    """Turn the right code into a session: a short-lived access token and a refresh token that changes at each use.

    On a device that is not known, or was not used for 60 days, the session is `limited` until its second step.
    """
    entered = EnteredCode(said.challenge_id, said.challenge_secret, said.phone, said.code)
    session = await admission.log_in(work, entered, Asker(said.locale, address, said.device_token))
    return pair_of(work, tokens, session)


@router.post("/slips", dependencies=[OPEN, _A_TRY], responses=answers(403, 422, 429))
async def log_in_with_slip(work: Work, tokens: Tokens, address: ClientAddress, said: SlipLogIn) -> TokenPair:
    """Log in with a slip from a hand-out where no text message arrives; it works once, while the hand-out is open."""
    asker = Asker(said.locale, address, said.device_token)
    return pair_of(work, tokens, await log_in_by_slip(work, said.slip_code, said.phone, asker))


@router.get("/second-step", responses=answers(401))
async def read_second_step(caller: BeforeSecondStep) -> SecondStepState:
    """Tell whether this session still lacks its second step: it ends by itself when another guardian approves."""
    return SecondStepState(needed=caller.limited)


@router.post("/second-step", status_code=204, responses=answers(401, 403, 422, 429))
async def take_second_step(work: Work, caller: BeforeSecondStep, said: SecondStep) -> None:
    """Prove a new device with the guardian's PIN, or with the code that the child's paired watch shows.

    A session that is whole already stays so.
    """
    if not caller.limited:
        return
    if said.pin is not None:
        await prove_by_pin(work, caller.guardian, caller.session_id, said.pin)
    else:
        await prove_by_watch(work, caller.guardian_id, caller.session_id, said.watch_code or "")
    await admission.join_enrolled(work, caller.guardian)


@router.post(
    "/refresh",
    dependencies=[OPEN, costs_address(Limits.REFRESHES_OF_ADDRESS)],
    responses=answers(401, 422, 429),
)
async def refresh(work: Work, tokens: Tokens, said: Refresh) -> TokenPair:
    """Continue a session. A refresh token works once; a used one that comes again ends the session."""
    return pair_of(work, tokens, await accounts.refresh(work, said.refresh_token))


@router.post("/logout", status_code=204, responses=answers(401))
async def log_out(work: Work, caller: BeforeSecondStep) -> None:
    """End this session and its open streams."""
    await accounts.log_out(work, caller.session_id)


def pair_of(work: UnitOfWork, tokens: AccessTokens, session: OpenSession) -> TokenPair:
    """Return a session's tokens as they are told."""
    return TokenPair(
        access_token=tokens.issue(AccessClaims(session.guardian_id, session.session_id), work.now),
        expires_in_s=int(ACCESS_LIFETIME.total_seconds()),
        refresh_token=session.refresh_token,
        refresh_expires_in_s=session.refresh_expires_in_s,
        guardian_id=session.guardian_id,
        limited=session.limited,
        device_token=session.device_token,
    )
