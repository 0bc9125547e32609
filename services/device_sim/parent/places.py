"""Places of the child, alerts, and commands and settings of the watch, as a parent uses them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from pydantic.dataclasses import dataclass

from services.device_sim.parent.http import ParentHttp
from services.device_sim.parent.records import (
    Alert,
    AlertPage,
    Availability,
    Day,
    GivenCommand,
    Latest,
    Settings,
    Zone,
)


@dataclass(frozen=True)
class _Zones:
    zones: list[Zone]


@dataclass(frozen=True)
class _Commands:
    commands: list[GivenCommand]


class ParentPlaces:
    """Places, alerts, commands and settings: `parent.places`. Every method raises ProblemError or ServerAwayError."""

    def __init__(self, http: ParentHttp) -> None:
        self._http = http

    async def latest_place(self, child_id: str) -> Latest:
        """Return the child's latest place; the access is logged."""
        return await self._http.ask_for(Latest, "GET", f"/v1/children/{child_id}/checkins/latest")

    async def day(self, child_id: str, day: date | None = None) -> Day:
        """Return a day in the child's time zone, by default today; the access is logged."""
        query = None if day is None else {"day": day.isoformat()}
        return await self._http.ask_for(Day, "GET", f"/v1/children/{child_id}/checkins/day", query=query)

    # ---------------------------------------------------------------- safe zones

    async def zones(self, child_id: str) -> list[Zone]:
        """Return the child's safe zones."""
        return (await self._http.ask_for(_Zones, "GET", f"/v1/children/{child_id}/zones")).zones

    async def draw_circle(self, child_id: str, name: str, lat: float, lon: float, radius_m: float) -> Zone:
        """Create a circular safe zone that is active at all times."""
        shape = {"kind": "circle", "lat": lat, "lon": lon, "radius_m": radius_m}
        path = f"/v1/children/{child_id}/zones"
        return await self._http.ask_for(Zone, "POST", path, body={"name": name, "shape": shape})

    async def remove_zone(self, child_id: str, zone_id: str) -> None:
        """Delete a safe zone with its passages."""
        await self._http.ask("DELETE", f"/v1/children/{child_id}/zones/{zone_id}")

    # ---------------------------------------------------------------- alerts and commands

    async def alerts(self, child_id: str) -> list[Alert]:
        """Return the newest page of alerts, newest first."""
        return (await self._http.ask_for(AlertPage, "GET", f"/v1/children/{child_id}/alerts")).alerts

    async def acknowledge(
        self, child_id: str, alert_id: str, answer: str = "take_care", *, tapped_at: datetime | None = None
    ) -> Alert:
        """Answer an alert, `take_care` or `cannot_help`: the child and the other guardians are notified."""
        path = f"/v1/children/{child_id}/alerts/{alert_id}/acknowledge"
        body = {"answer": answer} if tapped_at is None else {"answer": answer, "tapped_at": tapped_at.isoformat()}
        return await self._http.ask_for(Alert, "POST", path, body=body)

    async def answer_check(self, child_id: str, alert_id: str, *, all_right: bool) -> Alert:
        """Say whether the child is all right; if not, guardians are called again."""
        path = f"/v1/children/{child_id}/alerts/{alert_id}/all-right"
        return await self._http.ask_for(Alert, "POST", path, body={"all_right": all_right})

    async def command(self, child_id: str, kind: str) -> GivenCommand:
        """Send a command that expires: locate, ring, restart, lost."""
        path = f"/v1/children/{child_id}/commands"
        # The same command returns the open one: a busy server may be asked again.
        return await self._http.ask_for(GivenCommand, "POST", path, body={"kind": kind}, repeatable=True)

    async def commands(self, child_id: str) -> list[GivenCommand]:
        """Return the commands of the watch, newest first."""
        return (await self._http.ask_for(_Commands, "GET", f"/v1/children/{child_id}/commands")).commands

    # ---------------------------------------------------------------- settings

    async def settings(self, child_id: str) -> Settings:
        """Return the watch's settings."""
        return await self._http.ask_for(Settings, "GET", f"/v1/children/{child_id}/watch-settings")

    async def change_settings(self, child_id: str, **changes: Any) -> Settings:  # noqa: ANN401
        """Change checkin_interval_s, location, quiet, language or volume_pct; the watch gets it once connected."""
        path = f"/v1/children/{child_id}/watch-settings"
        return await self._http.ask_for(Settings, "PATCH", path, body=changes)

    async def set_quiet(self, child_id: str, starts: str, ends: str, days: Sequence[int] = range(1, 8)) -> Settings:
        """Set quiet hours between two times on these days (1 is Monday)."""
        return await self.change_settings(child_id, quiet=[{"days": list(days), "starts": starts, "ends": ends}])

    async def set_busy(self, until: datetime | None) -> Availability:
        """Set the end of this parent's shift, None: not on shift; the child sees it on the watch."""
        body = {"busy_until": None if until is None else until.isoformat()}
        return await self._http.ask_for(Availability, "PUT", "/v1/me/availability", body=body)
