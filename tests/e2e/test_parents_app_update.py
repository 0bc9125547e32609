"""An update of the server breaks no family: a page of the release before goes on, and a new one waits for a pause."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest_asyncio

from services.web.serving import BUILT, Pages
from tests.support.phone import Phone, left_by_log_in
from tests.support.sounds import wav
from tests.support.stage import Stage, Talking, stage, talking
from tests.support.web_front import Front, running_front

__all__ = ["stage", "talking"]  # fixtures

BEFORE = Path(__file__).parents[1] / "vectors" / "web"


@pytest_asyncio.fixture(loop_scope="session")
async def front(stage: Stage) -> AsyncIterator[Front]:
    """The API of now with the pages of the release before."""
    async with running_front(stage.play.installation.settings, stage.play.database, BEFORE) as front:
        yield front


async def at(front: Front, talking: Talking) -> Phone:
    """Return the phone of a conversation as it would be at this address: with the same session."""
    phone = talking.phone
    state = await phone.context.storage_state()
    token = next(cookie["value"] for cookie in state["cookies"] if cookie["name"] == "sw_refresh")
    left = left_by_log_in(front.url, str(talking.home.guardian_id), token, "en")
    moved = await talking.stage.phone(storage_state=left)
    moved.origin = front.url
    await phone.page.close()
    await moved.page.goto(f"{front.url}/")
    await moved.by_id("child").wait_for()
    return moved


async def version_of(phone: Phone) -> str:
    """Return the build of the page that is open."""
    version: str = await phone.page.evaluate("document.querySelector('script[type=module]').src.split('v=')[1]")
    return version


def build_of(folder: Path) -> str:
    """Return the hash of the build in a folder, as its addresses carry it."""
    return Pages(folder).build


async def test_the_page_of_the_release_before_talks_hears_and_calls_for_help(front: Front, talking: Talking) -> None:
    watch = talking.watch
    phone = await at(front, talking)
    assert await version_of(phone) == build_of(BEFORE)
    await phone.by_id("child").click()
    await replace(talking, phone=phone).speak()
    await watch.wait_until(lambda: talking.voices() == 1)
    recorded = watch.voice.record("family", wav(1.0))
    await phone.page.locator(".bubble.other [data-testid=play]:not([disabled])").click()
    await watch.wait_for("sent_state", wire_id=recorded.wire_id, state="played")
    await phone.tap("More")
    await phone.tap("The watch")
    await phone.sees("Quiet hours")
    watch.alerts.raise_alert()
    await phone.by_id("take-care").click()
    await phone.by_id("take-care-yes").click()
    await phone.by_id("sos").wait_for(state="detached")
    phone.check()


async def test_what_waits_on_a_page_of_before_is_sent_by_the_page_of_now(front: Front, talking: Talking) -> None:
    phone = await at(front, talking)
    await phone.can_start_offline()
    await phone.by_id("child").click()
    await phone.context.set_offline(True)
    await phone.by_id("write").click()
    await phone.write("Write to the child", "before the update")
    await phone.tap("Send")
    await phone.by_id("waiting").wait_for()
    front.pages = Pages(BUILT)
    await phone.context.set_offline(False)
    await phone.page.goto(f"{front.url}/")
    await phone.page.reload()
    assert await version_of(phone) == build_of(BUILT)
    await talking.watch.wait_until(lambda: [item.text for item in talking.watch.inbox()] == ["before the update"])
    # The page is loaded twice: the second one repeats what the first one had sent without reading the answer.
    await phone.until_sent()


async def test_a_newer_page_waits_until_nothing_is_being_said(front: Front, talking: Talking, tmp_path: Path) -> None:
    newer = tmp_path / "newer"
    shutil.copytree(BUILT, newer)
    with (newer / "parents.js").open("a") as file:
        file.write("\n// newer\n")
    front.pages = Pages(BUILT)
    phone = await at(front, talking)
    await phone.can_start_offline()
    await phone.by_id("child").click()
    await phone.touch(phone.by_id("talk"))
    await phone.button("Listen first").wait_for()
    front.pages = Pages(newer)
    script: Any = """() => new Promise(resolve => {
        navigator.serviceWorker.addEventListener("controllerchange", () => resolve(true));
        navigator.serviceWorker.getRegistration().then(one => one.update());
    })"""
    assert await phone.page.evaluate(script)
    # The new worker has taken over, and the recording goes on.
    await phone.page.wait_for_timeout(1_000)
    await phone.by_id("send-voice").click()
    await talking.watch.wait_until(lambda: talking.voices() == 1)
    assert await version_of(phone) == build_of(BUILT)
    async with phone.page.expect_navigation():
        await phone.tap("Back")
    await phone.by_id("child").wait_for()
    assert await version_of(phone) == build_of(newer)
    phone.check()
