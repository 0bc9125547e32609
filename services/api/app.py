"""The application: routers, problems and middleware. The process that serves it is in ``http_server``."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig

from services import __version__
from services.api import found_watch, openapi, problems, sms_reports, system, walls
from services.api.body_limits import BodyLimitMiddleware
from services.api.declaring import RouteIndex, indexed
from services.api.documents import pages
from services.api.documents.additions import introduction
from services.api.family.routes import ROUTERS as FAMILY_ROUTERS
from services.api.head_requests import HeadMiddleware, file_paths
from services.api.middleware import RequestContextMiddleware
from services.api.packing import PackingMiddleware
from services.api.refusals import Refusals
from services.api.request_metrics import RequestMetrics
from services.api.staff.routes import ROUTERS as STAFF_ROUTERS
from services.api.stream import EventHub
from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.people.accounts.tokens import AccessTokens
from services.core.platform.audio.sandbox import AudioSandbox
from services.core.platform.blobs.store import BlobStore
from services.core.platform.db.database import Database
from services.core.platform.opened_ledger import open_ledger
from services.core.platform.settings import Settings
from services.web.serving import Pages

# The framework would send paths with ids, bodies that it refused and errors to the collector that the environment of
# the process names.
_NO_TELEMETRY: Final[TelemetryConfig] = {
    "tracing": False, "metrics": False, "logs": False, "operation_spans": False, "auto_configure": False,
}  # fmt: skip


def create_app(settings: Settings, database: Database) -> FastAPI:
    """Return the application on an open database; its lifespan starts and stops the event hub."""
    return connect(declare_routes(), settings, database)


def declare_routes() -> FastAPI:
    """Return the application's routes, problems and document. It answers requests after `connect`."""
    app = FastAPI(
        title="SmartWatch API",
        version=__version__,
        summary="Parents talk with their children through watches.",
        license_info={"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
        description=introduction(),
        # The framework writes the document while all requests wait (1 s), and its viewers load files from elsewhere.
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=openapi.id_of_route,
        # Answers that every route can give.
        responses=problems.problem_responses(400, 408, 413, 415, 500, 503),
        redirect_slashes=False,
        telemetry=_NO_TELEMETRY,
    )
    own = (system.router, pages.router, found_watch.router, walls.router, sms_reports.router)
    for router in (*own, *FAMILY_ROUTERS, *STAFF_ROUTERS):
        router.add_to(app)
    app.router.routes.insert(0, RouteIndex(app.router.routes))
    app.router.routes.extend(Pages().routes())
    problems.install(app)
    openapi.describe(app)
    return app


def connect(app: FastAPI, settings: Settings, database: Database) -> FastAPI:
    """Give an application its settings and its open database, and return it."""
    hub = EventHub(database)
    sandbox = AudioSandbox()
    refusals = Refusals(database)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await hub.start()
        async with sandbox, refusals.running():
            yield
        await hub.stop()

    app.router.lifespan_context = lifespan
    app.description = introduction(settings.public_url)
    app.state.documents = {}
    app.state.writing_documents = asyncio.Lock()
    app.state.settings = settings
    app.state.database = database
    app.state.tokens = AccessTokens.of(settings)
    app.state.hub = hub
    app.state.refusals = refusals
    app.state.ledger = open_ledger(settings)
    app.state.transcoder = Transcoder(database, BlobStore.of(settings), sandbox)
    # The last middleware added is the outermost.
    app.add_middleware(HeadMiddleware, paths=file_paths(app))
    app.add_middleware(PackingMiddleware)
    app.add_middleware(BodyLimitMiddleware, tokens=app.state.tokens, clock=database.clock)
    app.add_middleware(
        RequestContextMiddleware, metrics=RequestMetrics({route.path for route in indexed(app.router.routes)})
    )
    return app
