"""Safe zones of a child."""

import uuid

from services.api.declaring import Routes
from services.api.dependencies import Work
from services.api.family.access import MayDrawZones
from services.api.family.schemas import zones as schemas
from services.api.problems import problem_responses
from services.core.location.checkins.access_log import record_place_access
from services.core.location.checkins.queries import child_zones
from services.core.location.geometry import Circle, Point, Shape
from services.core.location.tracks.days import Hours
from services.core.location.zones import actions
from services.core.location.zones.rows import ZoneView, plain_hours, view_zone
from services.core.location.zones.rules import check_circle, check_hours, check_outline
from services.core.people.households.child_key import data_key

router = Routes(prefix="/v1/children/{child_id}/zones", tags=["places"])


@router.get("", responses=problem_responses(401, 403, 404, 422))
async def list_zones(work: Work, scope: MayDrawZones) -> schemas.ZonesResponse:
    """Return the child's safe zones. The request enters the access log."""
    record_place_access(work, scope.caller.guardian_id, scope.child)
    return schemas.ZonesResponse(zones=[_zone(zone) for zone in await child_zones(work, scope.child)])


@router.post("", status_code=201, responses=problem_responses(401, 403, 404, 409, 422))
async def draw(work: Work, scope: MayDrawZones, body: schemas.NewZoneRequest) -> schemas.ZoneResponse:
    """Create a safe zone.

    Guardians who may locate are alerted when the child enters or leaves it within its hours. 422 for an invalid shape,
    409 when the child has 20 zones.
    """
    zone = await actions.create_zone(
        work, scope.child, scope.caller.guardian_id, body.name, _shape(body.shape), _hours(body.hours)
    )
    return _zone(zone)


@router.get("/{zone_id}", responses=problem_responses(401, 403, 404, 422))
async def read(work: Work, scope: MayDrawZones, zone_id: uuid.UUID) -> schemas.ZoneResponse:
    """Return one zone. The request enters the access log."""
    row = await actions.zone_of_child(work, scope.child, zone_id)
    record_place_access(work, scope.caller.guardian_id, scope.child)
    return _zone(view_zone(data_key(work, scope.child), row))


@router.patch("/{zone_id}", responses=problem_responses(401, 403, 404, 422))
async def change(
    work: Work, scope: MayDrawZones, zone_id: uuid.UUID, body: schemas.ChangeZoneRequest
) -> schemas.ZoneResponse:
    """Change a zone; omitted fields stay unchanged. A new shape resets the child's state to the latest place."""
    zone = await actions.change_zone(
        work, scope.child, scope.caller.guardian_id, zone_id,
        actions.ZoneChange(
            name=body.name,
            shape=None if body.shape is None else _shape(body.shape),
            hours=None if body.hours is None else _hours(body.hours),
        ),
    )  # fmt: skip
    return _zone(zone)


@router.delete("/{zone_id}", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def remove(work: Work, scope: MayDrawZones, zone_id: uuid.UUID) -> None:
    """Delete a zone with its passages."""
    await actions.delete_zone(work, scope.child, scope.caller.guardian_id, zone_id)


def _shape(body: schemas.CircleShape | schemas.OutlineShape) -> Shape:
    if isinstance(body, schemas.CircleShape):
        return check_circle(Point(body.lat, body.lon), body.radius_m)
    return check_outline([Point(corner.lat, corner.lon) for corner in body.corners])


def _hours(body: list[schemas.ZoneHours]) -> list[Hours]:
    return [check_hours(hours.days, hours.starts_at, hours.ends_at) for hours in body]


def _zone(view: ZoneView) -> schemas.ZoneResponse:
    row, shape = view.row, view.zone.shape
    return schemas.ZoneResponse.model_validate(
        {
            "zone_id": row.zone_id,
            "name": view.zone.name,
            "shape": (
                {"kind": "circle", "lat": shape.center.lat, "lon": shape.center.lon, "radius_m": shape.radius_m}
                if isinstance(shape, Circle)
                else {
                    "kind": "outline",
                    "corners": [{"lat": corner.lat, "lon": corner.lon} for corner in shape.corners],
                }
            ),
            "hours": [plain_hours(hour) for hour in view.zone.hours],
            "stand": row.stand,
            "since_at": row.since_at,
            "created_at": row.created_at,
            "changed_at": row.changed_at,
        }
    )
