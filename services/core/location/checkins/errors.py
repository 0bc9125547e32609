"""Errors of places and safe zones."""

from __future__ import annotations

from services.core.platform.errors import CoreError


class ZonesFullError(CoreError):
    """The child already has the maximum number of safe zones."""

    code = "zones_full"
    sentence = "This child has the maximum number of safe zones. Remove one first."

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def fields(self) -> dict[str, int | str]:
        """Return the maximum."""
        return {"most": self.most}


class ZoneShapeError(CoreError):
    """The shape is invalid, or too small or too large for fixes to decide about."""

    code = "zone_shape_invalid"
    sentence = "The shape of the safe zone is invalid, too small or too large."

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
    sentence = "Each time span needs at least one day from 1 (Monday) to 7 (Sunday). At most 14 spans are allowed."


class DayNotKeptError(CoreError):
    """The requested day is older than the retention of places, or lies in the future."""

    code = "day_not_kept"
    sentence = "No places are stored for this day: it is older than the retention period, or has not begun."
