"""Quiet hours and shifts, as the watch knows them from its settings and contacts."""

from __future__ import annotations

from datetime import datetime

from services.device_sim.watch.body import WatchBody
from services.device_sim.watch.hours import on_shift_until, wall_clock


class WallClock:
    """The clock of the watch, as the child reads it: `watch.clock`."""

    def __init__(self, body: WatchBody) -> None:
        self._body = body
        self._store = body.store

    @property
    def is_quiet(self) -> bool:
        """Whether messages arrive silently now. An SOS never waits."""
        return self._body.is_quiet()

    @property
    def shown(self) -> str | None:
        """The time on the screen, at the child's place: "08:15". None before the first `down/time`."""
        now = self._body.server_now()
        return None if now is None else f"{wall_clock(self._store.config(), now):%H:%M}"

    def at_its_place(self) -> datetime:
        """Return the right time on a wall clock at the child's place."""
        return wall_clock(self._store.config(), self._body.right_now())

    def on_shift_until(self, contact_id: str) -> str | None:
        """Return until when a contact is on shift, on the child's wall clock: "18:00", on another day "Tue 02:00".

        None without a shift or after its end. KeyError for an unknown contact.
        """
        contacts = {contact.id: contact for contact in self._store.contacts()}
        now, config = self._body.server_now(), self._store.config()
        until_tst = on_shift_until(contacts[contact_id], now)
        if until_tst is None or now is None:
            return None
        until = wall_clock(config, until_tst)
        return f"{until:%H:%M}" if until.date() == wall_clock(config, now).date() else f"{until:%a %H:%M}"
