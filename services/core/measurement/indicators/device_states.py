"""States of a watch for its site's own staff. Pure; an operational list, no statistic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.core.devices.presence.battery_levels import LOW_PCT
from services.core.devices.presence.rules import Journey, silent_since

_ACTIVE_WITHIN: Final = timedelta(days=7)


@dataclass(frozen=True)
class Device:
    """Current state of one watch."""

    state: str
    # Empty: it is not paired.
    paired_at: datetime | None
    last_seen_at: datetime | None
    battery_pct: int | None
    journey: Journey | None = None


def device_states(device: Device, now: datetime) -> tuple[str, ...]:
    """Return every state a watch is in: where it is, whether it is in use, and what is wrong with it."""
    if device.state in {"registered", "lost", "returned", "broken"}:
        return (device.state,)
    states = ["handed_out"]
    if device.paired_at is not None:
        states.append("paired")
        if device.last_seen_at is not None and now - device.last_seen_at <= _ACTIVE_WITHIN:
            states.append("active_7_days")
        if device.journey is not None:
            states.append("not_arrived" if device.journey.is_overdue else "on_its_way")
        on_its_way = device.journey is not None
        if silent_since(device.last_seen_at, device.paired_at, now, on_its_way=on_its_way) is not None:
            states.append("silent_48_hours")
        if device.battery_pct is not None and device.battery_pct <= LOW_PCT:
            states.append("low_battery")
    return tuple(states)
