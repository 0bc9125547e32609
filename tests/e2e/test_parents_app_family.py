"""Journeys of a parent beside the talking: a new phone, places, four languages, and what a screen reader finds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from services.core.people.accounts.tables import LoginChallenge
from tests.support.phone import WIDTH, Phone
from tests.support.stage import Stage, Talking, stage, talking

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
LANGUAGES = {"en": "English", "zh-Hans": "中文", "vi": "Tiếng Việt", "tr": "Türkçe"}
# A key in place of a sentence: `talk.title`.
KEY = re.compile(r"\b[a-z]{3,}\.[a-z_]{3,}\b")

__all__ = ["stage", "talking"]  # fixtures


async def faults_of(phone: Phone) -> list[str]:
    """Return what is wrong with the screen: axe's violations, keys in place of sentences, scrolling sideways."""
    await phone.page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = await phone.page.evaluate(
        "rules => axe.run(document, {runOnly: rules}).then(one => one.violations)", RULES
    )
    faults = [f"{one['id']}: {node['target']}" for one in found for node in one["nodes"]]
    faults += KEY.findall(await phone.page.inner_text("body"))
    if await phone.page.evaluate("document.documentElement.scrollWidth") > WIDTH:
        faults.append("scrolls sideways")
    return faults


async def test_a_new_phone_asks_for_the_pin(stage: Stage) -> None:
    home = await stage.play.home()
    first = await stage.logged_in(home)
    await first.by_id("settings").click()
    await first.by_id("phones").click()
    await first.tap("Set a PIN")
    await first.write("New PIN", "730418")
    await first.page.locator("form button[type=submit]").click()
    await first.sees("Your PIN is set.")
    second = await stage.phone()
    await second.open()
    # A phone gets its next code after a minute: as if it had passed.
    async with stage.play.database.begin() as work:
        await work.run(delete(LoginChallenge))
    await second.log_in(home.phone)
    await second.sees("This phone is new.")
    await second.write("Your PIN", "111222")
    await second.tap("Log in")
    await second.sees("That was not right.")
    await second.write("Your PIN", "730418")
    await second.tap("Log in")
    await second.by_id("child").wait_for()
    first.check()
    second.check()


async def test_opening_the_place_is_one_look_and_nothing_is_before(talking: Talking) -> None:
    phone = talking.phone
    await phone.tap("Back")
    await phone.by_id("settings").click()
    await phone.by_id("consents").click()
    await phone.by_id("part-location").click()
    await phone.by_id("part-change").click()
    await phone.page.get_by_role("dialog").wait_for(state="detached")
    await phone.tap("Back")
    await phone.by_id("guardians").click()
    await phone.page.get_by_role("switch", name="May see the place").check()
    await phone.tap("Back")
    await phone.tap("Back")
    await phone.by_id("child").click()
    await phone.tap("More")
    await phone.tap("The watch")
    await phone.page.get_by_role("switch", name=re.compile("The watch tells its place")).check()
    await phone.tap("Back")
    await phone.tap("Who looked")
    await phone.sees("Nobody has looked yet.")
    await phone.tap("Back")
    await phone.tap("Back")
    await phone.tap("Place")
    await phone.sees("No place is known.")
    await phone.tap("Who looked")
    await phone.sees("Mum looked at the place")
    assert await phone.page.locator("li.row").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_each_language_fits_and_is_found_by_a_screen_reader(stage: Stage, scheme: str) -> None:
    home = await stage.play.home()
    phone = await stage.logged_in(home, color_scheme=scheme)
    faults: dict[str, list[str]] = {}
    for language, own in LANGUAGES.items():
        for screen in ("settings", "phones", "guardians", "consents"):
            await phone.show(screen)
            faults[f"{language} {screen}"] = await faults_of(phone)
        await phone.show("language")
        following = list(LANGUAGES.values())
        await phone.tap(following[(following.index(own) + 1) % len(following)])
        # Choosing a language goes back to where it was chosen from.
        await phone.by_id("part-messages").wait_for()
    assert {screen: found for screen, found in faults.items() if found} == {}
    phone.check()
