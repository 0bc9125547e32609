"""Health, readiness, and the documents of this API and of the watch protocol."""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, Literal

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from services import __version__
from services.api.access import OPEN
from services.api.declaring import Routes
from services.api.dependencies import SettingsHere
from services.core.platform.blobs.store import BlobStore, BlobStoreAwayError
from services.core.platform.db.database import Database
from services.core.platform.db.migrate import is_newer, newest_revision
from services.core.platform.db.notifying import CONNECTION_ERRORS
from services.core.platform.erasure_ledger import ErasuresPendingError, LedgerAwayError, LedgerBrokenError
from services.core.platform.log.health import readiness_answer

router = Routes(tags=["system"])

_ANSWER_TIMEOUT_S = 2.0
LICENCE = "AGPL-3.0-or-later"


class Version(BaseModel):
    """The running version."""

    version: str = Field(description="the version of package, API and AsyncAPI document", examples=["1.0.0"])
    licence: str = Field(description="SPDX identifier of the licence", examples=[LICENCE])
    source_url: str | None = Field(
        description="where the source of this installation is; null: not changed, or not configured",
        examples=["https://example.org/smartwatch.git"],
    )


class HealthResponse(BaseModel):
    """The process runs."""

    status: Literal["ok"] = Field("ok", description="always `ok`")


class ReadinessResponse(BaseModel):
    """Readiness of this process, in the form that all processes of the backend share."""

    status: Literal["ok", "unavailable"] = Field(description="`ok` when every check is", examples=["ok"])
    checks: dict[str, str] = Field(
        description="`ok` or a short reason by name of the check", examples=[{"postgres": "ok", "blobs": "ok"}]
    )
    own_fault: list[str] = Field(
        description="failed checks that a restart of this process mends; none of the API's", examples=[[]]
    )
    warnings: dict[str, str] = Field(
        description="codes of faults beside this process by name of the part; it works nevertheless",
        examples=[{"postgres": "old_primary_refused"}],
    )


@router.get("/healthz", dependencies=[OPEN])
async def health() -> HealthResponse:
    """Return 200 while this process runs."""
    return HealthResponse()


@router.get(
    "/readyz",
    dependencies=[OPEN],
    responses={503: {"description": "a dependency is not well", "model": ReadinessResponse}},
)
async def readiness(request: Request, response: Response) -> ReadinessResponse:
    """Return the state of each dependency; 503 when one is unavailable."""
    status, answer = readiness_answer(await states(request.app))
    response.status_code = status
    return ReadinessResponse.model_validate(answer)


async def states(app: FastAPI) -> Mapping[str, str]:
    """Return ``ok`` or the reason by name of each dependency."""
    database_states = await _database_states(app.state.database)
    return database_states | {"blobs": await _blob_state(app.state.transcoder.blobs)}


async def _blob_state(blobs: BlobStore) -> str:
    try:
        async with asyncio.timeout(_ANSWER_TIMEOUT_S):
            await blobs.ping()
    except (OSError, TimeoutError, BlobStoreAwayError) as error:
        return type(error).__name__
    return "ok"


async def _database_states(database: Database) -> dict[str, str]:
    try:
        async with asyncio.timeout(_ANSWER_TIMEOUT_S), database.begin() as work:
            revision = (await work.run(text("SELECT version_num FROM alembic_version"))).scalar_one()
    except (SQLAlchemyError, *CONNECTION_ERRORS) as error:
        return {"postgres": type(error).__name__, "migrations": "unknown"}
    except ErasuresPendingError:
        return {"postgres": "ok", "migrations": "unknown", "erasures": ErasuresPendingError.code}
    except (LedgerBrokenError, LedgerAwayError) as error:
        return {"postgres": "ok", "migrations": "unknown", "erasures": error.code}
    # A newer schema serves this code as well: while an upgrade rolls, and after one is taken back.
    is_served = revision == newest_revision() or is_newer(revision)
    return {"postgres": "ok", "migrations": "ok" if is_served else f"at {revision}"}


@router.get("/version", dependencies=[OPEN])
async def version(settings: SettingsHere) -> Version:
    """Return the running version, its licence, and the address of its source."""
    return Version(version=__version__, licence=LICENCE, source_url=settings.source_url or None)


@router.get("/asyncapi.json", dependencies=[OPEN], response_model=dict[str, Any])
async def watch_protocol(request: Request) -> Response:
    """Serve the AsyncAPI document of the watch protocol."""
    return await _written(request.app, "asyncapi", _document_of_watches)


@router.get("/openapi.json", dependencies=[OPEN], response_model=dict[str, Any])
async def api_document(request: Request) -> Response:
    """Serve the OpenAPI document of this API."""
    return await _written(request.app, "openapi", request.app.openapi)


def _document_of_watches() -> dict[str, Any]:
    # The API starts without the models of the protocol, of which it uses none.
    from services.protocol import asyncapi  # noqa: PLC0415

    return asyncapi.document()


async def _written(app: FastAPI, name: str, write: Callable[[], dict[str, Any]]) -> Response:
    """Return a document. A thread writes it once, which takes up to a second, and other requests go on meanwhile.

    Requests for a document meanwhile wait for the lock: only few threads serve all requests.
    """
    documents: dict[str, bytes] = app.state.documents
    async with app.state.writing_documents:
        if name not in documents:
            documents[name] = await asyncio.to_thread(lambda: json.dumps(write(), ensure_ascii=False).encode())
    return Response(documents[name], media_type="application/json")
