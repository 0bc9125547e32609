"""Read places: the latest, and a day. Callers record each read; see checkins.access_log."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from zoneinfo import ZoneInfo

from sqlalchemy import tuple_
from sqlmodel import col, select

from services.core.devices.watches.queries import settings_of_child
from services.core.location.checkins.errors import DayNotKeptError
from services.core.location.checkins.rules import Fix, Quality, Reason
from services.core.location.checkins.sealing import Place, checkin_context, latest_context, open_place
from services.core.location.checkins.tables import Checkin, LatestCheckin, SafeZone, ZonePassage
from services.core.location.tracks.days import Span, day_span, local_day
from services.core.location.tracks.stays import Stay, find_stays
from services.core.location.zones.rows import ZoneView, view_zone, zone_at, zones_of
from services.core.people.households.child_key import data_key
from services.core.people.households.tables import Child
from services.core.platform.db.database import UnitOfWork
from services.core.platform.db.prepared import any_array, columns_of, objects_of

PAGE_MAX_CHECKINS = 500


@dataclass(frozen=True)
class LatestView:
    """The latest known place of a child and its zone; None when nothing is known or its retention has ended."""

    child_id: uuid.UUID
    location_on: bool
    place: Place | None = None
    happened_at: datetime | None = None
    received_at: datetime | None = None
    accuracy_m: float | None = None
    source: str | None = None
    zone: ZoneView | None = None


@dataclass(frozen=True)
class CheckinView:
    """A check-in with its place; ``place`` is None when the watch sent no valid coordinates."""

    username: str
    ref: str
    tst: int
    happened_at: datetime
    received_at: datetime
    quality: Quality
    reasons: tuple[Reason, ...]
    accuracy_m: float | None
    source: str | None
    place: Place | None

    @property
    def mark(self) -> After:
        """The check-in's position in the order of a day, for paging."""
        return After(self.happened_at, self.username, self.ref, self.tst)


@dataclass(frozen=True)
class After:
    """Cursor: the check-in after which a page begins."""

    happened_at: datetime
    username: str
    ref: str
    tst: int


@dataclass(frozen=True)
class StayView:
    """A stay, and its zone."""

    stay: Stay
    zone: ZoneView | None


@dataclass(frozen=True)
class PassageView:
    """A passage, and the name of its zone."""

    passage: ZonePassage
    zone: ZoneView


@dataclass(frozen=True)
class DayView:
    """A child's day: its bounds, every check-in in order of time, stays and zone passages."""

    day: date
    timezone: str
    span: Span
    checkins: list[CheckinView]
    stays: list[StayView]
    passages: list[PassageView]

    @property
    def line(self) -> list[CheckinView]:
        """The good check-ins, in order of time."""
        return [checkin for checkin in self.checkins if checkin.quality is Quality.GOOD]


async def latest_place(work: UnitOfWork, child: Child) -> LatestView:
    """Return the child's latest known place, if it is within the retention of places."""
    return (await latest_places(work, [child]))[0]


async def latest_places(work: UnitOfWork, children: Sequence[Child]) -> list[LatestView]:
    """Return the latest known places of children, in their order."""
    if not children:
        return []
    of_child: dict[uuid.UUID, list[tuple[bool, LatestCheckin | None, SafeZone | None]]] = {}
    # One row a zone, at least one.
    for row in await work.read(_latest_and_zones(), [child.child_id for child in children]):
        latest, zone = objects_of(work, tuple(row), LatestCheckin, SafeZone)
        of_child.setdefault(row["of_child_id"], []).append((row["location_on"], latest, zone))
    return [_latest_view(work, child, of_child[child.child_id]) for child in children]


@cache
def _latest_and_zones() -> str:
    return f"""
        SELECT {columns_of((LatestCheckin, "l"), (SafeZone, "z"))}, s.child_id AS of_child_id, s.location AS location_on
        FROM watch_settings s
        LEFT JOIN latest_checkin l ON l.child_id = s.child_id
        LEFT JOIN safe_zone z ON z.child_id = s.child_id
        WHERE s.child_id = {any_array(1, "uuid")}
        ORDER BY z.created_at, z.zone_id
    """  # noqa: S608 - names of our own columns


def _latest_view(
    work: UnitOfWork, child: Child, rows: Sequence[tuple[bool, LatestCheckin | None, SafeZone | None]]
) -> LatestView:
    location_on, row, _ = rows[0]
    if row is None or row.happened_at < work.now - work.retention.fixes:
        return LatestView(child.child_id, location_on)
    key = data_key(work, child)
    place = open_place(key, row.sealed_place, latest_context(child.child_id))
    return LatestView(
        child.child_id, location_on, place, row.happened_at, row.received_at, row.accuracy_m, row.source,
        zone_at([view_zone(key, zone) for _, _, zone in rows if zone is not None], place.point),
    )  # fmt: skip


