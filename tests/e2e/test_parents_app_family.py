"""Journeys of a parent beside the talking: a new phone, places, four languages, and what a screen reader finds."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from sqlalchemy import delete

from services.core.people.accounts.tables import LoginChallenge
from tests.support.phone import Phone
from tests.support.screens import LANGUAGES, axe_faults, speak_language, word_faults
from tests.support.stage import Stage, Talking, stage, talking

if TYPE_CHECKING:
    from playwright.async_api import Route

__all__ = ["stage", "talking"]  # fixtures


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
    await phone.switch_on("May see the place")
    await phone.tap("Back")
    await phone.tap("Back")
    await phone.by_id("child").click()
    await phone.tap("More")
    await phone.tap("The watch")
    await phone.switch_on(re.compile("The watch tells its place"))
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
    # Where the child is now becomes a safe place, drawn while its size is chosen.
    await phone.tap("Back")
    talking.watch.alerts.give_fix(22.5431, 114.0579, 30)
    await phone.tap("Ask the watch")
    sketch = phone.page.locator("svg.sketch")
    await sketch.wait_for()
    # The screen was opened twice; however "done" and the place came, the answer is one look and one at the safe places.
    await phone.tap("Who looked")
    looks = phone.page.locator("li.row", has_text="looked at the place")
    await looks.nth(3).wait_for()
    assert await looks.count() == 4
    await phone.tap("Back")
    await sketch.wait_for()
    await phone.by_id("new-zone").click()
    await phone.write("Name of the place", "Home")
    assert await sketch.locator("circle.zone").count() == 1
    await phone.tap("Save this place")
    await phone.page.locator("li.row", has_text="Home").wait_for()
    await sketch.get_by_text("Home").wait_for()
    assert await axe_faults(phone) + await word_faults(phone, "place-zone-en") == []


OF_PARENT = ("home", "settings", "phones", "number", "guardians", "consents", "language", "question")
OF_CHILD = ("talk", "place", "more", "contacts", "quiet", "looks", "help", "word", "way", "erase", "pair")


async def each_screen(phone: Phone, child_id: str) -> AsyncIterator[str]:
    """Go through the screens of a parent and of a child."""
    for name in OF_PARENT:
        await phone.show(name)
        yield name
    for name in OF_CHILD:
        await phone.show(name, child_id)
        yield name


async def test_a_screen_that_got_no_answer_reads_again_by_itself(talking: Talking) -> None:
    phone = talking.phone
    refused = 0

    async def refuse(route: Route) -> None:
        nonlocal refused
        refused += 1
        # A server that is starting, then no network.
        await (route.fulfill(status=503, json={"code": "try_again"}) if refused == 1 else route.abort())

    await phone.page.route("**/guardians", refuse, times=2)
    await phone.tap("Back")
    await phone.by_id("settings").click()
    await phone.by_id("guardians").click()
    await phone.page.get_by_role("alert").wait_for()
    await phone.by_id("guardian").first.wait_for()
    assert refused == 2
    await phone.page.get_by_role("alert").wait_for(state="detached")
    phone.check()


async def test_screens_that_could_not_be_fetched_are_fetched_again(stage: Stage) -> None:
    home = await stage.play.home()
    phone = await stage.phone(service_workers="block")
    refused = 0

    async def refuse(route: Route) -> None:
        nonlocal refused
        refused += 1
        await route.abort()

    # Without a display name the first screen is one of the later part.
    await phone.context.route("**/web/late.*.json*", refuse, times=2)
    await phone.open()
    await phone.log_in(home.phone)
    await phone.page.get_by_role("alert").wait_for()
    await phone.write("Your name for the child", "Mum")
    assert refused == 2


async def test_every_screen_is_found_by_a_screen_reader_in_light_and_dark(stage: Stage) -> None:
    home = await stage.play.home()
    phone = await stage.admitted(home.phone)
    faults: dict[str, list[str]] = {}
    async for name in each_screen(phone, str(home.child_id)):
        for scheme in ("light", "dark"):
            await phone.page.emulate_media(color_scheme=scheme)
            faults[f"{name} {scheme}"] = await axe_faults(phone)
    assert {screen: screen_faults for screen, screen_faults in faults.items() if screen_faults} == {}
    phone.check()


async def test_every_screen_fits_in_each_language(stage: Stage) -> None:
    home = await stage.play.home()
    phone = await stage.admitted(home.phone)
    faults: dict[str, list[str]] = {}
    for language in LANGUAGES:
        await speak_language(phone, language)
        async for name in each_screen(phone, str(home.child_id)):
            faults[f"{language} {name}"] = await word_faults(phone, f"{name}-{language}")
    # Twice as large letters, in the language with the longest words.
    await phone.page.evaluate("document.documentElement.style.fontSize = '200%'")
    async for name in each_screen(phone, str(home.child_id)):
        faults[f"large {name}"] = await word_faults(phone, f"large-{name}")
    assert {screen: screen_faults for screen, screen_faults in faults.items() if screen_faults} == {}


async def test_a_language_is_chosen_and_told_to_the_server(stage: Stage) -> None:
    home = await stage.play.home()
    phone = await stage.admitted(home.phone)
    await phone.show("language")
    async with phone.page.expect_response(
        lambda response: response.url.endswith("/v1/me") and response.request.method == "PATCH"
    ):
        await phone.tap("Tiếng Việt")
    await phone.page.locator("html[lang=vi]").wait_for()
    await phone.page.reload()
    await phone.page.locator("html[lang=vi]").wait_for()
    phone.check()
