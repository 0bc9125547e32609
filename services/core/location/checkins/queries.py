"""Read places: the latest, and a day. Callers record each read; see checkins.access_log."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import tuple_
from sqlmodel import col, select

from services.core.devices.watches.queries import settings_of_child
from services.core.location.checkins.errors import DayNotKeptError
from services.core.location.checkins.rules import Fix, Quality, Reason
from services.core.location.checkins.sealing import Place, checkin_context, latest_context, open_place
from services.core.location.checkins.tables import Checkin, LatestCheckin, ZonePassage
from services.core.location.tracks.days import Span, day_span, local_day
from services.core.location.tracks.stays import Stay, find_stays
from services.core.location.zones.rows import ZoneView, view_zone, zone_at, zones_of
from services.core.people.households.child_key import data_key
from services.core.people.households.tables import Child
from services.core.platform.db.database import UnitOfWork

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
    location_on = (await settings_of_child(work, child.child_id)).location
    row = await work.session.get(LatestCheckin, child.child_id)
    if row is None or row.happened_at < work.now - work.retention.fixes:
        return LatestView(child.child_id, location_on)
    key = data_key(work, child)
    place = open_place(key, row.sealed_place, latest_context(child.child_id))
    return LatestView(
        child.child_id, location_on, place, row.happened_at, row.received_at, row.accuracy_m, row.source,
        zone_at(await child_zones(work, child), place.point),
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
    found = day or local_day(work.now, timezone)
    # Checked before the conversion to UTC, which fails for the first and last dates of the calendar.
    if not date.min < found < date.max:
        raise DayNotKeptError
    span = day_span(found, timezone)
    if span.starts_at > work.now or span.ends_at <= work.now - work.retention.fixes:
        raise DayNotKeptError
    return Calendar(found, timezone.key, span)


async def day_of_child(work: UnitOfWork, child: Child, calendar: Calendar) -> DayView:
    """Return a whole day with its stays and passages."""
    checkins = await checkins_in(work, child, calendar.span)
    zones = await child_zones(work, child)
    by_id = {zone.zone_id: zone for zone in zones}
    fixes = [
        Fix(checkin.place.point, checkin.accuracy_m, checkin.happened_at)
        for checkin in checkins
        if checkin.quality is Quality.GOOD and checkin.place is not None
    ]
    passages = await work.session.exec(
        select(ZonePassage)
        .where(
            col(ZonePassage.child_id) == child.child_id,
            col(ZonePassage.happened_at) >= max(calendar.span.starts_at, work.now - work.retention.fixes),
            col(ZonePassage.happened_at) < calendar.span.ends_at,
        )
        .order_by(col(ZonePassage.happened_at), col(ZonePassage.passage_id))
    )
    return DayView(
        calendar.day,
        calendar.timezone,
        calendar.span,
        checkins,
        [StayView(stay, zone_at(zones, stay.center)) for stay in find_stays(fixes)],
        [PassageView(passage, by_id[passage.zone_id]) for passage in passages],
    )


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