async def child_zones(work: UnitOfWork, child: Child) -> list[ZoneView]:
    """Return a child's safe zones, oldest first."""
    key = data_key(work, child)
    return [view_zone(key, row) for row in await zones_of(work, [child.child_id])]


@dataclass(frozen=True)
class Calendar:
    """A day in the time zone of the child's site."""

    day: date
    timezone: str
    span: Span


async def calendar_of(work: UnitOfWork, child: Child, day: date | None) -> Calendar:
    """Return a day of the child, by default today; raises DayNotKeptError outside the retention and for future days."""
    timezone = ZoneInfo((await settings_of_child(work, child.child_id)).timezone)
    shown_day = day or local_day(work.now, timezone)
    # Checked before the conversion to UTC, which fails for the first and last dates of the calendar.
    if not date.min < shown_day < date.max:
        raise DayNotKeptError
    span = day_span(shown_day, timezone)
    if span.starts_at > work.now or span.ends_at <= work.now - work.retention.fixes:
        raise DayNotKeptError
    return Calendar(shown_day, timezone.key, span)


async def day_of_child(work: UnitOfWork, child: Child, calendar: Calendar) -> DayView:
    """Return a whole day with its stays and passages."""
    checkins = await checkins_in(work, child, calendar.span)
    fixes = [
        Fix(checkin.place.point, checkin.accuracy_m, checkin.happened_at)
        for checkin in checkins
        if checkin.quality is Quality.GOOD and checkin.place is not None
    ]
    zones, passages = await _zones_and_passages(work, child, calendar.span)
    return DayView(
        calendar.day,
        calendar.timezone,
        calendar.span,
        checkins,
        [StayView(stay, zone_at(zones, stay.center)) for stay in find_stays(fixes)],
        passages,
    )


async def _zones_and_passages(work: UnitOfWork, child: Child, span: Span) -> tuple[list[ZoneView], list[PassageView]]:
    """Return the zones of a child, oldest first, and their passages of a span in order of time, by one statement."""
    result = await work.session.exec(
        select(SafeZone, ZonePassage)
        .outerjoin(
            ZonePassage,
            (col(ZonePassage.zone_id) == col(SafeZone.zone_id))
            & (col(ZonePassage.happened_at) >= max(span.starts_at, work.now - work.retention.fixes))
            & (col(ZonePassage.happened_at) < span.ends_at),
        )
        .where(col(SafeZone.child_id) == child.child_id)
        .order_by(col(SafeZone.created_at), col(SafeZone.zone_id))
    )
    # An outer join, which the types do not know.
    rows: list[tuple[SafeZone, ZonePassage | None]] = list(result)
    key = data_key(work, child)
    zones = {row.zone_id: view_zone(key, row) for row in {zone.zone_id: zone for zone, _ in rows}.values()}
    passages = [PassageView(passage, zones[passage.zone_id]) for _, passage in rows if passage is not None]
    passages.sort(key=lambda view: (view.passage.happened_at, view.passage.passage_id))
    return list(zones.values()), passages


async def checkins_in(
    work: UnitOfWork, child: Child, span: Span, *, after: After | None = None, limit: int | None = None
) -> list[CheckinView]:
    """Return a child's check-ins of a span in order of time, of any quality; none past its retention."""
    in_order = [col(Checkin.happened_at), col(Checkin.username), col(Checkin.ref), col(Checkin.tst)]
    statement = select(Checkin).where(
        col(Checkin.child_id) == child.child_id,
        col(Checkin.happened_at) >= max(span.starts_at, work.now - work.retention.fixes),
        col(Checkin.happened_at) < span.ends_at,
    )
    if after is not None:
        statement = statement.where(
            # This condition alone lets the index scan start at the cursor.
            col(Checkin.happened_at) >= after.happened_at,
            tuple_(*in_order) > tuple_(after.happened_at, after.username, after.ref, after.tst),
        )
    result = await work.session.exec(statement.order_by(*in_order).limit(limit))
    key = data_key(work, child)
    return [_view(key, row) for row in result]


def _view(key: bytes, row: Checkin) -> CheckinView:
    reasons = tuple(Reason(word) for word in row.reasons.split())
    place = None
    if Reason.OUT_OF_RANGE not in reasons:
        place = open_place(key, row.sealed_place, checkin_context(row.child_id, row.username, row.ref, row.tst))
    return CheckinView(
        row.username, row.ref, row.tst, row.happened_at, row.received_at, Quality(row.quality), reasons,
        row.accuracy_m, row.source, place,
    )  # fmt: skip
