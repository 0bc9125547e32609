"""A parent's phone on the whole product, in the conversation with a child whose watch is simulated."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest_asyncio

from services.device_sim.watch.watch import SimWatch
from tests.e2e.conftest import Play
from tests.support.phone import Phone, running_browser
from tests.support.sounds import wav
from tests.support.world import Home

HOLD_MS = 1_700
VOICE_HZ = 180.0


@dataclass
class Stage:
    """The product, and a browser whose microphone hears a voice."""

    play: Play
    browser: Any

    async def phone(self, **options: Any) -> Phone:
        """Return a phone that has never been on the page."""
        installation = self.play.installation
        return await Phone.of(
            self.browser, installation.api_url, Path(installation.settings["sms_file"]), **options
        )  # fmt: skip

    async def logged_in(self, home: Home, **options: Any) -> Phone:
        """Return a phone on the first screen of a family."""
        phone = await self.phone(**options)
        await phone.open()
        await phone.log_in(home.phone)
        await phone.write("Your name for the child", "Mum")
        await phone.tap("Next")
        await phone.by_id("child").wait_for()
        return phone


@dataclass
class Talking:
    """A logged-in phone in the conversation, and the child's paired watch."""

    stage: Stage
    home: Home
    phone: Phone
    watch: SimWatch

    async def speak(self) -> None:
        """Hold the button, talk, and let go."""
        await self.phone.finger_down(self.phone.by_id("talk"))
        await self.phone.text("Let go to send").wait_for()
        await self.phone.page.wait_for_timeout(HOLD_MS)
        await self.phone.finger_up()

    def voices(self) -> int:
        return sum(one.kind == "voice" for one in self.watch.inbox())


@pytest_asyncio.fixture(loop_scope="session")
async def stage(play: Play, tmp_path: Path) -> AsyncIterator[Stage]:
    voice = tmp_path / "voice.wav"
    voice.write_bytes(wav(20.0, pitch_hz=VOICE_HZ))
    async with running_browser(voice) as browser:
        yield Stage(play, browser)


@pytest_asyncio.fixture(loop_scope="session")
async def talking(stage: Stage) -> AsyncIterator[Talking]:
    home = await stage.play.home()
    phone = await stage.logged_in(home)
    async with stage.play.watch(home) as watch:
        shown = await watch.pair()
        await phone.by_id("pair").click()
        await phone.write("The six numbers on the watch", shown.code)
        await phone.tap("Connect the watch with Mei")
        await phone.tap("Talk with Mei")
        await phone.by_id("allow").click()
        await phone.by_id("talk").wait_for()
        yield Talking(stage, home, phone, watch)
    phone.check()
