"""Traces of a watch with an open fault: opened for a day, and written to the family's log."""

import uuid

from services.api.declaring import Routes
from services.api.dependencies import Work
from services.api.problems import problem_responses
from services.api.staff.access import SupportsAtSite
from services.api.staff.schemas import traces as schemas
from services.core.devices.traces.actions import open_trace, read_trace
from services.core.devices.traces.queries import watch_of_trace
from services.core.devices.watches.rules import serial_of_scan
from services.core.office.hand_outs.watches import locked_watch
from services.core.people.accounts.actors import staff_actor

router = Routes(prefix="/v1/staff/sites/{site_id}", tags=["staff: watches"])


@router.post("/watch-traces", responses=problem_responses(401, 403, 404, 409, 422))
async def open_one(work: Work, scope: SupportsAtSite, body: schemas.OpenTraceRequest) -> schemas.TraceResponse:
    """Record for 24 hours what the backend sees of a watch; repeating the request while it is open changes nothing.

    Recorded are connections, hellos, and refusals with their reasons; no content, no place, no address.

    409 `trace_not_allowed` for a paired watch whose family has no open request for help `broken`. The family finds an
    entry in its log.
    """
    watch = await locked_watch(work, serial_of_scan(body.scan), site_id=scope.site.site_id)
    trace = await open_trace(work, staff_actor(scope.caller.staff_id), watch)
    return schemas.TraceResponse.model_validate({**trace.model_dump(exclude={"watch_id"}), "serial": watch.serial})


@router.get("/watch-traces/{trace_id}", responses=problem_responses(401, 403, 404, 409, 422))
async def read(work: Work, scope: SupportsAtSite, trace_id: uuid.UUID) -> schemas.TraceLinesResponse:
    """Return what was seen of a watch while its trace is open, without content, places or addresses.

    409 `trace_closed` after 24 hours, `trace_not_allowed` once the watch is paired or its request for help closed. The
    family finds an entry in its log.
    """
    trace, watch = await watch_of_trace(work, scope.site.site_id, trace_id)
    lines = await read_trace(work, staff_actor(scope.caller.staff_id), watch)
    return schemas.TraceLinesResponse.model_validate(
        {
            **trace.model_dump(exclude={"watch_id"}), "serial": watch.serial,
            "lines": [
                {
                    "at": line.at, "what": line.what, "detail": line.detail,
                    "identity": "factory" if line.child_id is None else "paired",
                }
                for line in lines
            ],
        }
    )  # fmt: skip
