"""Places of a child. Each access needs the right to locate and the caller's consent, and enters the access log."""

from datetime import date
from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from services.api.cursor import read_day_cursor, write_day_cursor
from services.api.declaring import Routes
from services.api.dependencies import Work
from services.api.family.access import ChildScope, IsLoggedIn, MayLocateChild
from services.api.family.schemas import checkins as schemas
from services.api.family.tracks import geojson_of, gpx_of
from services.api.problems import problem_responses
from services.core.location.checkins import queries
from services.core.location.checkins.access_log import record_place_access
from services.core.location.checkins.rules import Quality, Reason
from services.core.location.checkins.sealing import Place
from services.core.location.geometry import Point, simplified
from services.core.location.zones.rows import ZoneView
from services.core.people.consents.rules import Part
from services.core.people.households.queries import children_of_families, event_reach
from services.core.people.households.rules import Right
from services.core.platform.db.database import UnitOfWork

router = Routes(prefix="/v1/children/{child_id}/checkins", tags=["places"])
of_all = Routes(prefix="/v1", tags=["places"])

# Half the width of a street: the precision of a line on a phone's map.
TRACK_TOLERANCE_M = 15.0

ADay = Annotated[date | None, Query(description="a day in the child's time zone; default: today")]


@router.get("/latest", responses=problem_responses(401, 403, 404, 422))
async def latest(work: Work, scope: MayLocateChild) -> schemas.LatestPlaceResponse:
    """Return the child's latest known place with its accuracy, age and safe zone.

    `seen` is null when no good fix of the last 30 days is stored. The request enters the access log.
    """
    record_place_access(work, scope.caller.guardian_id, scope.child)
    return _latest(work, await queries.latest_place(work, scope.child))


@of_all.get("/checkins/latest", responses=problem_responses(401))
async def latest_of_all(work: Work, caller: IsLoggedIn) -> schemas.LatestPlacesResponse:
    """Return the latest place of every child that the caller may locate; each child's access log gets an entry."""
    families = [
        reach.family_id
        for reach in await event_reach(work, caller.guardian_id, {})
        if reach.parts >= {Part.MESSAGES, Part.LOCATION} and reach.rights.has(Right.LOCATE)
    ]
    found = await children_of_families(work, families)
    children = [child for family_id in families for child in found if child.family_id == family_id]
    for child in children:
        record_place_access(work, caller.guardian_id, child)
    return schemas.LatestPlacesResponse(
        children=[_latest(work, view) for view in await queries.latest_places(work, children)]
    )


@router.get("/day", responses=problem_responses(401, 403, 404, 422))
async def day(work: Work, scope: MayLocateChild, day: ADay = None) -> schemas.DayResponse:
    """Return a day of the child: stays, zone passages, a simplified track and counts of fixes by quality.

    The request enters the access log. 404 for a day that is past its retention or in the future.
    """
    day_view = await _day(work, scope, day)
    places = [checkin.place.point for checkin in day_view.line if checkin.place is not None]
    return schemas.DayResponse(
        child_id=scope.child.child_id,
        day=day_view.day,
        timezone=day_view.timezone,
        starts_at=day_view.span.starts_at,
        ends_at=day_view.span.ends_at,
        qualities=schemas.Qualities(
            **{quality.value: sum(checkin.quality is quality for checkin in day_view.checkins) for quality in Quality},
            late=sum(Reason.LATE in checkin.reasons for checkin in day_view.checkins),
        ),
        stays=[
            schemas.Stay(
                from_at=stay.stay.from_at,
                until_at=stay.stay.until_at,
                place=_point(stay.stay.center),
                zone=_zone(stay.zone),
                fixes=stay.stay.fixes,
            )
            for stay in day_view.stays
        ],
        passages=[
            schemas.Passage.model_validate({**passage.passage.model_dump(), "zone": _zone(passage.zone)})
            for passage in day_view.passages
        ],
        track=[_point(point) for point in simplified(places, TRACK_TOLERANCE_M)],
    )


