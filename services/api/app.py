"""The application: routers, problems, what stands around each request; and the process that serves it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator

import uvicorn
from fastapi import FastAPI

from services.api import openapi, problems, system
from services.api.family.routes import ROUTERS as FAMILY_ROUTERS
from services.api.middleware import BodyLimitMiddleware, RequestContextMiddleware
from services.api.refusals import Refusals
from services.api.staff.routes import ROUTERS as STAFF_ROUTERS
from services.api.stream import EventHub
from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.people.accounts.tokens import AccessTokens
from services.core.platform.audio.sandbox import AudioSandbox
from services.core.platform.blobs.store import BlobStore
from services.core.platform.db.database import Database
from services.core.platform.erasure_ledger import ErasureLedger
from services.core.platform.settings import Settings

# For answers on their way; open streams are ended at once, and apps come back with their last event id.
_GRACE_S = 3


def create_app(settings: Settings, database: Database) -> FastAPI:
    """Return the application on an open database; its lifespan starts and stops the event hub."""
    hub = EventHub(database)
    sandbox = AudioSandbox()
    refusals = Refusals(database)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await hub.start()
        async with sandbox, refusals.running():
            yield
        await hub.stop()

    app = FastAPI(
        title="SmartWatch API",
        version="1.0.0",
        summary="Parents talk with their children through watches.",
        description="Errors are RFC 9457 problems with a stable `code`; docs/problems.md lists them.",
        lifespan=lifespan,
        # What any route can answer, whatever it does.
        responses=problems.problem_responses(400, 413, 415, 500, 503),
        redirect_slashes=False,
    )
    app.state.settings = settings
    app.state.database = database
    app.state.tokens = AccessTokens.of(settings)
    app.state.hub = hub
    app.state.refusals = refusals
    app.state.ledger = ErasureLedger(settings.erasure_ledger)
    app.state.transcoder = Transcoder(database, BlobStore.of(settings), sandbox)
    for router in (system.router, *FAMILY_ROUTERS, *STAFF_ROUTERS):
        app.include_router(router)
    problems.install(app)
    openapi.describe(app)
    # The last one added stands outermost.
    app.add_middleware(BodyLimitMiddleware)
    app.add_middleware(RequestContextMiddleware)
    return app


class ApiServer(uvicorn.Server):
    """Serves the application and, asked to stop, first ends the open event streams, which never end by themselves."""

    def __init__(self, config: uvicorn.Config, hub: EventHub) -> None:
        super().__init__(config)
        self._hub = hub

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop serving, within the configured grace."""
        self._hub.end_streams()
        await super().shutdown(sockets)


def run_api(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    database = Database.of(settings)
    app = create_app(settings, database)
    config = uvicorn.Config(
        app,
        host=settings.api_host,
        port=settings.api_port,
        # Our own frame logs requests, without addresses and ids.
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_S,
        # A thousand apps that come back at once wait in the kernel's queue instead of being refused.
        backlog=4096,
        limit_concurrency=None,
    )
    ApiServer(config, app.state.hub).run()
