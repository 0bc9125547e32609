"""Quiet hours and shifts on the watch's own wall clock: server time plus the offset that it was told. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.protocol.downlink import Config, Contact, Quiet


def wall_clock(config: Config | None, server_now_s: float) -> datetime:
    """Return what the clock on the wall shows, where the child is."""
    offset_s = 0 if config is None else config.utc_offset_s
    return datetime.fromtimestamp(server_now_s, UTC) + timedelta(seconds=offset_s)


def is_quiet(config: Config | None, server_now_s: float | None) -> bool:
    """Tell whether messages are to wait silently. A watch that knows no time, or was told none, rings."""
    if config is None or server_now_s is None:
        return False
    wall = wall_clock(config, server_now_s)
    return any(_covers(quiet, wall) for quiet in config.quiet)


def _covers(quiet: Quiet, wall: datetime) -> bool:
    """Tell whether one that began today, or began yesterday and goes past midnight, has not ended."""
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
    """Return the server time at which a contact's shift ends, None when nobody said one or it is over."""
    if server_now_s is None or contact.busy_until_tst <= server_now_s:
        return None
    return contact.busy_until_tst
