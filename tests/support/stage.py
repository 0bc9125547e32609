"""A parent's phone on the whole product, in the conversation with a child whose watch is simulated."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest_asyncio

from services.core.devices.contacts.guardians import give_consent, rename_guardian
from services.core.pairing.actions import pair_watch
from services.core.people.accounts.actions import create_guardian
from services.core.people.accounts.tables import Guardian
from services.core.people.consents.rules import Part, Proof, consent_texts
from services.core.people.households.admission import Asker, admit
from services.core.people.households.tables import Membership
from services.device_sim.watch.watch import SimWatch
from tests.e2e.conftest import Play
from tests.support.http import new_phone
from tests.support.phone import Phone, left_by_log_in
from tests.support.world import Home

HOLD_MS = 1_700


@dataclass
class Stage:
    """The product, and a browser whose microphone hears a voice."""

    play: Play
    browser: Any
    phones: list[Phone] = field(default_factory=list)

    async def phone(self, **options: Any) -> Phone:
        """Return a phone that has never been on the page."""
        installation = self.play.installation
        phone = await Phone.of(self.browser, installation.api_url, Path(installation.settings["sms_file"]), **options)
        self.phones.append(phone)
        return phone

    async def logged_in(self, home: Home, **options: Any) -> Phone:
        """Return a phone that has gone through the door, on the first screen of a family."""
        phone = await self.phone(**options)
        await phone.open()
        await phone.log_in(home.phone)
        await phone.write("Your name for the child", "Mum")
        await phone.tap("Next")
        await phone.by_id("child").wait_for()
        return phone

    async def admitted(self, number: str, name: str = "Mum", *, language: str = "en", **options: Any) -> Phone:
        """Return a phone on the first screen, with the session that a log-in would have opened.

        The way through the door has tests of its own.
        """
        async with self.play.database.begin() as work:
            opened = await admit(work, number, Asker(None, "127.0.0.1"))
            guardian = await work.session.get_one(Guardian, opened.guardian_id)
            await rename_guardian(work, guardian, display_name=name, locale=None)
        origin = self.play.installation.api_url
        left = left_by_log_in(origin, str(opened.guardian_id), opened.refresh_token, language)
        phone = await self.phone(storage_state=left, **options)
        await phone.page.goto(f"{phone.origin}/")
        await phone.by_id("child").wait_for()
        return phone

    async def second_guardian(self, home: Home) -> str:
        """Add a father to a family, who talks, manages and has agreed; return the phone number."""
        number = new_phone()
        async with self.play.database.begin() as work:
            guardian = await create_guardian(work, number, "en")
            membership = Membership(
                family_id=home.family_id, guardian_id=guardian.guardian_id, relation="father", is_primary=False,
                may_message=True, may_manage=True, joined_at=work.now,
            )  # fmt: skip
            work.add(membership)
            await work.flush()
            text = consent_texts()[Part.MESSAGES, "en"]
            await give_consent(
                work, membership, part=Part.MESSAGES, text_version=text.text_version, locale="en", proof=Proof()
            )
        return number


@dataclass
class Talking:
    """A logged-in phone in the conversation, and the child's paired watch."""

    stage: Stage
    home: Home
    phone: Phone
    watch: SimWatch

    async def speak(self) -> None:
        """Hold the button, talk, and let go."""
        await speak(self.phone)

    def voices(self) -> int:
        return sum(item.kind == "voice" for item in self.watch.inbox())


async def speak(phone: Phone) -> None:
    """Hold the button of a phone in a conversation, talk, and let go."""
    await phone.finger_down(phone.by_id("talk"))
    await phone.text("Let go to send").wait_for()
    await phone.page.wait_for_timeout(HOLD_MS)
    await phone.finger_up()


@pytest_asyncio.fixture(loop_scope="session")
async def stage(play: Play, browser: Any) -> AsyncIterator[Stage]:
    stage = Stage(play, browser)
    yield stage
    for phone in stage.phones:
        await phone.context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def talking(stage: Stage) -> AsyncIterator[Talking]:
    home = await stage.play.home()
    async with stage.play.watch(home) as watch:
        shown = await watch.pair()
        async with stage.play.database.begin() as work:
            await pair_watch(work, home.guardian_id, home.child_id, shown.code)
        phone = await stage.admitted(home.phone)
        paired = await watch.wait_for("paired")
        await watch.wait_for("online", username=paired["username"])
        await phone.by_id("child").click()
        await phone.by_id("talk").wait_for()
        yield Talking(stage, home, phone, watch)
    phone.check()
