"""Journeys between two windows of a browser: a parent's phone, and the watch on the screen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from services.core.pairing.actions import pair_watch
from services.devstack.demo.office import HandedOut
from services.devstack.demo.screen import ScreenProcess
from tests.e2e.conftest import VOICE_HZ
from tests.e2e.test_parents_app import pitch_of
from tests.support.phone import HEIGHT, WIDTH, Phone
from tests.support.screens import LANGUAGES, axe_faults, take_picture, word_faults
from tests.support.stage import HOLD_MS, Stage, speak, stage
from tests.support.world import Home

__all__ = ["stage"]  # a fixture

PATIENCE_MS = 45_000


@dataclass
class Desk:
    """The page of a watch, as a phone of its own kind, and the family that it was handed out to."""

    home: Home
    stage: Stage
    window: Phone

    async def pair(self) -> str:
        """Show a code and have the parent enter it; return the child's name on the watch."""
        window = self.window
        await window.by_id("pair").click()
        await window.page.locator(".code img").wait_for()
        code = await window.by_id("code").inner_text()
        async with self.stage.play.database.begin() as work:
            await pair_watch(work, self.home.guardian_id, self.home.child_id, code)
        await self.shows("Online")
        return await window.page.locator(".name").inner_text()

    async def shows(self, state: str) -> None:
        """Wait until the watch is in a state, by the words beside it."""
        await self.window.by_id("status").get_by_text(state, exact=True).wait_for()

    async def go_home(self) -> None:
        """Go back to the first screen."""
        back = self.window.page.get_by_role("button", name="Back", exact=True)
        while await back.count():
            await back.click()

    async def set_battery(self, pct: int) -> None:
        await self.window.by_id("battery").fill(str(pct))

    async def switch_network(self) -> None:
        await self.window.page.get_by_role("switch", name="Network (off: in a lift)").click()

    async def hold_space(self, test_id: str, until: str, *, ms: int = 0) -> None:
        """Hold a button with the keyboard for a while, and until something is shown."""
        await self.window.by_id(test_id).focus()
        await self.window.page.keyboard.down(" ")
        await self.window.page.locator(until).first.wait_for()
        await self.window.page.wait_for_timeout(ms)
        await self.window.page.keyboard.up(" ")


@pytest_asyncio.fixture(loop_scope="session")
async def desk(stage: Stage) -> AsyncIterator[Desk]:
    home, installation = await stage.play.home(), stage.play.installation
    served = ScreenProcess(
        HandedOut(home.serial, home.secret, home.phone, ""), stage.play.folder / home.serial,
        broker_port=installation.ports["mosquitto_tls_port"], tls_ca_file=installation.tls_ca_file,
    )  # fmt: skip
    await asyncio.to_thread(served.__enter__)
    try:
        address = served.address
        origin = address.partition("/watch")[0]
        window = await Phone.of(
            stage.browser, origin, stage.play.folder / "none", viewport={"width": 1280, "height": 760}, has_touch=False
        )
        stage.phones.append(window)
        # What the watch shows comes from two processes and a browser, on a machine that may be busy.
        window.context.set_default_timeout(PATIENCE_MS)
        await window.page.goto(address)
        await window.by_id("face").wait_for()
        yield Desk(home, stage, window)
        window.check()
    finally:
        await asyncio.to_thread(served.__exit__, None, None, None)


