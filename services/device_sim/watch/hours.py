"""Quiet hours and shifts on the watch's own wall clock: server time plus the offset from its settings. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.protocol.downlink import Config, Contact, Quiet


def wall_clock(config: Config | None, server_now_s: float) -> datetime:
    """Return the time on a wall clock at the child's place."""
    offset_s = 0 if config is None else config.utc_offset_s
    return datetime.fromtimestamp(server_now_s, UTC) + timedelta(seconds=offset_s)


def is_quiet(config: Config | None, server_now_s: float | None) -> bool:
    """Return whether messages wait silently. A watch without a clock or without quiet hours rings."""
    if config is None or server_now_s is None:
        return False
    wall = wall_clock(config, server_now_s)
    return any(_covers(quiet, wall) for quiet in config.quiet)


def _covers(quiet: Quiet, wall: datetime) -> bool:
    """Return whether a quiet period that began today, or yesterday and goes past midnight, has not ended."""
    for began in (wall.date(), wall.date() - timedelta(days=1)):
        if began.isoweekday() not in quiet.days:
            continue
        goes_past_midnight = quiet.ends <= quiet.starts
        ends_on = began + timedelta(days=1) if goes_past_midnight else began
        if _at(began.isoformat(), quiet.starts) <= wall < _at(ends_on.isoformat(), quiet.ends):
            return True
    return False


def _at(day: str, clock: str) -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}:00+00:00")


def on_shift_until(contact: Contact, server_now_s: float | None) -> int | None:
    """Return the server time at which a contact's shift ends; None without a shift or after its end."""
    if server_now_s is None or contact.busy_until_tst <= server_now_s:
        return None
    return contact.busy_until_tst
