"""What is refused about places and safe zones."""

from __future__ import annotations

from services.core.platform.errors import CoreError


class ZonesFullError(CoreError):
    """A child has as many safe zones as it can have."""

    code = "zones_full"
    sentence = "This child has the largest number of safe zones. Remove one first."

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def fields(self) -> dict[str, int | str]:
        """Return the bound."""
        return {"most": self.most}


class ZoneShapeError(CoreError):
    """A shape that fixes cannot tell, or that is none."""

    code = "zone_shape_invalid"
    sentence = "This shape cannot be a safe zone."

    def __init__(self, reason: str) -> None:
        super().__init__()
        # radius, corners, too_wide, too_narrow, crosses_itself, latitude
        self.reason = reason

    def fields(self) -> dict[str, int | str]:
        """Return what is wrong with the shape, never where it is."""
        return {"reason": self.reason}


class ZoneHoursError(CoreError):
    """Hours of a zone without a day of the week."""

    code = "zone_hours_invalid"
    sentence = "Choose the days from 1 (Monday) to 7 (Sunday), at least one, and at most 14 spans."


class DayNotKeptError(CoreError):
    """A day that is over for longer than places are kept, or has not begun."""

    code = "day_not_kept"
    sentence = "Nothing is kept of this day: it is too long ago, or has not begun."
