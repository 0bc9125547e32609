"""Errors of places and safe zones."""

from __future__ import annotations

from services.core.platform.errors import CoreError


class ZonesFullError(CoreError):
    """The child already has the maximum number of safe zones."""

    code = "zones_full"
    sentence = "This child has the largest number of safe zones. Remove one first."

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def fields(self) -> dict[str, int | str]:
        """Return the maximum."""
        return {"most": self.most}


class ZoneShapeError(CoreError):
    """The shape is invalid, or too small or too large for fixes to decide about."""

    code = "zone_shape_invalid"
    sentence = "This shape cannot be a safe zone."

    def __init__(self, reason: str) -> None:
        super().__init__()
        # radius, corners, too_wide, too_narrow, crosses_itself, latitude
        self.reason = reason

    def fields(self) -> dict[str, int | str]:
        """Return the reason, never coordinates."""
        return {"reason": self.reason}


class ZoneHoursError(CoreError):
    """The hours of a zone name no valid day of the week."""

    code = "zone_hours_invalid"
    sentence = "Choose the days from 1 (Monday) to 7 (Sunday), at least one, and at most 14 spans."


class DayNotKeptError(CoreError):
    """The requested day is older than the retention of places, or lies in the future."""

    code = "day_not_kept"
    sentence = "Nothing is kept of this day: it is too long ago, or has not begun."
