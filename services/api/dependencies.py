"""Dependencies of routes: unit of work, settings, tokens, transcoder, ledger."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request

from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.people.accounts.tokens import AccessTokens
from services.core.platform.db.database import UnitOfWork
from services.core.platform.erasure_ledger import ErasureLedger
from services.core.platform.settings import Settings


async def unit_of_work(request: Request) -> AsyncIterator[UnitOfWork]:
    """Open the request's transaction; it commits before the answer is sent."""
    async with request.app.state.database.begin() as work:
        request.state.work = work
        yield work


# FastAPI runs code after a yield after the response by default; scope "function" commits before it.
Work = Annotated[UnitOfWork, Depends(unit_of_work, scope="function")]


def settings_of(request: Request) -> Settings:
    """Return the settings of this process."""
    settings: Settings = request.app.state.settings
    return settings


# Coroutine functions from here on: FastAPI runs a plain function in a thread, at each request.


async def tokens_of(request: Request) -> AccessTokens:
    """Return the signer and reader of access tokens."""
    tokens: AccessTokens = request.app.state.tokens
    return tokens


async def transcoder_of(request: Request) -> Transcoder:
    """Return the transcoder with its store of audio assets."""
    transcoder: Transcoder = request.app.state.transcoder
    return transcoder


async def ledger_of(request: Request) -> ErasureLedger:
    """Return the ledger of erasures."""
    ledger: ErasureLedger = request.app.state.ledger
    return ledger


SettingsHere = Annotated[Settings, Depends(settings_of)]
LedgerHere = Annotated[ErasureLedger, Depends(ledger_of)]
TranscoderHere = Annotated[Transcoder, Depends(transcoder_of)]
Tokens = Annotated[AccessTokens, Depends(tokens_of)]
