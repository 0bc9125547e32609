"""Exports of a guardian's data: request, progress and download."""

import uuid
from typing import Any

from fastapi import Request
from starlette.responses import Response

from services.api.declaring import Routes
from services.api.dependencies import TranscoderHere, Work, settings_of
from services.api.family.access import BeforeConsent, HoldsExportLink, ProvenBeforeConsent
from services.api.family.limits import costs_guardian
from services.api.family.schemas import privacy as schemas
from services.api.problems import problem_responses
from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.pairing.wipes import wipe_orders_of
from services.core.people.households.told_steps import Step, tell_guardians
from services.core.platform.db.database import UnitOfWork
from services.core.platform.limits.rules import Limits
from services.core.privacy.copies.actions import (
    ExportFile,
    LinkClaims,
    check_ready,
    issue_link,
    list_exports,
    open_export,
    own_export,
    request_export,
)
from services.core.privacy.copies.own_places import places_shared
from services.core.privacy.erasure.rules import WatchCopy, Wipe, watch_copy
from services.core.privacy.tables import Export as ExportRow

router = Routes(prefix="/v1", tags=["privacy"])

_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}
}


@router.post(
    "/families/{family_id}/exports",
    status_code=202,
    dependencies=[costs_guardian(Limits.EXPORTS_OF_GUARDIAN)],
    responses=problem_responses(401, 403, 404, 422, 429),
)
async def ask(work: Work, scope: ProvenBeforeConsent) -> schemas.ExportResponse:
    """Request a copy of the caller's own conversation and of the family's common data.

    The export is built in the background; poll its state. 429 while another one is waiting or running.
    """
    export = await request_export(work, scope.family_id, scope.caller.guardian_id)
    await tell_guardians(work, scope.family_id, scope.caller.guardian_id, Step.EXPORT)
    return _export(export, await _watch_copy(work, scope.family_id))


@router.get("/families/{family_id}/exports", responses=problem_responses(401, 404, 422))
async def list_own(work: Work, scope: BeforeConsent) -> schemas.ExportsResponse:
    """Return the caller's own exports, newest first, with progress and time of deletion.

    Places are in the copies of those who may see them. The response names the others' copies that hold them, and says
    whether the caller's own copy is needed for them.
    """
    rows = await list_exports(work, scope.family_id, scope.caller.guardian_id)
    shared = await places_shared(work, scope.family_id, scope.caller.guardian_id)
    copy = await _watch_copy(work, scope.family_id) if rows else WatchCopy.NONE
    return schemas.ExportsResponse(
        exports=[_export(row, copy) for row in rows],
        places_with=shared.with_others,
        places_offered=shared.only_offered,
    )


@router.get("/families/{family_id}/exports/{export_id}", responses=problem_responses(401, 404, 422))
async def read_one(work: Work, scope: BeforeConsent, export_id: uuid.UUID) -> schemas.ExportResponse:
    """Return one of the caller's own exports."""
    export = await own_export(work, scope.family_id, scope.caller.guardian_id, export_id)
    return _export(export, await _watch_copy(work, scope.family_id))


@router.get(
    "/families/{family_id}/exports/{export_id}/file",
    response_class=Response,
    responses={**problem_responses(401, 403, 404, 409, 422), **_FILE},
)
async def fetch(work: Work, scope: ProvenBeforeConsent, export_id: uuid.UUID, transcoder: TranscoderHere) -> Response:
    """Download the export as a ZIP: index.html to read, export.json with its schema, and audio as M4A.

    409 until the export is ready. Every download enters the family's log.
    """
    export = await own_export(work, scope.family_id, scope.caller.guardian_id, export_id)
    file = await open_export(work, export)
    await work.commit_early()
    return await _file(transcoder, file)


@router.post(
    "/families/{family_id}/exports/{export_id}/link",
    status_code=201,
    responses=problem_responses(401, 403, 404, 409, 422),
)
async def make_link(
    request: Request, work: Work, scope: ProvenBeforeConsent, export_id: uuid.UUID
) -> schemas.ExportLinkResponse:
    """Create a link that opens the file without headers until the file is deleted.

    The link works only while the caller's session is valid. 409 until the export is ready.
    """
    export = await own_export(work, scope.family_id, scope.caller.guardian_id, export_id)
    expires_at = check_ready(work, export)
    token = issue_link(work.vault, LinkClaims(export_id, scope.caller.guardian_id, scope.caller.session_id), expires_at)
    return schemas.ExportLinkResponse(
        url=f"{settings_of(request).public_url}/v1/exports/{token}", expires_at=expires_at
    )


@router.get("/exports/{token}", response_class=Response, responses={**problem_responses(401, 404, 409, 422), **_FILE})
async def fetch_by_link(work: Work, scope: HoldsExportLink, transcoder: TranscoderHere) -> Response:
    """Download the export of a signed link; no token is needed."""
    file = await open_export(work, scope.export)
    await work.commit_early()
    return await _file(transcoder, file)


async def _file(transcoder: Transcoder, file: ExportFile) -> Response:
    headers = {
        "content-disposition": 'attachment; filename="smartwatch-export.zip"',
        "cache-control": "private, no-store",
    }
    return Response(await transcoder.blobs.read(file.blob_id, file.key), 200, headers, "application/zip")


async def _watch_copy(work: UnitOfWork, family_id: uuid.UUID) -> WatchCopy:
    """Return whether watches of the family still hold a copy of what they were sent."""
    return watch_copy(Wipe(order.confirmed_at) for order in await wipe_orders_of(work, family_id=family_id))


def _export(row: ExportRow, copy: WatchCopy) -> schemas.ExportResponse:
    shown = row.model_dump(include={"export_id", "state", "percent", "size_bytes", "asked_at", "expires_at"})
    return schemas.ExportResponse.model_validate({**shown, "watch_copy": copy.value})
