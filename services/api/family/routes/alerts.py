"""Alerts of a child, and the readiness of a family: which guardians can be reached."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Query

from services.api.declaring import Routes
from services.api.dependencies import Work
from services.api.family.access import AnyGuardian, ChildScope, MayMessageChild, MaySeeSosPlaces
from services.api.family.schemas import alerts as schemas
from services.api.family.schemas.checkins import Place
from services.api.problems import problem_responses
from services.core.devices.alerts.answers import (
    Answering,
    acknowledge_alert,
    confirm_all_right,
    keep_calling,
    note_cannot_help,
)
from services.core.devices.alerts.queries import PAGE_MAX_ALERTS, alert_by_id, alerts_of, reactions_to
from services.core.devices.alerts.rules import AlertKind, kinds_visible_with
from services.core.devices.alerts.tables import Alert as AlertRow
from services.core.devices.alerts.tables import AlertAnswer, AlertCall
from services.core.devices.push.queries import readiness_of_family
from services.core.devices.watches.queries import watch_number_of
from services.core.location.checkins.access_log import record_place_access
from services.core.location.checkins.sos_places import sos_place_of
from services.core.people.households.queries import country_of, rights_of
from services.core.people.households.tables import Child
from services.core.people.programme.emergency_numbers import emergency_number
from services.core.platform.db.database import UnitOfWork

router = Routes(prefix="/v1", tags=["alerts"])


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
    alerts = await alerts_of(work, scope.child.child_id, kinds, after=cursor, limit=limit + 1)
    page = alerts[:limit]
    return schemas.AlertsResponse(
        alerts=await alert_responses(work, scope.child, page),
        next_cursor=str(page[-1].alert_id) if len(alerts) > limit else None,
    )


@router.get("/children/{child_id}/alerts/{alert_id}", responses=problem_responses(401, 403, 404, 422))
async def read(work: Work, scope: MayMessageChild, alert_id: uuid.UUID) -> schemas.AlertResponse:
    """Return one alert. 404 also for a zone alert without the right to locate."""
    kinds = kinds_visible_with(rights_of(scope.membership).words())
    return await _alert(work, scope.child, await alert_by_id(work, scope.child.child_id, alert_id, kinds))


@router.get("/children/{child_id}/alerts/{alert_id}/place", responses=problem_responses(401, 403, 404, 422))
async def place(work: Work, scope: MaySeeSosPlaces, alert_id: uuid.UUID) -> schemas.SosPlaceResponse:
    """Return the place of an SOS; `seen` is null when none is stored.

    Needs the family's consent to `sos_places`. Every request is recorded in the access log.
    """
    await alert_by_id(work, scope.child.child_id, alert_id, [AlertKind.SOS])
    record_place_access(work, scope.caller.guardian_id, scope.child)
    sos_place = await sos_place_of(work, scope.child, alert_id)
    if sos_place is None:
        return schemas.SosPlaceResponse(alert_id=alert_id, seen=None)
    point = sos_place.place.point
    return schemas.SosPlaceResponse(
        alert_id=alert_id,
        seen=schemas.SosFix(
            place=Place(lat=point.lat, lon=point.lon, altitude_m=sos_place.place.altitude_m),
            accuracy_m=sos_place.accuracy_m, source=sos_place.source,
            happened_at=sos_place.happened_at, received_at=sos_place.received_at,
        ),
    )  # fmt: skip


@router.post("/children/{child_id}/alerts/{alert_id}/acknowledge", responses=problem_responses(401, 403, 404, 422))
async def acknowledge(
    work: Work, scope: MayMessageChild, alert_id: uuid.UUID, body: schemas.AcknowledgeRequest | None = None
) -> schemas.AlertResponse:
    """Answer an alert: take care of it, or say that it was seen. The child and the other guardians are notified.

    `take_care` (without a body) ends the calls; 15 minutes later the event `alert.check_asked` asks whether the child
    is all right. The first one counts, another one returns the alert unchanged. `cannot_help` acknowledges nothing and
    the calls go on.
    """
    acknowledgement = body or schemas.AcknowledgeRequest()
    answering = _answering(scope, acknowledgement.tapped_at)
    answer = note_cannot_help if acknowledgement.answer == "cannot_help" else acknowledge_alert
    return await _alert(work, scope.child, await answer(work, scope.child.child_id, alert_id, answering))


@router.post("/children/{child_id}/alerts/{alert_id}/all-right", responses=problem_responses(401, 403, 404, 409, 422))
async def answer_check(
    work: Work, scope: MayMessageChild, alert_id: uuid.UUID, body: schemas.AllRightRequest
) -> schemas.AlertResponse:
    """Say whether the child is all right after somebody took care; `false` calls the guardians again, from now on.

    409 for `true` while nobody takes care.
    """
    answer = confirm_all_right if body.all_right else keep_calling
    return await _alert(work, scope.child, await answer(work, scope.child.child_id, alert_id, _answering(scope)))


@router.get("/families/{family_id}/readiness", responses=problem_responses(401, 403, 404, 422))
async def readiness(work: Work, scope: AnyGuardian) -> schemas.ReadinessResponse:
    """Return the channels over which each guardian can be reached, for use before a watch is handed out."""
    family_readiness = await readiness_of_family(work, scope.family_id)
    return schemas.ReadinessResponse(
        ready=family_readiness.is_ready,
        guardians=[
            schemas.GuardianReach(
                guardian_id=guardian.guardian_id, live_session=guardian.has_session, push=guardian.has_push,
                phone_confirmed=guardian.phone_confirmed, reachable=guardian.is_reachable,
            )
            for guardian in family_readiness.guardians
        ],
        invited=family_readiness.invited,
    )  # fmt: skip


def _answering(scope: ChildScope, tapped_at: datetime | None = None) -> Answering:
    kinds = kinds_visible_with(rights_of(scope.membership).words())
    return Answering(scope.caller.guardian_id, kinds, tapped_at)


async def _alert(work: UnitOfWork, child: Child, row: AlertRow) -> schemas.AlertResponse:
    (alert,) = await alert_responses(work, child, [row])
    return alert


@dataclass(frozen=True)
class AlertNumbers:
    """The numbers to call about a child's alerts: one that brings help, and the watch's, if it is known."""

    emergency_number: str
    watch_number: str | None


async def alert_responses(work: UnitOfWork, child: Child, rows: Sequence[AlertRow]) -> list[schemas.AlertResponse]:
    """Return alerts of a child with the calls about them and the answers."""
    if not rows:
        return []
    reactions = await reactions_to(work, [row.alert_id for row in rows])
    numbers = AlertNumbers(
        emergency_number(await country_of(work, child.family_id)), await watch_number_of(work, child.child_id)
    )
    return [alert_response(row, numbers, *reactions) for row in rows]


def alert_response(
    row: AlertRow, numbers: AlertNumbers, calls: Sequence[AlertCall], answers: Sequence[AlertAnswer]
) -> schemas.AlertResponse:
    """Return an alert with those of these calls and answers that belong to it."""
    return schemas.AlertResponse.model_validate(
        {
            **row.model_dump(), **vars(numbers), "next_calls_at": row.escalate_at,
            "calls": [call.model_dump() for call in calls if call.alert_id == row.alert_id],
            "answers": [answer.model_dump() for answer in answers if answer.alert_id == row.alert_id],
        }
    )  # fmt: skip