async def test_a_parent_and_a_watch_on_the_screen_talk_with_their_own_voice(desk: Desk) -> None:
    window, home = desk.window, desk.home
    # The secret of the run is in no picture of the screen, and not in the history.
    assert "#" not in window.page.url
    assert await desk.pair() != ""
    phone = await desk.stage.admitted(home.phone)
    await phone.by_id("child").click()
    await phone.by_id("talk").wait_for()

    # Up: the child holds the space bar. What the server stored has the pitch of the voice.
    await window.by_id("people").click()
    await window.by_id("to").first.click()
    await desk.hold_space("talk", ".mouth.on", ms=HOLD_MS)
    await window.by_id("talk-note").get_by_text("Sent", exact=True).wait_for()
    await phone.by_id("play").first.wait_for()
    [(_, _, sound)] = (await desk.stage.play.said_by_child(home)).values()
    assert sound is not None
    assert abs(pitch_of(sound) - VOICE_HZ) < 15
    await desk.go_home()

    # Down: the parent speaks, the watch shows it, plays it, and the parent is told.
    await speak(phone)
    await window.page.locator(".badge").wait_for()
    await window.by_id("inbox").click()
    await window.by_id("item").first.click()
    await phone.by_id("state").filter(has_text="Heard").wait_for()
    await desk.go_home()

    # SOS: a short press does nothing. Held, the phone rings, and the watch shows who takes care.
    await desk.hold_space("sos", ".sos-button.down")
    await window.page.locator(".hint").get_by_text("Hold for three seconds").wait_for()
    await desk.hold_space("sos", "[data-testid=sos-state]")
    await window.by_id("sos-close").click()
    await phone.by_id("take-care").click()
    await phone.by_id("take-care-yes").click()
    await window.by_id("sos-state").filter(has_text="has seen it").wait_for()
    await window.by_id("sos-close").click()

    # A message without a network waits, and arrives.
    await desk.switch_network()
    await desk.shows("No network: everything is kept")
    await window.by_id("people").click()
    await window.by_id("to").first.click()
    await window.page.get_by_role("group", name="Send a picture").get_by_role("button").first.click()
    await desk.shows("1 message waits on the watch")
    await desk.switch_network()
    await phone.page.locator(".bubble.other .emoji").wait_for()

    # A flat watch is dark; charged, it is the same one.
    await desk.set_battery(0)
    await desk.shows("Flat battery")
    await desk.set_battery(80)
    await desk.shows("Online")
    await window.by_id("step").filter(has_text="All steps are done").wait_for()

    # The log pairs the recording with its receipt.
    end = window.by_id("frame").filter(has_text="/end")
    await end.click()
    await window.page.get_by_text('"code": "stored"').first.wait_for()
    assert await axe_faults(window) == []
    await window.page.emulate_media(color_scheme="dark")
    assert await axe_faults(window) == []
    phone.check()


@pytest.mark.long
async def test_the_watch_on_the_screen_in_each_language_and_on_a_small_window(desk: Desk) -> None:
    window, home, faults = desk.window, desk.home, dict[str, list[str]]()

    async def choose(language: str) -> None:
        """Choose a language; the screen stays where it is."""
        await window.page.locator(".language select").select_option(language)
        await window.page.locator(f"html[lang={language}]").wait_for()

    async def look(name: str) -> None:
        """Look at the watch in each language, on a small window and at a laptop's size, and in the dark."""
        for language in LANGUAGES:
            await window.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
            await choose(language)
            faults[f"{name} {language}"] = await word_faults(window, f"full-watch-{name}-{language}")
            await window.page.set_viewport_size({"width": 1280, "height": 760})
            faults[f"{name} {language} axe"] = await axe_faults(window)
            await take_picture(window, f"watch-{name}-{language}")
        await choose("en")
        await window.page.emulate_media(color_scheme="dark")
        faults[f"{name} dark"] = await axe_faults(window)
        await take_picture(window, f"watch-{name}-dark")
        await window.page.emulate_media(color_scheme="light")

    await look("unpaired")
    await window.by_id("pair").click()
    await window.by_id("code").wait_for()
    await look("code")
    await window.page.get_by_role("button", name="Cancel").click()
    await desk.pair()
    await window.by_id("people").click()
    await look("people")
    await window.by_id("to").first.click()
    await look("talk")
    await desk.go_home()
    async with desk.stage.play.parent(home.phone) as parent:
        halves = [("00:00", "12:00"), ("12:00", "00:00")]
        quiet = [{"days": list(range(1, 8)), "starts": starts, "ends": ends} for starts, ends in halves]
        await parent.places.change_settings(str(home.child_id), quiet=quiet)
        await desk.shows("Quiet hours: messages make no sound")
        await desk.switch_network()
        await desk.shows("No network: everything is kept")
        await look("quiet-offline")
        await desk.switch_network()
        await desk.shows("Online")
        await parent.places.command(str(home.child_id), "lost")
        await desk.shows("Reported lost: locked")
        await look("lost")
    await desk.set_battery(0)
    await desk.shows("Flat battery")
    await look("flat")
    assert {screen: screen_faults for screen, screen_faults in faults.items() if screen_faults} == {}
