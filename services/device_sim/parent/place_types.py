"""What a parent is told of places, alerts, settings and log-ins; fields of later versions are ignored."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from pydantic.dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A point on the earth."""

    lat: Annotated[float, Field(repr=False)]
    lon: Annotated[float, Field(repr=False)]


@dataclass(frozen=True)
class ZoneName:
    """A safe zone by the family's own name."""

    zone_id: str
    name: str


@dataclass(frozen=True)
class Seen:
    """Where the child was last seen, how long ago and how well."""

    place: Place
    accuracy_m: float
    happened_at: datetime
    age_s: int
    source: str | None = None
    zone: ZoneName | None = None


@dataclass(frozen=True)
class Latest:
    """The child's latest place; `seen` None when nothing good is known."""

    child_id: str
    location_on: bool
    seen: Seen | None = None


@dataclass(frozen=True)
class Stay:
    """Where the child stayed."""

    from_at: datetime
    until_at: datetime
    place: Place
    fixes: int
    zone: ZoneName | None = None


@dataclass(frozen=True)
class Passage:
    """The child entered or left a zone."""

    happened_at: datetime
    kind: str
    zone: ZoneName
    alarmed: bool


@dataclass(frozen=True)
class Day:
    """A day in stays and passages. `qualities` counts fixes that are good, poor, bad, and late."""

    day: str
    timezone: str
    qualities: dict[str, int]
    stays: list[Stay]
    passages: list[Passage]
    track: list[Place]


@dataclass(frozen=True)
class Zone:
    """A safe zone, and whether the child is `inside`, `outside`, or that is `unknown`."""

    zone_id: str
    name: str
    shape: Annotated[dict[str, Any], Field(repr=False)]
    stand: str


@dataclass(frozen=True)
class Alert:
    """One call for the guardians' attention."""

    alert_id: str
    child_id: str
    kind: str
    raised_at: datetime
    subject_id: str | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None


@dataclass(frozen=True)
class AlertPage:
    """Alerts, newest first."""

    alerts: list[Alert]
    next_cursor: str | None = None


@dataclass(frozen=True)
class GivenCommand:
    """What the watch was told to do, and how far that has come."""

    command_id: str
    kind: str
    state: str
    expires_at: datetime
    detail: str | None = None


@dataclass(frozen=True)
class Settings:
    """What the watch is configured to; `acked_version` differs while a change is on its way to it."""

    version: int
    checkin_interval_s: int
    location: bool
    quiet_now: bool
    language: str
    volume_pct: int
    acked_version: int | None = None
    quiet: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Availability:
    """Until when this parent is on shift; None: not now."""

    busy_until: datetime | None = None


@dataclass(frozen=True)
class SessionShown:
    """A phone on which this parent is logged in."""

    session_id: str
    created_at: datetime
    last_used_at: datetime
    limited: bool
    current: bool


@dataclass(frozen=True)
class WaitingLogIn:
    """Another guardian who has logged in on a new phone and waits for a word."""

    log_in_id: str
    guardian_id: str
    display_name: str
    created_at: datetime
