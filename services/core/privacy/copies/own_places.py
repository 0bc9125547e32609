"""Places in a copy: for each child what this guardian may access. Each inclusion is recorded as an access."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlmodel import col, select

from services.core.devices.alerts.queries import PAGE_MAX_ALERTS, alerts_of, reactions_to
from services.core.devices.alerts.rules import kinds_visible_with
from services.core.devices.alerts.tables import Alert, AlertAnswer, AlertCall
from services.core.location.checkins.access_log import record_place_access
from services.core.location.checkins.queries import After, CheckinView, checkins_in, child_zones
from services.core.location.checkins.sos_places import SosPlaceView, sos_places_of
from services.core.location.checkins.tables import ZonePassage
from services.core.location.geometry import Circle
from services.core.location.tracks.days import Span
from services.core.location.zones.rows import ZoneView, plain_hours
from services.core.people.consents.queries import has_consent
from services.core.people.consents.rules import Part
from services.core.people.households.queries import children_of, membership_in, rights_of
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
    """Return zones, passages and alerts as the export states them; the writer of the file fills in ``checkins``."""
    membership = await membership_in(work, child.family_id, guardian_id)
    rights = frozenset() if membership is None else rights_of(membership).words()
    may_place = await has_consent(work, guardian_id, child.family_id, Part.LOCATION)
    zones = await child_zones(work, child) if may_place and Right.MANAGE in rights else []
    passages = await _passages_of(work, child) if may_place and Right.LOCATE in rights else []
    may_see_sos = Right.LOCATE in rights and await has_consent(work, guardian_id, child.family_id, Part.SOS_PLACES)
    places = await sos_places_of(work, child) if may_see_sos else {}
    guardians = await _guardians_with_places(work, child.family_id, [child.child_id])
    holders = [guardian.guardian_id for guardian in guardians if guardian.holds_places]
    if zones or passages or places:
        record_place_access(work, guardian_id, child)
    return {
        "checkins": None,
        "zones": [_zone(zone) for zone in zones],
        "passages": passages,
        "places_with": [] if guardian_id in holders else [str(holder) for holder in holders],
        "alerts": await _alerts_of(work, child, kinds_visible_with(rights), places),
    }


@dataclass(frozen=True)
class PlacesShared:
    """How a family's copies share its places.

    ``with_others``: guardians whose copies hold places that this guardian's copy does not hold. ``only_offered``: this
    guardian's copy holds places that the first guardian's does not, so that the family loses them without it.
    """

    with_others: list[uuid.UUID]
    only_offered: bool


async def places_shared(work: UnitOfWork, family_id: uuid.UUID, guardian_id: uuid.UUID) -> PlacesShared:
    """Return where the places of the family's children go when copies are made now."""
    children = await children_of(work, family_id)
    guardians = await _guardians_with_places(work, family_id, [child.child_id for child in children])
    holders = {guardian.guardian_id for guardian in guardians if guardian.holds_places}
    if guardian_id not in holders:
        return PlacesShared(sorted(holders), only_offered=False)
    is_held_by_first = any(guardian.is_primary and guardian.holds_places for guardian in guardians)
    has_first = any(guardian.is_primary for guardian in guardians)
    return PlacesShared([], only_offered=has_first and not is_held_by_first)


class _Guardian(NamedTuple):
    guardian_id: uuid.UUID
    is_primary: bool
    # In a copy made now: the guardian may locate the children and has consented to it.
    holds_places: bool


# The rights are those of `rights_of`.
_GUARDIANS: Final = """
SELECT m.guardian_id, m.is_primary,
       m.may_locate AND NOT m.locate_paused AND EXISTS (
           SELECT FROM consent c
           WHERE c.guardian_id = m.guardian_id AND c.family_id = m.family_id AND c.part = 'location'
             AND c.withdrawn_at IS NULL) AS holds_places
FROM membership m
WHERE m.family_id = $1 AND m.removed_at IS NULL
  AND EXISTS (SELECT FROM unnest($2::uuid[]) AS given(child_id)
              WHERE EXISTS (SELECT FROM checkin WHERE checkin.child_id = given.child_id))
ORDER BY m.joined_at, m.membership_id
"""


async def _guardians_with_places(
    work: UnitOfWork, family_id: uuid.UUID, child_ids: Sequence[uuid.UUID]
) -> list[_Guardian]:
    """Return the family's guardians, oldest membership first; none while no place of these children is stored."""
    return [_Guardian(*row) for row in await work.read(_GUARDIANS, family_id, list(child_ids))]


async def kept_checkins(work: UnitOfWork, child: Child, guardian_id: uuid.UUID) -> list[CheckinView] | None:
    """Return every stored check-in, oldest first; None where this guardian may not locate. Records the access."""
    if not await _holds_checkins(work, child, guardian_id):
        return None
    record_place_access(work, guardian_id, child)
    span = Span(work.now - work.retention.fixes, work.now + _AHEAD)
    checkins: list[CheckinView] = []
    after: After | None = None
    while page := await checkins_in(work, child, span, after=after, limit=_PAGE_ROWS):
        checkins += page
        after = page[-1].mark
    return checkins


def checkins_csv(checkins: Sequence[CheckinView]) -> bytes:
    """Return check-ins as CSV."""
    lines = io.StringIO()
    rows = csv.writer(lines)
    rows.writerow(COLUMNS)
    rows.writerows(_row(checkin) for checkin in checkins)
    return lines.getvalue().encode()


async def _holds_checkins(work: UnitOfWork, child: Child, guardian_id: uuid.UUID) -> bool:
    membership = await membership_in(work, child.family_id, guardian_id)
    if membership is None or not rights_of(membership).has(Right.LOCATE):
        return False
    return await has_consent(work, guardian_id, child.family_id, Part.LOCATION)


async def _passages_of(work: UnitOfWork, child: Child) -> list[dict[str, Any]]:
    names = {zone.zone_id: zone.zone.name for zone in await child_zones(work, child)}
    rows = await work.session.exec(
        select(ZonePassage)
        .where(
            col(ZonePassage.child_id) == child.child_id,
            col(ZonePassage.happened_at) >= work.now - work.retention.fixes,
        )
        .order_by(col(ZonePassage.happened_at), col(ZonePassage.passage_id))
    )
    return [
        {
            "zone_id": str(row.zone_id), "zone_name": names.get(row.zone_id, ""), "kind": row.kind,
            "happened_at": _time(row.happened_at), "alarmed": row.alarmed,
        }
        for row in rows
    ]  # fmt: skip


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
    alerts: list[dict[str, Any]] = []
    after: uuid.UUID | None = None
    while page := await alerts_of(work, child.child_id, kinds, after=after, limit=PAGE_MAX_ALERTS):
        alert_ids = [alert.alert_id for alert in page]
        calls, answers = await reactions_to(work, alert_ids)
        for alert in page:
            responses = {
                "calls": [_call(call) for call in calls if call.alert_id == alert.alert_id],
                "answers": [_answer(answer) for answer in answers if answer.alert_id == alert.alert_id],
            }
            alerts.append(_alert(alert, places.get(alert.alert_id)) | responses)
        after = page[-1].alert_id
    return alerts[::-1]


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
