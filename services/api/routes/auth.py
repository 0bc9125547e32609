"""Log in by phone and one-time code; continue and end a session."""

from fastapi import APIRouter

from services.api.access_family import OPEN, IsLoggedIn
from services.api.dependencies import Tokens, Work
from services.api.problems import answers
from services.api.schemas.auth import CodeRequest, CodeSent, LogIn, Refresh, TokenPair
from services.core.accounts import actions as accounts
from services.core.accounts.actions import OpenSession
from services.core.accounts.rules import ACCESS_LIFETIME
from services.core.accounts.tokens import AccessClaims, AccessTokens
from services.core.db.database import UnitOfWork
from services.core.families import admission

router = APIRouter(prefix="/v1/auth", tags=["log-in"])


@router.post("/codes", status_code=202, dependencies=[OPEN], responses=answers(422, 429))
async def request_code(work: Work, asked: CodeRequest) -> CodeSent:
    """Have a one-time code sent to a phone.

    The answer is the same for every phone; only an enrolled, invited or known one is sent an SMS.
    """
    sent = await admission.request_login_code(work, asked.phone, asked.locale)
    return CodeSent(challenge_id=sent.challenge_id, expires_in_s=sent.expires_in_s, resend_after_s=sent.resend_after_s)


@router.post("/tokens", dependencies=[OPEN], responses=answers(403, 422))
async def log_in(work: Work, tokens: Tokens, said: LogIn) -> TokenPair:
    """Turn the right code into a session: a short-lived access token and a refresh token that changes at each use."""
    session = await admission.log_in(work, said.challenge_id, said.phone, said.code, said.locale)
    return _pair(work, tokens, session)


@router.post("/refresh", dependencies=[OPEN], responses=answers(401, 422))
async def refresh(work: Work, tokens: Tokens, said: Refresh) -> TokenPair:
    """Continue a session. A refresh token works once; a used one that comes again ends the session."""
    return _pair(work, tokens, await accounts.refresh(work, said.refresh_token))


@router.post("/logout", status_code=204, responses=answers(401))
async def log_out(work: Work, caller: IsLoggedIn) -> None:
    """End this session and its open streams."""
    await accounts.log_out(work, caller.session_id)


def _pair(work: UnitOfWork, tokens: AccessTokens, session: OpenSession) -> TokenPair:
    return TokenPair(
        access_token=tokens.issue(AccessClaims(session.guardian_id, session.session_id), work.now),
        expires_in_s=int(ACCESS_LIFETIME.total_seconds()),
        refresh_token=session.refresh_token,
        refresh_expires_in_s=session.refresh_expires_in_s,
        guardian_id=session.guardian_id,
    )
