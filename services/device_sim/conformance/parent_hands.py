"""Whose hands hold the parent's phone while a backend is checked: a tester's, or those of our simulated parent."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Protocol

from services.device_sim.console.console import say
from services.device_sim.parent.parent import SimParent
from services.device_sim.parent.types import has_consent
from services.device_sim.sound import speech_wav


class ParentPress(StrEnum):
    """The request of a step to the parent."""

    PAIR = "pair"
    WRITE_TWO = "write_two"
    SPEAK = "speak"
    READ = "read"
    LOCATION_ON = "location_on"
    LOCATION_OFF = "location_off"
    LOCATE = "locate"
    ACKNOWLEDGE = "acknowledge"
    CHANGE_CONTACTS = "change_contacts"


PARENT_PRESSES: Final = {
    ParentPress.PAIR: "In the parents' app: pair the watch with the code {text}.",
    ParentPress.WRITE_TWO: "In the app: write `one`, then `two`.",
    ParentPress.SPEAK: "In the app: record ten seconds.",
    ParentPress.READ: "In the app: open the child's newest message.",
    ParentPress.LOCATION_ON: "In the app: turn location on.",
    ParentPress.LOCATION_OFF: "In the app: turn location off.",
    ParentPress.LOCATE: "In the app: ask where the child is.",
    ParentPress.ACKNOWLEDGE: "In the app: answer the newest call for help.",
    ParentPress.CHANGE_CONTACTS: "In the app: add a phone contact and approve it.",
}


class ParentHand(Protocol):
    """Presses; `texts` returns the conversation's texts in the app's order, None when nobody can tell."""

    async def press(self, press: ParentPress, text: str = "") -> None:
        """Press, or ask the tester to."""

    async def texts(self) -> list[str] | None:
        """Return the texts of the conversation, oldest first."""


class TesterParentHand:
    """Asks a person at the terminal."""

    async def press(self, press: ParentPress, text: str = "") -> None:
        """Print what to do."""
        say(f"  → {PARENT_PRESSES[press].format(text=text)}")

    async def texts(self) -> list[str] | None:
        """Return None: the steps go on without it."""
        return None


class SimParentHand:
    """A simulated parent who is logged in, and whose family has a child."""

    def __init__(self, parent: SimParent) -> None:
        self._parent = parent
        self._child_id = ""
        self._family_id = ""

    async def begin(self) -> None:
        """Agree to messages and add a child where that has not happened yet."""
        family = (await self._parent.me()).families[0]
        self._family_id = family.family_id
        if not has_consent(family):
            await self._parent.family.consent(self._family_id)
        children = await self._parent.family.children(self._family_id)
        child = children[0] if children else await self._parent.family.create_child(self._family_id, "Mei")
        self._child_id = child.child_id

    async def press(self, press: ParentPress, text: str = "") -> None:
        """Do it by the API."""
        parent, child_id = self._parent, self._child_id
        match press:
            case ParentPress.PAIR:
                await parent.family.pair(child_id, text)
            case ParentPress.WRITE_TWO:
                await parent.write(child_id, "one")
                await parent.write(child_id, "two")
            case ParentPress.SPEAK:
                await parent.voice.speak(child_id, speech_wav(10, 7), "audio/wav")
            case ParentPress.READ:
                ours = [message for message in await parent.history(child_id) if message.direction == "to_family"]
                await parent.mark(child_id, ours[-1].message_id, "played")
            case ParentPress.LOCATION_ON:
                await self._turn_location_on()
            case ParentPress.LOCATION_OFF:
                await parent.places.change_settings(child_id, location=False)
            case ParentPress.LOCATE:
                await parent.places.command(child_id, "locate")
            case ParentPress.ACKNOWLEDGE:
                await parent.places.acknowledge(child_id, (await parent.places.alerts(child_id))[0].alert_id)
            case ParentPress.CHANGE_CONTACTS:
                contact = await parent.family.add_contact(child_id, "Aunt", "aunt", "+8613900139000")
                await parent.family.approve_contact(child_id, contact.contact_id)

    async def _turn_location_on(self) -> None:
        parent = self._parent
        me = await parent.me()
        family = me.families[0]
        if not family.may_locate:
            await parent.family.change_guardian(self._family_id, me.guardian_id, may_locate=True)
        if not has_consent(family, "location"):
            await parent.family.consent(self._family_id, "location", locale=me.locale)
        await parent.places.change_settings(self._child_id, location=True)

    async def texts(self) -> list[str] | None:
        """Return the texts of the conversation, oldest first."""
        return [message.text for message in await self._parent.history(self._child_id) if message.text is not None]
