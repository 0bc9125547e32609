"""Places in a copy: for each child what this guardian may access. Each inclusion is recorded as an access."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from services.core.devices.alerts.queries import PAGE_MAX_ALERTS, alerts_of, answers_of, calls_of
from services.core.devices.alerts.rules import kinds_visible_with
from services.core.devices.alerts.tables import Alert, AlertAnswer, AlertCall
from services.core.location.checkins.access_log import record_place_access
from services.core.location.checkins.queries import After, CheckinView, checkins_in, child_zones
from services.core.location.checkins.sos_places import SosPlaceView, sos_places_of
from services.core.location.geometry import Circle
from services.core.location.tracks.days import Span
from services.core.location.zones.rows import ZoneView, plain_hours
from services.core.people.consents.queries import has_consent
from services.core.people.consents.rules import Part
from services.core.people.households.queries import membership_in, rights_of
from services.core.people.households.rules import Right
from services.core.people.households.tables import Child
from services.core.platform.db.database import UnitOfWork

COLUMNS: Final = (
    "happened_at", "received_at", "lat", "lon", "altitude_m", "accuracy_m", "source", "quality", "reasons",
)  # fmt: skip
_PAGE_ROWS: Final = 2000
# A watch chooses this text; a spreadsheet must not evaluate it as a formula.
_SOURCES: Final = frozenset({"gps", "wifi", "cell"})
# Watch clocks run ahead, but no fix lies further in the future than this.
_AHEAD: Final = timedelta(days=2)


async def own_places(work: UnitOfWork, child: Child, guardian_id: uuid.UUID) -> dict[str, Any]:
    """Return zones and alerts as the export states them; the writer of the file fills in ``checkins``."""
    membership = await membership_in(work, child.family_id, guardian_id)
    rights = frozenset() if membership is None else rights_of(membership).words()
    may_place = await has_consent(work, guardian_id, child.family_id, Part.LOCATION)
    zones = await child_zones(work, child) if may_place and Right.MANAGE in rights else []
    may_see_sos = Right.LOCATE in rights and await has_consent(work, guardian_id, child.family_id, Part.SOS_PLACES)
    places = await sos_places_of(work, child) if may_see_sos else {}
    if zones or places:
        record_place_access(work, guardian_id, child)
    return {
        "checkins": None,
        "zones": [_zone(zone) for zone in zones],
        "alerts": await _alerts_of(work, child, kinds_visible_with(rights), places),
    }


async def checkins_csv(work: UnitOfWork, child: Child, guardian_id: uuid.UUID) -> bytes | None:
    """Return every stored check-in, oldest first, as CSV; None where this guardian may not locate."""
    membership = await membership_in(work, child.family_id, guardian_id)
    if membership is None or not rights_of(membership).has(Right.LOCATE):
        return None
    if not await has_consent(work, guardian_id, child.family_id, Part.LOCATION):
        return None
    record_place_access(work, guardian_id, child)
    span = Span(work.now - work.retention.fixes, work.now + _AHEAD)
    lines = io.StringIO()
    rows = csv.writer(lines)
    rows.writerow(COLUMNS)
    after: After | None = None
    while page := await checkins_in(work, child, span, after=after, limit=_PAGE_ROWS):
        rows.writerows(_row(alert) for alert in page)
        after = page[-1].mark
    return lines.getvalue().encode()


def _row(view: CheckinView) -> list[object]:
    place = view.place
    point = None if place is None else place.point
    return [
        view.happened_at.isoformat(), view.received_at.isoformat(),
        *(("", "") if point is None else (point.lat, point.lon)),
        "" if place is None or place.altitude_m is None else place.altitude_m,
        "" if view.accuracy_m is None else view.accuracy_m,
        view.source if view.source in _SOURCES else "", view.quality.value, " ".join(view.reasons),
    ]  # fmt: skip


def _zone(view: ZoneView) -> dict[str, Any]:
    zone = view.zone
    shape = zone.shape
    return {
        "zone_id": str(view.zone_id),
        "name": zone.name,
        "shape": (
            {"kind": "circle", "lat": shape.center.lat, "lon": shape.center.lon, "radius_m": shape.radius_m}
            if isinstance(shape, Circle)
            else {"kind": "outline", "corners": [{"lat": corner.lat, "lon": corner.lon} for corner in shape.corners]}
        ),
        "hours": [plain_hours(hour) for hour in zone.hours],
        "created_at": view.row.created_at.isoformat(),
    }


async def _alerts_of(
    work: UnitOfWork, child: Child, kinds: list[str], places: Mapping[uuid.UUID, SosPlaceView]
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: uuid.UUID | None = None
    while page := await alerts_of(work, child.child_id, kinds, after=after, limit=PAGE_MAX_ALERTS):
        alert_ids = [alert.alert_id for alert in page]
        calls, answers = await calls_of(work, alert_ids), await answers_of(work, alert_ids)
        for alert in page:
            told = {
                "calls": [_call(call) for call in calls if call.alert_id == alert.alert_id],
                "answers": [_answer(answer) for answer in answers if answer.alert_id == alert.alert_id],
            }
            found.append(_alert(alert, places.get(alert.alert_id)) | told)
        after = page[-1].alert_id
    return found[::-1]


def _call(call: AlertCall) -> dict[str, Any]:
    return {
        "round_no": call.round_no, "guardian_id": _id(call.guardian_id), "contact_id": _id(call.contact_id),
        "called_at": _time(call.called_at),
    }  # fmt: skip


def _answer(answer: AlertAnswer) -> dict[str, Any]:
    return {
        "guardian_id": _id(answer.guardian_id), "answer": answer.answer, "tapped_at": _time(answer.tapped_at),
        "answered_at": _time(answer.answered_at),
    }  # fmt: skip


def _alert(alert: Alert, sent: SosPlaceView | None) -> dict[str, Any]:
    place = None
    if sent is not None:
        place = {
            "lat": sent.place.point.lat, "lon": sent.place.point.lon, "altitude_m": sent.place.altitude_m,
            "accuracy_m": sent.accuracy_m, "happened_at": _time(sent.happened_at),
        }  # fmt: skip
    return {
        "alert_id": str(alert.alert_id),
        "kind": alert.kind,
        "happened_at": _time(alert.happened_at),
        "raised_at": _time(alert.raised_at),
        "acknowledged_at": _time(alert.acknowledged_at),
        "acknowledged_by": _id(alert.acknowledged_by),
        "all_right_at": _time(alert.all_right_at),
        "all_right_by": _id(alert.all_right_by),
        "place": place,
    }


def _id(value: uuid.UUID | None) -> str | None:
    return None if value is None else str(value)


def _time(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()
