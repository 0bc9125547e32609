"""Imports of public numbers into DHIS2: requested here, sent by the worker; their summaries stay readable."""

import uuid
from typing import Annotated

from fastapi import Query, Request

from services.api.declaring import Routes
from services.api.dependencies import Work, settings_of
from services.api.problems import problem_responses
from services.api.staff.access import MayManageStructure
from services.api.staff.schemas import dhis2 as schemas
from services.core.measurement.dhis2_imports.actions import ImportRequest, request_import
from services.core.measurement.dhis2_imports.errors import Dhis2NotConfiguredError
from services.core.measurement.dhis2_imports.queries import import_served, imports_served
from services.core.measurement.dhis2_imports.rules import SENTENCES, Problem
from services.core.measurement.dhis2_imports.tables import Dhis2Import
from services.core.people.accounts.actors import staff_actor
from services.core.people.households.errors import NotFoundError
from services.core.people.programme.queries import programme_of, programme_served, site_served
from services.core.platform.limits.actions import Charge, charge
from services.core.platform.limits.rules import Limits

router = Routes(prefix="/v1/staff/dhis2-imports", tags=["staff: exports"])


@router.post("", status_code=202, responses=problem_responses(401, 403, 404, 409, 422, 429))
async def ask(
    request: Request, work: Work, caller: MayManageStructure, body: schemas.NewDhis2ImportRequest
) -> schemas.Dhis2ImportResponse:
    """Request an import into the configured DHIS2 system; the worker sends it, a batch at a time.

    Only public numbers (10 families and more) are sent. DHIS2 checks all of them first, and with `check_only` nothing
    more happens. 409 without a configured system, and for the import of a simulated programme.
    """
    if not settings_of(request).dhis2_url:
        raise Dhis2NotConfiguredError
    await charge(work, Charge(Limits.EXPORTS_OF_STAFF, str(caller.staff_id)))
    site = None if body.site_id is None else await site_served(work, caller.staff_id, body.site_id)
    if site is not None:
        programme = await programme_of(work, site.programme_id)
    else:
        served = (
            None
            if body.programme_id is None
            else await programme_served(work, caller.staff_id, body.programme_id)
        )  # fmt: skip
        if served is None:
            raise NotFoundError
        programme = served
    requested = ImportRequest(body.mapping(), body.check_only)
    return _response(await request_import(work, staff_actor(caller.staff_id), programme, site, requested))


@router.get("", responses=problem_responses(401, 403, 422))
async def list_imports(
    work: Work, caller: MayManageStructure, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> schemas.Dhis2ImportsResponse:
    """List the latest imports about scopes of the caller, newest first."""
    return schemas.Dhis2ImportsResponse(
        imports=[_response(row) for row in await imports_served(work, caller.staff_id, limit)]
    )


@router.get("/{import_id}", responses=problem_responses(401, 403, 404, 422))
async def read_import(work: Work, caller: MayManageStructure, import_id: uuid.UUID) -> schemas.Dhis2ImportResponse:
    """Return an import with its summaries. They stay as long as the programme."""
    return _response(await import_served(work, caller.staff_id, import_id))


def _response(row: Dhis2Import) -> schemas.Dhis2ImportResponse:
    shown = row.model_dump(exclude={"asked_by", "mapping", "phase", "batches_done", "claimed_until", "tries"})
    return schemas.Dhis2ImportResponse.model_validate(
        {
            **shown,
            "checked": row.checked or None,
            "imported": row.imported or None,
            "sentence": None if row.problem is None else SENTENCES[Problem(row.problem)],
            "tried_again_at": row.claimed_until if row.state == "waiting" else None,
        }
    )
