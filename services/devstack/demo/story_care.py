"""The second half of the story: where the child is, and a call for help."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable

from services.device_sim.parent.parent import SimParent
from services.device_sim.parent.records import Alert, GivenCommand
from services.device_sim.watch.watch import SimWatch
from services.devstack.demo.steps import WAIT_DEADLINE_S, StoryError, expect

# A school in Dongguan, about; places of a story belong to nobody.
_SCHOOL = (23.0254, 113.7646)
_PLAYGROUND = (23.0251, 113.7652)


class CareStory(ABC):
    """The steps after pairing."""

    family_id = ""
    child_id = ""

    @property
    @abstractmethod
    def watch(self) -> SimWatch:
        """The watch, once it is switched on."""

    @property
    @abstractmethod
    def parent(self) -> SimParent:
        """The parent's phone."""

    @abstractmethod
    async def confirm(self) -> None:
        """Have Mum confirm with a code that it is her: a change of rights asks for it."""

    def care_steps(self) -> list[tuple[str, Callable[[], Awaitable[str]]]]:
        """Return the steps, in order."""
        return [
            ("without consent the watch records no fix, and locating is rejected", self._locate_too_early),
            ("Mum confirms with a code, agrees to places and turns location on: the watch hears it", self._turn_on),
            ("Mum draws a safe zone around the school", self._draw_zone),
            ("the watch checks in: Mum sees where, how old and how exact", self._check_in),
            ("Mum asks where the child is now: the watch answers", self._locate),
            ("the child presses SOS: Mum's phone is told at once", self._call),
            ("Mum takes care: the child is told", self._take_care),
        ]

    async def _locate_too_early(self) -> str:
        expect(self.watch.places.takes_fixes, False, "whether the watch takes fixes")
        try:
            await self.parent.places.command(self.child_id, "locate")
        except Exception as error:
            code = getattr(error, "code", None)
            if code is None:
                raise
            expect(code, "right_missing", "refusal")
            return f"refused: {code}"
        raise StoryError("locating was accepted before consent")

    async def _turn_on(self) -> str:
        me = await self.parent.me()
        await self.confirm()
        await self.parent.family.change_guardian(self.family_id, me.guardian_id, may_locate=True)
        consent = await self.parent.family.consent(self.family_id, "location")
        settings = await self.parent.places.change_settings(self.child_id, location=True)
        await self.watch.wait_until(lambda: self.watch.places.takes_fixes, timeout_s=WAIT_DEADLINE_S)
        return f"consent to text {consent.text_version}; config version {settings.version} is on the watch"

    async def _draw_zone(self) -> str:
        zone = await self.parent.places.draw_circle(self.child_id, "School", *_SCHOOL, 150)
        return f"{zone.name}: the child's whereabouts are {zone.stand}"

    async def _check_in(self) -> str:
        await self.watch.wait_stored(self.watch.places.check_in(*_SCHOOL, 18, source="gps"), timeout_s=WAIT_DEADLINE_S)
        return await self._seen(18)

    async def _locate(self) -> str:
        # Fixes have times in whole seconds: a fix of the same second is not newer.
        await asyncio.sleep(1)
        self.watch.alerts.give_fix(*_PLAYGROUND, 12)
        given: GivenCommand = await self.parent.places.command(self.child_id, "locate")
        answered = await self.watch.wait_for("command_answered", command_kind="locate", timeout_s=WAIT_DEADLINE_S)
        expect(answered["state"], "done", "what the watch answered")
        await self.watch.wait_settled(timeout_s=WAIT_DEADLINE_S)
        state = next(
            command.state
            for command in await self.parent.places.commands(self.child_id)
            if command.command_id == given.command_id
        )
        expect(state, "done", "locate")
        return f"asked by {answered['by']}; {await self._seen(12)}"

    async def _call(self) -> str:
        await self.watch.wait_stored(self.watch.alerts.raise_alert(), timeout_s=WAIT_DEADLINE_S)
        alert = await self._open_alert()
        return f"{alert.kind}, raised {alert.raised_at:%H:%M:%S} UTC; nobody has answered yet"

    async def _take_care(self) -> str:
        alert = await self._open_alert()
        answered = await self.parent.places.acknowledge(self.child_id, alert.alert_id)
        event = await self.watch.wait_for("alert_seen", timeout_s=WAIT_DEADLINE_S)
        expect(answered.acknowledged_at is not None, True, "whether it is acknowledged")
        return f"{event['seen_by']} has seen it, the watch says"

    async def _open_alert(self) -> Alert:
        alerts = [alert for alert in await self.parent.places.alerts(self.child_id) if alert.kind == "sos"]
        expect([alert.acknowledged_at for alert in alerts], [None], "calls for help")
        return alerts[0]

    async def _seen(self, accuracy_m: float) -> str:
        latest = await self.parent.places.latest_place(self.child_id)
        if latest.seen is None:
            raise StoryError("no place is known")
        expect(latest.seen.zone and latest.seen.zone.name, "School", "zone")
        expect(latest.seen.accuracy_m, accuracy_m, "accuracy")
        return f"at School, {latest.seen.age_s} s ago, within {latest.seen.accuracy_m:.0f} m"
