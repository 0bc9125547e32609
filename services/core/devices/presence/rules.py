"""Decisions about presence: when a watch is silent or offline, and the likeliest reason. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from services.core.devices.presence.battery_levels import EMPTY_PCT, NEARLY_EMPTY_PCT


class PresenceState(StrEnum):
    """States of a paired watch, as stable words."""

    # No hello yet.
    ISSUED = "issued"
    # Paired, not yet with the child, and without a connection.
    ON_ITS_WAY = "on_its_way"
    ONLINE = "online"
    ASLEEP = "asleep"
    # Its connection broke.
    OFFLINE = "offline"
    # It sent nothing although its keepalive promised a message.
    SILENT = "silent"
    FLAT = "flat"
    SWITCHED_OFF = "switched_off"
    SIM_EXPIRED = "sim_expired"


class OfflineReason(StrEnum):
    """Reasons why a watch is offline."""

    WILL = "will"
    OFF = "off"
    KICKED = "kicked"
    CLOSED = "closed"
    SILENCE = "silence"


# A watch promises in its hello to send something at least this often.
KEEPALIVE_DEFAULT_S: Final = 1200
# MQTT brokers close a connection after one and a half keepalives without a packet.
KEEPALIVES: Final = 1.5

# The time of the last message is stored at most this often: one write a minute for a watch that talks all the time.
SEEN_RESOLUTION: Final = timedelta(minutes=1)
# Staff act after two whole days: a shorter silence is often a weekend without a charger.
SILENT_AFTER: Final = timedelta(hours=48)

# A watch is paired in the factory and worn in a village weeks later. After this time staff ask where it is.
NOT_ARRIVED_AFTER: Final = timedelta(days=30)
# The watch was switched off for the journey: a shorter silence also occurs in a factory hall or at night.
SILENCE_OF_JOURNEY: Final = timedelta(hours=12)
# A message or SOS within a day of the pairing may be a trial at the hand-out. Later ones count without a silence as
# well: a child who lives near the factory never switches the watch off, and needs alerts.
TRIED_WITHIN: Final = timedelta(hours=24)
# Longer than trying it on.
WORN_ON_ARRIVAL_S: Final = 3600

# Two levels closer together than this show noise, not a trend.
_TREND_SPAN: Final = timedelta(hours=1)
_NEARLY_EMPTY_LASTS: Final = timedelta(hours=2)


def is_due_to_record(last_seen_at: datetime | None, now: datetime) -> bool:
    """Return whether the time of a message is worth a write."""
    return last_seen_at is None or now - last_seen_at >= SEEN_RESOLUTION


def offline_after(keepalive_s: int) -> timedelta:
    """Return after which silence a watch counts as offline: one and a half of its keepalives.

    Short keepalives get a keepalive and SEEN_RESOLUTION: the stored time may be that much too early, and a watch that
    keeps its promise must never count as offline.
    """
    return max(timedelta(seconds=keepalive_s * KEEPALIVES), timedelta(seconds=keepalive_s) + SEEN_RESOLUTION)


def silent_since(
    last_seen_at: datetime | None, paired_at: datetime, now: datetime, *, on_its_way: bool = False
) -> datetime | None:
    """Return since when a watch has been silent if that is longer than SILENT_AFTER, else None.

    The silence of a watch that never sent anything begins with its pairing. A watch on its way is never silent.
    """
    if on_its_way:
        return None
    since = last_seen_at or paired_at
    return since if now - since > SILENT_AFTER else None


class ArrivedBy(StrEnum):
    """Reasons for the end of the state on its way, as stable words."""

    MESSAGE = "message"
    SOS = "sos"
    WORN = "worn"
    GUARDIAN = "guardian"


@dataclass(frozen=True)
class Journey:
    """A watch on its way from its pairing to the child; ``is_overdue`` after NOT_ARRIVED_AFTER."""

    since_at: datetime
    is_overdue: bool


def journey_since(on_its_way_since_at: datetime | None, now: datetime) -> Journey | None:
    """Return the journey of a watch that has not arrived, or None."""
    if on_its_way_since_at is None:
        return None
    return Journey(on_its_way_since_at, now - on_its_way_since_at >= NOT_ARRIVED_AFTER)


def is_silence_of_journey(heard_before_at: datetime, now: datetime) -> bool:
    """Return whether the silence that ends now is long enough for a journey."""
    return now - heard_before_at >= SILENCE_OF_JOURNEY


def is_use_by_child(since_at: datetime, silent_at: datetime | None, now: datetime) -> bool:
    """Return whether a message or SOS of a watch that was paired at ``since_at`` shows that the child has it.

    ``silent_at``: the last message before a silence of a journey, if there was one. Without it the watch may still be
    tried at the hand-out.
    """
    return silent_at is not None or now - since_at >= TRIED_WITHIN


def worn_since_silence_s(began_at: datetime | None, ended_at: datetime | None, worn_s: int, silent_at: datetime) -> int:
    """Return how long a watch was worn in a reported period, at most as long as the period after ``silent_at``.

    ``silent_at`` is the last message before the journey's silence: what was worn before it was worn in the factory. A
    period without a date counts nothing.
    """
    if began_at is None or ended_at is None:
        return 0
    after_s = int((ended_at - max(began_at, silent_at)).total_seconds())
    return max(0, min(worn_s, after_s))


@dataclass(frozen=True)
class Battery:
    """The last level that a message carried, and an earlier one that shows the trend."""

    level_pct: int | None = None
    at: datetime | None = None
    before_pct: int | None = None
    before_at: datetime | None = None


def battery_after_reading(battery: Battery, level_pct: int, now: datetime) -> Battery:
    """Return the battery after a new level. A rising level means charging: the trend begins anew.

    The same level again within SEEN_RESOLUTION changes nothing, so that a row is not written for it.
    """
    if level_pct == battery.level_pct and battery.at is not None and now - battery.at < SEEN_RESOLUTION:
        return battery
    if battery.level_pct is None or battery.at is None or level_pct > battery.level_pct:
        return Battery(level_pct, now)
    if battery.before_at is None or battery.at - battery.before_at >= _TREND_SPAN:
        return Battery(level_pct, now, battery.level_pct, battery.at)
    return Battery(level_pct, now, battery.before_pct, battery.before_at)


def is_probably_flat(battery: Battery, now: datetime) -> bool:
    """Return whether a silent watch has most likely run out of power since its last level."""
    if battery.level_pct is None or battery.at is None:
        return False
    if battery.level_pct <= EMPTY_PCT:
        return True
    passed = now - battery.at
    if battery.level_pct <= NEARLY_EMPTY_PCT and passed >= _NEARLY_EMPTY_LASTS:
        return True
    if battery.before_pct is None or battery.before_at is None:
        return False
    span = battery.at - battery.before_at
    lost_pct = battery.before_pct - battery.level_pct
    if span < _TREND_SPAN or lost_pct <= 0:
        return False
    return battery.level_pct - lost_pct * (passed / span) <= EMPTY_PCT


def trend_pct_per_h(battery: Battery) -> float | None:
    """Return the change of the level in percent an hour (negative: it falls); None without two levels an hour apart."""
    if battery.level_pct is None or battery.at is None or battery.before_pct is None or battery.before_at is None:
        return None
    span = battery.at - battery.before_at
    if span < _TREND_SPAN:
        return None
    return (battery.level_pct - battery.before_pct) / (span / timedelta(hours=1))


@dataclass(frozen=True)
class PresenceFacts:
    """The stored facts from which the state of a paired watch is derived."""

    has_said_hello: bool
    online: bool
    gone_by: str
    since_at: datetime | None
    last_seen_at: datetime | None
    asleep_until_at: datetime | None
    battery: Battery
    # Last day of the SIM's plan, and the time zone of the site, in which that day ends.
    sim_expires_on: date | None
    timezone: str
    journey: Journey | None = None


@dataclass(frozen=True)
class Presence:
    """The state of a watch, and since when."""

    word: PresenceState
    since_at: datetime | None


def derive_presence(facts: PresenceFacts, now: datetime) -> Presence:
    """Return the state of a watch: its own statement first, then the likeliest reason of its silence."""
    if not facts.has_said_hello:
        return Presence(PresenceState.ISSUED, None)
    if facts.asleep_until_at is not None and facts.asleep_until_at > now:
        return Presence(PresenceState.ASLEEP, facts.since_at)
    if facts.online:
        return Presence(PresenceState.ONLINE, facts.since_at)
    if facts.journey is not None:
        # It is switched off in a bag: the reason of its silence is known, and none of the guesses below is right.
        return Presence(PresenceState.ON_ITS_WAY, facts.journey.since_at)
    is_silent = facts.gone_by == OfflineReason.SILENCE
    # A silence begins with the last message, not with its discovery.
    since_at = facts.last_seen_at if is_silent else facts.since_at or facts.last_seen_at
    return Presence(_why_gone(facts, now), since_at)


def _why_gone(facts: PresenceFacts, now: datetime) -> PresenceState:
    if facts.gone_by == OfflineReason.OFF:
        return PresenceState.SWITCHED_OFF
    if facts.sim_expires_on is not None and facts.sim_expires_on < now.astimezone(ZoneInfo(facts.timezone)).date():
        return PresenceState.SIM_EXPIRED
    if is_probably_flat(facts.battery, now):
        return PresenceState.FLAT
    return PresenceState.SILENT if facts.gone_by == OfflineReason.SILENCE else PresenceState.OFFLINE
