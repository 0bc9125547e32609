"""What routes ask for: a unit of work, settings, tokens."""

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


# By default FastAPI runs what follows a yield after the answer has been sent: "function" commits before.
Work = Annotated[UnitOfWork, Depends(unit_of_work, scope="function")]


def settings_of(request: Request) -> Settings:
    """Return the settings of this process."""
    found: Settings = request.app.state.settings
    return found


def tokens_of(request: Request) -> AccessTokens:
    """Return what signs and reads access tokens."""
    found: AccessTokens = request.app.state.tokens
    return found


def transcoder_of(request: Request) -> Transcoder:
    """Return where clips are stored and worked on."""
    found: Transcoder = request.app.state.transcoder
    return found


def ledger_of(request: Request) -> ErasureLedger:
    """Return the ledger of erasures."""
    found: ErasureLedger = request.app.state.ledger
    return found


SettingsHere = Annotated[Settings, Depends(settings_of)]
LedgerHere = Annotated[ErasureLedger, Depends(ledger_of)]
TranscoderHere = Annotated[Transcoder, Depends(transcoder_of)]
Tokens = Annotated[AccessTokens, Depends(tokens_of)]
