"""Decisions about presence: what a watch that is not heard from is most likely doing. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo


class PresenceState(StrEnum):
    """How a paired watch is, in one stable word."""

    # Never said hello.
    ISSUED = "issued"
    ONLINE = "online"
    ASLEEP = "asleep"
    # Its connection broke.
    OFFLINE = "offline"
    # It was not heard although it had promised to be.
    SILENT = "silent"
    FLAT = "flat"
    SWITCHED_OFF = "switched_off"
    SIM_EXPIRED = "sim_expired"


class OfflineReason(StrEnum):
    """Why a watch is not online."""

    WILL = "will"
    OFF = "off"
    KICKED = "kicked"
    SILENCE = "silence"


# A watch promises in hello to be heard at least every so often; the broker gives up on it after one and a half.
KEEPALIVE_DEFAULT_S: Final = 1200
KEEPALIVES: Final = 1.5

# Two levels closer together than this show noise, not a trend.
_TREND_SPAN: Final = timedelta(hours=1)
# Meters of small batteries are not honest below this.
_FLAT_PCT: Final = 3
_LOW_PCT: Final = 10
_LOW_LASTS: Final = timedelta(hours=2)


@dataclass(frozen=True)
class Battery:
    """The last level that was heard, and an earlier one that shows where it is going."""

    level_pct: int | None = None
    at: datetime | None = None
    before_pct: int | None = None
    before_at: datetime | None = None


def battery_after_reading(held: Battery, level_pct: int, now: datetime) -> Battery:
    """Return what is known after a new level. A rising one means charging: the trend begins anew."""
    if held.level_pct is None or held.at is None or level_pct > held.level_pct:
        return Battery(level_pct, now)
    if held.before_at is None or held.at - held.before_at >= _TREND_SPAN:
        return Battery(level_pct, now, held.level_pct, held.at)
    return Battery(level_pct, now, held.before_pct, held.before_at)


def is_probably_flat(battery: Battery, now: datetime) -> bool:
    """Tell whether a watch that is not heard from has most likely run out of power since its last level."""
    if battery.level_pct is None or battery.at is None:
        return False
    if battery.level_pct <= _FLAT_PCT:
        return True
    passed = now - battery.at
    if battery.level_pct <= _LOW_PCT and passed >= _LOW_LASTS:
        return True
    if battery.before_pct is None or battery.before_at is None:
        return False
    span = battery.at - battery.before_at
    lost_pct = battery.before_pct - battery.level_pct
    if span < _TREND_SPAN or lost_pct <= 0:
        return False
    return battery.level_pct - lost_pct * (passed / span) <= _FLAT_PCT


def trend_pct_per_h(battery: Battery) -> float | None:
    """Return how fast the level falls, in percent an hour (negative); None while nothing shows it, or it charges."""
    if battery.level_pct is None or battery.at is None or battery.before_pct is None or battery.before_at is None:
        return None
    span = battery.at - battery.before_at
    if span < _TREND_SPAN:
        return None
    return (battery.level_pct - battery.before_pct) / (span / timedelta(hours=1))


@dataclass(frozen=True)
class Heard:
    """What is known of a paired watch."""

    has_said_hello: bool
    online: bool
    gone_by: str
    since_at: datetime | None
    last_seen_at: datetime | None
    asleep_until_at: datetime | None
    battery: Battery
    # The last day of its plan, and the site's time zone, in which that day ends.
    sim_expires_on: date | None
    timezone: str


@dataclass(frozen=True)
class Presence:
    """A word for how the watch is, and since when."""

    word: PresenceState
    since_at: datetime | None


def derive_presence(heard: Heard, now: datetime) -> Presence:
    """Return how a watch is. What it said itself comes first, then what explains its silence best."""
    if not heard.has_said_hello:
        return Presence(PresenceState.ISSUED, None)
    if heard.asleep_until_at is not None and heard.asleep_until_at > now:
        return Presence(PresenceState.ASLEEP, heard.since_at)
    if heard.online:
        return Presence(PresenceState.ONLINE, heard.since_at)
    is_silent = heard.gone_by == OfflineReason.SILENCE
    # A silence begins with the last word, not with the moment at which somebody noticed.
    since_at = heard.last_seen_at if is_silent else heard.since_at or heard.last_seen_at
    return Presence(_why_gone(heard, now), since_at)


def _why_gone(heard: Heard, now: datetime) -> PresenceState:
    if heard.gone_by == OfflineReason.OFF:
        return PresenceState.SWITCHED_OFF
    if heard.sim_expires_on is not None and heard.sim_expires_on < now.astimezone(ZoneInfo(heard.timezone)).date():
        return PresenceState.SIM_EXPIRED
    if is_probably_flat(heard.battery, now):
        return PresenceState.FLAT
    return PresenceState.SILENT if heard.gone_by == OfflineReason.SILENCE else PresenceState.OFFLINE
