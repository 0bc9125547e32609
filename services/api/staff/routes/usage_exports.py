"""Files of published numbers, made by the worker: asked for, looked after, fetched within their day."""

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.api.dependencies import Work
from services.api.problems import problem_responses
from services.api.staff.access import MayExport
from services.api.staff.schemas import usage as schemas
from services.core.measurement.exports.actions import (
    FileKind,
    FileRequest,
    list_files,
    open_file,
    own_file,
    request_file,
)
from services.core.measurement.tables import UsageExport
from services.core.platform.limits.actions import Charge, charge
from services.core.platform.limits.rules import Limits

router = APIRouter(prefix="/v1/staff/exports", tags=["staff"])

_TYPES: dict[FileKind, tuple[str, str]] = {
    FileKind.CSV: ("text/csv; charset=utf-8", "csv"),
    FileKind.XLSX: ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    FileKind.REPORT: ("text/html; charset=utf-8", "html"),
    FileKind.DHIS2: ("application/json", "json"),
}
_BYTES = {"schema": {"type": "string", "format": "binary"}}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {media.partition(";")[0]: _BYTES for media, _ in _TYPES.values()}, "description": "the file"}
}


@router.post("", status_code=202, responses=problem_responses(401, 403, 404, 422, 429))
async def ask(work: Work, caller: MayExport, body: schemas.NewUsageExportRequest) -> schemas.UsageExportResponse:
    """Have a file made of a site or of a whole programme that the caller serves; one at a time."""
    await charge(work, Charge(Limits.EXPORTS_OF_STAFF, str(caller.staff_id)))
    mapping = {} if body.dhis2 is None else body.dhis2.model_dump(mode="json")
    requested = FileRequest(body.kind, body.audience, body.locale, mapping)
    made = await request_file(work, caller.staff, requested, site_id=body.site_id, programme_id=body.programme_id)
    return _response(made)


@router.get("", responses=problem_responses(401, 403, 422))
async def list_own(
    work: Work, caller: MayExport, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> schemas.UsageExportsResponse:
    """Tell the caller's own latest files, the newest first."""
    return schemas.UsageExportsResponse(
        exports=[_response(one) for one in await list_files(work, caller.staff_id, limit)]
    )


@router.get("/{usage_export_id}", responses=problem_responses(401, 403, 404, 422))
async def read_one(work: Work, caller: MayExport, usage_export_id: uuid.UUID) -> schemas.UsageExportResponse:
    """Tell how far one of the caller's own files is."""
    return _response(await own_file(work, caller.staff_id, usage_export_id))


@router.get(
    "/{usage_export_id}/file",
    response_class=Response,
    responses={**problem_responses(401, 403, 404, 409, 422), **_FILE},
)
async def fetch(work: Work, caller: MayExport, usage_export_id: uuid.UUID) -> Response:
    """Fetch a finished file of one's own, within its day. Every fetch is in the log."""
    export = await own_file(work, caller.staff_id, usage_export_id)
    plain = await open_file(work, export)
    media, suffix = _TYPES[FileKind(export.kind)]
    headers = {
        "content-disposition": f'attachment; filename="smartwatch-usage.{suffix}"',
        "cache-control": "private, no-store",
    }
    return Response(plain, 200, headers, media)


def _response(row: UsageExport) -> schemas.UsageExportResponse:
    shown = row.model_dump(exclude={"staff_id", "mapping", "wrapped_key", "ready_at", "claimed_until", "tries"})
    return schemas.UsageExportResponse.model_validate({**shown, "audience": row.recipient})
