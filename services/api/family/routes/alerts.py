"""Alerts of a child, and the readiness of a family: which guardians can be reached."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query

from services.api.dependencies import Work
from services.api.family.access import AnyGuardian, MayMessageChild, MaySeeSosPlaces
from services.api.family.schemas import alerts as schemas
from services.api.family.schemas.checkins import Place
from services.api.problems import problem_responses
from services.core.devices.alerts.actions import acknowledge_alert
from services.core.devices.alerts.queries import PAGE_MAX_ALERTS, alert_by_id, alerts_of
from services.core.devices.alerts.rules import AlertKind, kinds_visible_with
from services.core.devices.alerts.tables import Alert as AlertRow
from services.core.devices.push.queries import readiness_of_family
from services.core.location.checkins.access_log import record_place_access
from services.core.location.checkins.sos_places import sos_place_of
from services.core.people.households.queries import rights_of

router = APIRouter(prefix="/v1", tags=["alerts"])


@router.get("/children/{child_id}/alerts", responses=problem_responses(401, 403, 404, 422))
async def list_alerts(
    work: Work,
    scope: MayMessageChild,
    cursor: Annotated[uuid.UUID | None, Query(description="next_cursor of the previous page")] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX_ALERTS)] = 50,
) -> schemas.AlertsResponse:
    """Return the child's alerts, newest first; zone alerts only if the caller may locate.

    For the next page repeat the request with `cursor` = `next_cursor`.
    """
    kinds = kinds_visible_with(rights_of(scope.membership).words())
    found = await alerts_of(work, scope.child.child_id, kinds, after=cursor, limit=limit + 1)
    page = found[:limit]
    return schemas.AlertsResponse(
        alerts=[_alert(one) for one in page], next_cursor=str(page[-1].alert_id) if len(found) > limit else None
    )


@router.get("/children/{child_id}/alerts/{alert_id}", responses=problem_responses(401, 403, 404, 422))
async def read(work: Work, scope: MayMessageChild, alert_id: uuid.UUID) -> schemas.AlertResponse:
    """Return one alert. 404 also for a zone alert without the right to locate."""
    kinds = kinds_visible_with(rights_of(scope.membership).words())
    return _alert(await alert_by_id(work, scope.child.child_id, alert_id, kinds))


@router.get("/children/{child_id}/alerts/{alert_id}/place", responses=problem_responses(401, 403, 404, 422))
async def place(work: Work, scope: MaySeeSosPlaces, alert_id: uuid.UUID) -> schemas.SosPlaceResponse:
    """Return the place of an SOS; `seen` is null when none is stored.

    Needs the family's consent to `sos_places`. Every request is recorded in the access log.
    """
    await alert_by_id(work, scope.child.child_id, alert_id, [AlertKind.SOS])
    record_place_access(work, scope.caller.guardian_id, scope.child)
    found = await sos_place_of(work, scope.child, alert_id)
    if found is None:
        return schemas.SosPlaceResponse(alert_id=alert_id, seen=None)
    point = found.place.point
    return schemas.SosPlaceResponse(
        alert_id=alert_id,
        seen=schemas.SosFix(
            place=Place(lat=point.lat, lon=point.lon, altitude_m=found.place.altitude_m), accuracy_m=found.accuracy_m,
            source=found.source, happened_at=found.happened_at, received_at=found.received_at,
        ),
    )  # fmt: skip


@router.post("/children/{child_id}/alerts/{alert_id}/acknowledge", responses=problem_responses(401, 403, 404, 422))
async def acknowledge(work: Work, scope: MayMessageChild, alert_id: uuid.UUID) -> schemas.AlertResponse:
    """Acknowledge an alert; the child and the other guardians are notified.

    The first acknowledgement counts. Another one returns the alert unchanged.
    """
    kinds = kinds_visible_with(rights_of(scope.membership).words())
    alert = await acknowledge_alert(work, scope.child.child_id, alert_id, scope.caller.guardian_id, kinds)
    return _alert(alert)


@router.get("/families/{family_id}/readiness", responses=problem_responses(401, 403, 404, 422))
async def readiness(work: Work, scope: AnyGuardian) -> schemas.ReadinessResponse:
    """Return the channels over which each guardian can be reached, for use before a watch is handed out."""
    found = await readiness_of_family(work, scope.family_id)
    return schemas.ReadinessResponse(
        ready=found.is_ready,
        guardians=[
            schemas.GuardianReach(
                guardian_id=guardian.guardian_id, live_session=guardian.has_session, push=guardian.has_push,
                phone_confirmed=guardian.phone_confirmed, reachable=guardian.is_reachable,
            )
            for guardian in found.guardians
        ],
        invited=found.invited,
    )  # fmt: skip


def _alert(row: AlertRow) -> schemas.AlertResponse:
    return schemas.AlertResponse.model_validate(row.model_dump())
