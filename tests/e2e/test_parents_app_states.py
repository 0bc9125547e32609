"""The screens that need something to have happened, in four languages: no key left over, nothing cut, found by axe.

Long, for its many reloads. With SMARTWATCH_PICTURES it makes the pictures of these screens.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
import pytest_asyncio
from sqlalchemy import update
from sqlmodel import col

from services.core.conversation.messages.tables import Message
from services.core.devices.alerts.tables import Alert
from services.core.people.consents.tables import Consent
from services.core.people.households.tables import Membership
from services.protocol.words import AlertKind
from tests.e2e.test_parents_app_care import add_grandmother
from tests.e2e.test_parents_app_ways_in import hall_of
from tests.support.phone import Phone
from tests.support.screens import LANGUAGES, axe_faults, speak_language, word_faults
from tests.support.sounds import wav
from tests.support.stage import Stage, Talking, stage, talking

__all__ = ["stage", "talking"]  # fixtures

pytestmark = pytest.mark.long


@dataclass
class Look:
    """What was wrong with the screens that were looked at."""

    faults: dict[str, list[str]] = field(default_factory=dict)

    async def at(self, phone: Phone, name: str, shows: str) -> None:
        """Look at a screen in each language; ``shows``: the selector of what must be there."""
        for language in LANGUAGES:
            await speak_language(phone, language)
            await phone.page.locator(shows).first.wait_for()
            self.faults[f"{name} {language}"] = await word_faults(phone, f"{name}-{language}") + await axe_faults(phone)
        await phone.page.emulate_media(color_scheme="dark")
        self.faults[f"{name} dark"] = await axe_faults(phone)
        await word_faults(phone, f"{name}-dark")
        await phone.page.emulate_media(color_scheme="light")
        await speak_language(phone, "en")
        await phone.page.locator(shows).first.wait_for()


@pytest_asyncio.fixture(loop_scope="session")
async def look() -> AsyncIterator[Look]:
    look = Look()
    yield look
    assert {screen: screen_faults for screen, screen_faults in look.faults.items() if screen_faults} == {}


async def test_the_screens_of_a_call_for_help(talking: Talking, look: Look) -> None:
    phone, watch, stage = talking.phone, talking.watch, talking.stage
    await add_grandmother(talking)
    await phone.tap("Back")
    watch.alerts.raise_alert()
    await look.at(phone, "sos", "[data-testid=sos]")
    await phone.by_id("take-care").click()
    await phone.by_id("take-care-yes").click()
    await phone.by_id("sos").wait_for(state="detached")
    async with stage.play.database.begin() as work:
        await work.run(update(Alert).where(col(Alert.child_id) == talking.home.child_id).values(check_at=work.now))
    await phone.by_id("all-right").first.wait_for()
    await look.at(phone, "check-on-child", "[data-testid=all-right]")
    await phone.by_id("all-right").last.click()
    await phone.page.get_by_role("dialog").wait_for(state="detached")
    watch.alerts.raise_alert(AlertKind.LOW_BATTERY)
    await look.at(phone, "battery", "[data-testid=battery] a")


async def test_the_screens_of_what_ends_and_what_is_asked(talking: Talking, look: Look) -> None:
    phone, watch, stage, home = talking.phone, talking.watch, talking.stage, talking.home
    watch.voice.record("family", wav(1.0))
    await phone.page.locator("[data-testid=play]:not([disabled])").wait_for()
    async with stage.play.database.begin() as work:
        long_ago = col(Message.received_at) - timedelta(days=85)
        await work.run(update(Message).where(col(Message.child_id) == home.child_id).values(received_at=long_ago))
        await work.run(
            update(Membership).where(col(Membership.guardian_id) == home.guardian_id).values(may_locate=True)
        )
        yesterday = col(Consent.given_at) - timedelta(days=1)
        await work.run(update(Consent).where(col(Consent.guardian_id) == home.guardian_id).values(given_at=yesterday))
    await look.at(phone, "keep-all", "[data-testid=keep-all]")
    await phone.tap("Back")
    await look.at(phone, "question-home", "[data-testid=question]")
    await phone.tap("Read it")
    await phone.page.locator(".paper").wait_for()
    await word_faults(phone, "question-paper-en")


async def test_the_screens_before_the_first_consent_and_of_a_phone_that_is_tried(stage: Stage, look: Look) -> None:
    hall = await hall_of(stage)
    phone = await stage.phone()
    await phone.open(f"/log-in#slip={hall.slip}")
    await phone.write("Phone number", hall.phone)
    await phone.tap("Log in")
    await phone.by_id("notice-read").wait_for()
    await look.at(phone, "notice", "[data-testid=notice-read]:not([disabled])")
    await phone.by_id("notice-read").click()
    await phone.by_id("agree").wait_for()
    look.faults["consent"] = await axe_faults(phone) + await word_faults(phone, "consent-en")
    other = await stage.phone()
    await other.open("/check", language=None)
    await look.at(other, "check", "[data-testid=try-record]")
