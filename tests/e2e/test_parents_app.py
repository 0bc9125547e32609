"""Journeys of a parent in a real browser, on the whole product with a simulated watch."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest_asyncio

from services.device_sim.watch.watch import SimWatch
from tests.e2e.conftest import Play
from tests.support.http import Place as Site
from tests.support.http import enrol_family
from tests.support.phone import Phone, running_browser
from tests.support.sounds import wav
from tests.support.world import Home, make_site, make_watch

HOLD_MS = 1_700


@dataclass
class Stage:
    """The product, and a browser whose microphone hears a voice."""

    play: Play
    browser: object

    async def phone(self, **options: object) -> Phone:
        installation = self.play.installation
        sms_file = Path(installation.settings["sms_file"])
        return await Phone.of(self.browser, installation.api_url, sms_file, **options)  # type: ignore[arg-type]


@pytest_asyncio.fixture(loop_scope="session")
async def stage(play: Play, tmp_path: Path) -> AsyncIterator[Stage]:
    voice = tmp_path / "voice.wav"
    voice.write_bytes(wav(20.0))
    async with running_browser(voice) as browser:
        yield Stage(play, browser)


@contextlib.asynccontextmanager
async def on_talk(stage: Stage, home: Home) -> AsyncIterator[tuple[Phone, SimWatch]]:
    """A logged-in phone in the conversation, and the child's paired watch."""
    phone = await stage.phone()
    await phone.open()
    await phone.log_in(home.phone)
    await phone.write("Your name for the child", "Mum")
    await phone.tap("Next")
    async with stage.play.watch(home) as watch:
        shown = await watch.pair()
        await phone.by_id("pair").click()
        await phone.write("The six numbers on the watch", shown.code)
        await phone.tap("Connect the watch with Mei")
        await watch.wait_for("paired")
        await phone.tap("Talk with Mei")
        await phone.by_id("allow").click()
        await phone.by_id("talk").wait_for()
        yield phone, watch
    phone.check()


async def test_from_the_sms_to_the_first_heard_voice(stage: Stage) -> None:
    async with stage.play.database.begin() as work:
        site, cohort = await make_site(work)
    number = "+8613900010001"
    family_id = await enrol_family(stage.play.database, number, Site(site, cohort))
    async with stage.play.database.begin() as work:
        device, secret = await make_watch(work, site.site_id, family_id)
        await work.notify("broker_users")
    phone = await stage.phone()
    await phone.open()
    await phone.log_in(number)
    await phone.sees("What you agree to")
    await phone.tap("I agree")
    await phone.write("Your name for the child", "Mum")
    await phone.tap("Next")
    await phone.write("The child's name", "Mei")
    await phone.tap("Next")
    home = Home(family_id, family_id, number, family_id, site.site_id, device.serial, secret)
    async with stage.play.watch(home) as watch:
        shown = await watch.pair()
        # The watch's own QR code opens the page with the numbers in it; they are used on a tap only.
        await phone.page.goto(f"{phone.origin}/pair#{shown.code}")
        await phone.by_id("pair").click()
        assert re.fullmatch(rf"{phone.origin}/", phone.page.url)
        await phone.tap("Connect the watch with Mei")
        await watch.wait_for("paired")
        await phone.tap("Talk with Mei")
        await phone.by_id("allow").click()
        await phone.finger_down(phone.by_id("talk"))
        await phone.page.get_by_text("Let go to send").wait_for()
        await phone.page.wait_for_timeout(HOLD_MS)
        await phone.finger_up()
        await watch.wait_for("received")
        await phone.by_id("state").filter(has_text="On the watch").wait_for()
    phone.check()