@router.get("/day/fixes", responses=problem_responses(401, 403, 404, 422))
async def fixes(
    work: Work,
    scope: MayLocateChild,
    day: ADay = None,
    cursor: Annotated[str | None, Query(max_length=200, description="next_cursor of the previous page")] = None,
    limit: Annotated[int, Query(ge=1, le=queries.PAGE_MAX_CHECKINS)] = 100,
) -> schemas.CheckinsResponse:
    """Return a day's check-ins of any quality (good, poor, bad) in order of time.

    For the next page repeat the request with `cursor` = `next_cursor`. Each page enters the access log.
    """
    record_place_access(work, scope.caller.guardian_id, scope.child)
    calendar = await queries.calendar_of(work, scope.child, day)
    after = None if cursor is None else read_day_cursor(cursor)
    checkins = await queries.checkins_in(work, scope.child, calendar.span, after=after, limit=limit + 1)
    page = checkins[:limit]
    return schemas.CheckinsResponse(
        checkins=[_checkin(checkin) for checkin in page],
        next_cursor=write_day_cursor(page[-1].mark) if len(checkins) > limit else None,
    )


_GEOJSON: dict[int | str, dict[str, Any]] = {200: {"content": {"application/geo+json": {}}, "description": "RFC 7946"}}
_GPX: dict[int | str, dict[str, Any]] = {200: {"content": {"application/gpx+xml": {}}, "description": "GPX 1.1"}}


@router.get("/day.geojson", response_class=Response, responses=problem_responses(401, 403, 404, 422) | _GEOJSON)
async def geojson(work: Work, scope: MayLocateChild, day: ADay = None) -> Response:
    """Export a day as GeoJSON: a point with its quality for every check-in, and a line through the good ones."""
    return Response(geojson_of(await _day(work, scope, day)), media_type="application/geo+json")


@router.get("/day.gpx", response_class=Response, responses=problem_responses(401, 403, 404, 422) | _GPX)
async def gpx(work: Work, scope: MayLocateChild, day: ADay = None) -> Response:
    """Export a day's good check-ins as GPX."""
    return Response(gpx_of(await _day(work, scope, day)), media_type="application/gpx+xml")


async def _day(work: UnitOfWork, scope: ChildScope, day: date | None) -> queries.DayView:
    record_place_access(work, scope.caller.guardian_id, scope.child)
    return await queries.day_of_child(work, scope.child, await queries.calendar_of(work, scope.child, day))


def _latest(work: UnitOfWork, view: queries.LatestView) -> schemas.LatestPlaceResponse:
    seen = None
    if view.place is not None and view.happened_at is not None:
        seen = schemas.LatestFix.model_validate(
            {
                "place": _place(view.place),
                "accuracy_m": view.accuracy_m,
                "source": view.source,
                "happened_at": view.happened_at,
                "received_at": view.received_at,
                "age_s": int((work.now - view.happened_at).total_seconds()),
                "zone": _zone(view.zone),
            }
        )
    return schemas.LatestPlaceResponse(child_id=view.child_id, location_on=view.location_on, seen=seen)


def _checkin(view: queries.CheckinView) -> schemas.Checkin:
    return schemas.Checkin(
        happened_at=view.happened_at,
        received_at=view.received_at,
        place=None if view.place is None else _place(view.place),
        accuracy_m=view.accuracy_m,
        source=view.source,
        quality=view.quality.value,
        reasons=[reason.value for reason in view.reasons],
    )


def _place(place: Place) -> schemas.Place:
    return schemas.Place(lat=place.point.lat, lon=place.point.lon, altitude_m=place.altitude_m)


def _point(point: Point) -> schemas.Place:
    return schemas.Place(lat=point.lat, lon=point.lon)


def _zone(view: ZoneView | None) -> schemas.ZoneName | None:
    return None if view is None else schemas.ZoneName(zone_id=view.zone_id, name=view.zone.name)
