"""The lines of the parent's console that are about places, alerts and what the watch does."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from services.device_sim.console.console import Command, CommandError, agrees, number, printable, say, words
from services.device_sim.console.parent_family_commands import FamilyCommands
from services.device_sim.parent.parent import SimParent
from services.device_sim.parent.records import Alert, Child, Place, Settings, Zone, ZoneName
from services.device_sim.parent.types import has_consent

_LOCATION = "location"
_MINUTES_MAX = 24 * 60
_KINDS = ("locate", "ring", "restart", "lost", "found")


class PlaceCommands:
    """Zones and alerts are named by their numbers in their lists."""

    def __init__(self, parent: SimParent, family: FamilyCommands) -> None:
        self._parent = parent
        self._family = family

    def commands(self) -> list[Command]:
        """Return the commands, in the order in which a parent comes to them."""
        return [
            Command(
                "location", "location on|off", "have the watch tell where it is: agrees to it, too", self._location
            ),
            Command("place", "place", "where the child was last seen, when and how well", self._place),
            Command("day", "day [YYYY-MM-DD]", "a day: where the child stayed, and what happened at zones", self._day),
            Command("zone", "zone LAT LON METRES NAME", "draw a safe zone", self._zone),
            Command("zones", "zones", "the safe zones", self._show_zones),
            Command("zone-remove", "zone-remove N", "take zone N away", self._remove_zone),
            Command("command", "command KIND", "now or never, one of: " + " ".join(_KINDS), self._command),
            Command("commands", "commands", "what the watch was told to do", self._commands),
            Command("alerts", "alerts", "calls for help and alarms, newest first", self._alerts),
            Command("acknowledge", "acknowledge N", "you take care of alert N; the child is told", self._acknowledge),
            Command("cannot-help", "cannot-help N", "you have seen alert N; the others are called", self._cannot_help),
            Command("all-right", "all-right N", "the child of alert N is all right", self._all_right),
            Command("keep-calling", "keep-calling N", "guardians are called about alert N again", self._keep_calling),
            Command("settings", "settings [NAME VALUE]", "checkin_interval_s, volume_pct or language", self._settings),
            Command("quiet", "quiet HH:MM HH:MM", "messages wait silently in between, every day", self._quiet),
            Command("busy", "busy MINUTES|no", "you are on shift; the child sees it", self._busy),
        ]

    # ---------------------------------------------------------------- places

    async def _location(self, rest: str) -> None:
        if rest not in {"on", "off"}:
            raise CommandError("usage: location on|off")
        child, family = await self._family.child(), await self._family.family()
        if rest == "on":
            me = await self._parent.me()
            if not family.may_locate and family.is_primary:
                await self._parent.family.change_guardian(family.family_id, me.guardian_id, may_locate=True)
            if not has_consent(family, _LOCATION):
                await self._family.show_consent(_LOCATION, me.locale)
                if not await agrees():
                    return
                given = await self._parent.family.consent(family.family_id, _LOCATION, locale=me.locale)
                say(f"agreed to {given.part}, text {given.text_version}")
        _say_settings(await self._parent.places.change_settings(child.child_id, location=rest == "on"))

    async def _place(self, _rest: str) -> None:
        latest = await self._parent.places.latest_place((await self._family.child()).child_id)
        if latest.seen is None:
            say("nothing good is known" + ("" if latest.location_on else "; location is off: location on"))
            return
        seen = latest.seen
        by = "" if seen.source is None else f", by {printable(seen.source)}"
        say(f"  {_where(seen.place, seen.zone)}, {seen.age_s // 60} min ago, within {seen.accuracy_m:.0f} m{by}")

    async def _day(self, rest: str) -> None:
        try:
            wanted = date.fromisoformat(rest) if rest else None
        except ValueError:
            raise CommandError("usage: day [YYYY-MM-DD]") from None
        day = await self._parent.places.day((await self._family.child()).child_id, wanted)
        counts = day.qualities
        counted = f"{counts.good} good, {counts.poor} poor, {counts.bad} bad, {counts.late} late"
        say(f"  {day.day} in {day.timezone}; fixes: {counted}")
        for stay in day.stays:
            say(f"  {_times(stay.from_at, stay.until_at)} at {_where(stay.place, stay.zone)} ({stay.fixes} fixes)")
        for passage in day.passages:
            alarmed = ", you were alarmed" if passage.alarmed else ""
            say(f"  {_times(passage.happened_at)} {passage.kind} {printable(passage.zone.name)}{alarmed}")

    async def _zone(self, rest: str) -> None:
        lat, lon, radius_m, name = words(rest, 4, "zone LAT LON METRES NAME")
        try:
            circle = (float(lat), float(lon), float(radius_m))
        except ValueError:
            raise CommandError("usage: zone LAT LON METRES NAME") from None
        await self._parent.places.draw_circle((await self._family.child()).child_id, name, *circle)
        await self._show_zones("")

    async def _listed_zones(self) -> tuple[Child, list[Zone]]:
        child = await self._family.child()
        return child, await self._parent.places.zones(child.child_id)

    async def _show_zones(self, _rest: str) -> None:
        _, zones = await self._listed_zones()
        for place, zone in enumerate(zones, 1):
            say(f"  {place}. {printable(zone.name)} ({zone.shape.kind}): {zone.stand}")
        if not zones:
            say("  none yet")

    async def _remove_zone(self, rest: str) -> None:
        child, zones = await self._listed_zones()
        await self._parent.places.remove_zone(child.child_id, zones[number(rest, len(zones)) - 1].zone_id)

    # ---------------------------------------------------------------- commands and alerts

    async def _command(self, rest: str) -> None:
        given = await self._parent.places.command((await self._family.child()).child_id, rest)
        say(f"{given.kind}: {given.state}, until {_times(given.expires_at)}")

    async def _commands(self, _rest: str) -> None:
        for given in await self._parent.places.commands((await self._family.child()).child_id):
            say(f"  {given.kind}: {given.state}{f' ({printable(given.detail)})' if given.detail else ''}")

    async def _listed_alerts(self) -> tuple[Child, list[Alert]]:
        child = await self._family.child()
        return child, await self._parent.places.alerts(child.child_id)

    async def _alerts(self, _rest: str) -> None:
        child, alerts = await self._listed_alerts()
        names = {
            guardian.guardian_id: guardian.display_name
            for guardian in await self._parent.family.guardians(child.family_id)
        }
        for place, alert in enumerate(alerts, 1):
            by = printable(names.get(alert.acknowledged_by or "", "") or "a guardian")
            taken = "nobody has answered" if alert.acknowledged_at is None else f"{by} takes care"
            calls = f"; {len(alert.calls)} texts in {alert.calling_round} rounds" if alert.calls else ""
            state = "" if alert.state is None else f" ({alert.state})"
            say(f"  {place}. {alert.kind} {_times(alert.raised_at)}: {taken}{state}{calls}")
        if not alerts:
            say("  none")

    async def _acknowledge(self, rest: str) -> None:
        child_id, alert_id = await self._chosen_alert(rest)
        alert = await self._parent.places.acknowledge(child_id, alert_id)
        say(f"{alert.kind}: the child is notified")

    async def _cannot_help(self, rest: str) -> None:
        child_id, alert_id = await self._chosen_alert(rest)
        alert = await self._parent.places.acknowledge(child_id, alert_id, "cannot_help")
        say(f"{alert.kind}: the others are called; in an emergency dial {alert.emergency_number}")

    async def _all_right(self, rest: str) -> None:
        child_id, alert_id = await self._chosen_alert(rest)
        alert = await self._parent.places.answer_check(child_id, alert_id, all_right=True)
        say(f"{alert.kind}: the child is all right")

    async def _keep_calling(self, rest: str) -> None:
        child_id, alert_id = await self._chosen_alert(rest)
        alert = await self._parent.places.answer_check(child_id, alert_id, all_right=False)
        say(f"{alert.kind}: guardians are called again; in an emergency dial {alert.emergency_number}")

    async def _chosen_alert(self, rest: str) -> tuple[str, str]:
        child, alerts = await self._listed_alerts()
        return child.child_id, alerts[number(rest, len(alerts)) - 1].alert_id

    # ---------------------------------------------------------------- settings

    async def _settings(self, rest: str) -> None:
        child = await self._family.child()
        if not rest:
            _say_settings(await self._parent.places.settings(child.child_id))
            return
        name, value = words(rest, 2, "settings [NAME VALUE]")
        changes = {name: int(value) if value.isdecimal() else value}
        _say_settings(await self._parent.places.change_settings(child.child_id, **changes))

    async def _quiet(self, rest: str) -> None:
        starts, ends = words(rest, 2, "quiet HH:MM HH:MM")
        _say_settings(await self._parent.places.set_quiet((await self._family.child()).child_id, starts, ends))

    async def _busy(self, rest: str) -> None:
        until = None
        if rest != "no":
            until = datetime.now(UTC) + timedelta(minutes=number(rest, _MINUTES_MAX))
        shift = await self._parent.places.set_busy(until)
        say("not on shift" if shift.busy_until is None else f"on shift until {_times(shift.busy_until)}")


def _where(place: Place, zone: ZoneName | None) -> str:
    return f"{place.lat:.5f} {place.lon:.5f}" if zone is None else printable(zone.name)


def _times(*moments: datetime) -> str:
    """Return times of day on this computer's clock."""
    return " - ".join(f"{moment.astimezone():%H:%M}" for moment in moments)


def _say_settings(settings: Settings) -> None:
    quiet = ", ".join(f"{period.starts} - {period.ends}" for period in settings.quiet) or "none"
    say(f"  version {settings.version}, on the watch {settings.acked_version}")
    say(f"  location {'on' if settings.location else 'off'}, a check-in every {settings.checkin_interval_s} s")
    say(f"  quiet {quiet}; language {settings.language}, volume {settings.volume_pct} %")
