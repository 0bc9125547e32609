"""The staff console in a real browser: log-in, what a role sees, the end of an unused session, four languages."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from services.core.people.accounts.tables import Staff
from services.core.people.accounts.totp import code_of, step_of
from tests.support.console import DESK, HAND, PASSWORD, Console, Desk, console
from tests.support.screens import LANGUAGES

__all__ = ["console"]  # a fixture

OWN_PASSWORD = "river-window-copper-5-maps"
NEXT_PASSWORD = "harbour-candle-9-violet-stone"


async def test_the_first_log_in_sets_up_the_app_and_shows_recovery_codes_once(console: Console) -> None:
    place = await console.workplace(1, 1)
    staff = await console.staff(place, "manager", password=PASSWORD)
    desk = await console.empty_desk()
    await desk.page.goto(f"{console.origin}/staff")
    await desk.write("E-mail address", staff.email)
    await desk.write("Password", PASSWORD)
    await desk.write("Code", "000000")
    await desk.tap("Log in")
    await desk.sees("Set up your authenticator app first")
    assert await desk.faults("door") == []
    await desk.tap("I log in for the first time")
    await desk.write("E-mail address", staff.email)
    await desk.write("First password", PASSWORD)
    await desk.tap("Next")
    secret = base64.b32decode(await desk.by_id("secret").inner_text())
    assert await desk.page.locator("img.qr").evaluate("one => one.complete && one.naturalWidth > 0")
    assert await desk.faults("set-up") == []
    step = step_of(datetime.now(UTC))
    await desk.write("Six digits from the app", code_of(secret, step))
    await desk.write("New password", OWN_PASSWORD)
    await desk.write("New password again", "something else entirely")
    await desk.sees("The two passwords differ.")
    await desk.write("New password again", OWN_PASSWORD)
    await desk.tap("Next")
    codes = (await desk.by_id("recovery-codes").inner_text()).split()
    assert len(codes) == 10
    assert await desk.faults("recovery-codes") == []
    await desk.by_id("noted").click()
    await desk.settled()
    # A reload continues; a log-out does not.
    await desk.page.reload()
    await desk.settled()
    await desk.by_id("log-out").click()
    await desk.sees("Programme office")
    await desk.page.reload()
    await desk.write("E-mail address", staff.email)
    await desk.write("Password", OWN_PASSWORD)
    # A code works once.
    await desk.write("Code", code_of(secret, step))
    await desk.tap("Log in")
    await desk.sees("Address, password or code is wrong.")
    await desk.write("Code", codes[0])
    await desk.tap("Log in")
    await desk.settled()
    await _own_account(console, desk, staff, secret)
    kept = await desk.page.evaluate(
        "Promise.all([indexedDB.databases(), caches.keys()]).then(all => all.flat().length)"
    )
    assert kept == 0
    assert set(await desk.page.evaluate("Object.keys(localStorage)")) <= {"locale", "locale-untold"}


async def _own_account(console: Console, desk: Desk, staff: Staff, secret: bytes) -> None:
    """Change the password, make new recovery codes, and see where one is logged in."""

    async def code() -> str:
        # A code works once; the test does not wait half a minute for the next.
        async with console.database.begin() as work:
            (await work.session.get_one(Staff, staff.staff_id)).totp_used_step = None
        return code_of(secret, step_of(datetime.now(UTC)))

    await desk.by_id("nav-account").click()
    await desk.settled()
    assert await desk.by_id("sessions").locator("tbody tr").count() == 1
    password = desk.page.locator("form", has_text="Change the password")
    await password.get_by_label("Your password now").fill("not my password")
    await password.get_by_label("Six digits from the app").fill(await code())
    await password.get_by_label("New password", exact=True).fill(NEXT_PASSWORD)
    await password.get_by_label("New password again").fill(NEXT_PASSWORD)
    await password.get_by_role("button").click()
    await desk.sees("Address, password or code is wrong.")
    await password.get_by_label("Your password now").fill(OWN_PASSWORD)
    await password.get_by_label("Six digits from the app").fill(await code())
    await password.get_by_role("button").click()
    await desk.sees("Your password is changed.")
    renewal = desk.page.locator("form", has_text="Make new codes")
    await renewal.get_by_label("Your password now").fill(NEXT_PASSWORD)
    await renewal.get_by_label("Six digits from the app").fill(await code())
    await renewal.get_by_role("button").click()
    await desk.by_id("recovery-codes").wait_for()
    assert len((await desk.by_id("recovery-codes").inner_text()).split()) == 10
    assert await desk.faults("account") == []
    await desk.tap("I have kept them")
    await desk.by_id("recovery-codes").wait_for(state="detached")


async def test_a_session_that_nobody_uses_asks_and_ends(console: Console) -> None:
    place = await console.workplace(1, 1)
    desk = await console.desk(place, "manager")
    await desk.page.clock.install()
    await desk.page.reload()
    await desk.settled()
    await desk.page.keyboard.press("Shift")
    await desk.page.clock.fast_forward("29:01")
    await desk.sees("Are you still there?")
    assert await desk.faults("ending") == []
    # Only an answer counts now, not a key that falls on the page.
    await desk.page.keyboard.press("Shift")
    await desk.sees("It closes in")
    await desk.by_id("stay").click()
    await desk.text("Are you still there?").wait_for(state="detached")
    await desk.page.clock.fast_forward("29:30")
    await desk.sees("It closes in")
    # The laptop sleeps and wakes after the end.
    await desk.page.clock.fast_forward("10:00")
    await desk.sees("You were logged out.")
    await desk.page.reload()
    await desk.sees("Programme office")


async def test_a_session_that_ends_on_the_server_says_so_at_the_next_step(console: Console) -> None:
    place = await console.workplace(1, 1)
    desk = await console.desk(place, "manager")
    other = await desk.context.new_page()
    await other.goto(f"{console.origin}/staff")
    await other.locator("main.desk h1").wait_for()
    # Both windows end together.
    await other.get_by_test_id("log-out").click()
    await desk.sees("Programme office")
    # Another session of the same person, ended by a colleague.
    desk = await console.desk(place, "manager")
    await console.end_sessions(desk)
    await desk.tap("Look again")
    await desk.sees("You were logged out.")


@pytest.mark.parametrize("role", ["admin", "manager", "staff", "coordinator", "factory"])
@pytest.mark.long
async def test_each_role_sees_what_it_may_do_and_nothing_else(console: Console, role: str) -> None:
    place = await console.workplace(2, 2)
    desk = await console.desk(place, role)
    if role == "coordinator":
        # Family codes are theirs while a hand-out is open.
        await desk.to("handout")
        await desk.tap("Open the hand-out")
        await desk.by_id("scan").wait_for()
    refused: list[str] = []

    def note(answer: Any) -> None:
        if answer.status in {403, 404}:
            refused.append(answer.url)

    desk.page.on("response", note)
    shown = await desk.page.locator("nav button").evaluate_all("all => all.map(one => one.dataset.testid.slice(4))")
    titles = set(await desk.page.locator("nav button").all_inner_texts())
    # A screen that the navigation shows opens without one refusal; no address opens what it does not show.
    for name in shown:
        await desk.to(name)
    assert refused == []
    if role == "factory":
        assert not {"today", "handout", "families", "watches", "lists"} & set(shown)
        first = await desk.page.locator("main.desk h1").inner_text()
        await desk.to("handout")
        assert await desk.by_id("scan").count() == 0
        assert await desk.page.locator("main.desk h1").inner_text() in {first, *titles}


@pytest.mark.long
async def test_the_first_screens_in_four_languages_light_dark_and_narrow(console: Console) -> None:
    place = await console.workplace(2, 2)
    faults: dict[str, list[str]] = {}
    for scheme in ("light", "dark"):
        desk = await console.desk(place, "manager", color_scheme=scheme)
        for language in LANGUAGES:
            await desk.speak(language)
            faults[f"{language}-{scheme}"] = await desk.faults(f"today-{language}-{scheme}")
        await desk.page.set_viewport_size(HAND)  # type: ignore[arg-type]
        await desk.page.locator("button.menu").click()
        faults[f"menu-{scheme}"] = await desk.faults(f"menu-{scheme}")
    assert {name: screen_faults for name, screen_faults in faults.items() if screen_faults} == {}


@pytest.mark.long
async def test_the_door_and_the_end_of_a_session_in_four_languages(console: Console) -> None:
    place = await console.workplace(1, 1)
    staff = await console.staff(place, "manager", password=PASSWORD)
    faults: dict[str, list[str]] = {}
    door = await console.empty_desk()
    await door.page.goto(f"{console.origin}/staff")
    ending = await console.desk(place, "manager")
    await ending.page.clock.install()
    await ending.page.reload()
    await ending.settled()
    await ending.page.keyboard.press("Shift")

    async def look(name: str) -> None:
        for language in LANGUAGES:
            await door.speak(language)
            for width, size in (("desk", DESK), ("phone", HAND)):
                await door.page.set_viewport_size(size)  # type: ignore[arg-type]
                faults[f"{name}-{language}-{width}"] = await door.faults(f"{name}-{language}-{width}")
            await door.page.set_viewport_size(DESK)  # type: ignore[arg-type]
        await door.speak("en")

    await look("door")
    await door.tap("I log in for the first time")
    await look("first-password")
    await door.write("E-mail address", staff.email)
    await door.write("First password", PASSWORD)
    await door.tap("Next")
    await door.by_id("secret").wait_for()
    await look("authenticator")
    for language in LANGUAGES:
        await ending.speak(language)
        await ending.page.clock.fast_forward("29:01")
        await ending.by_id("stay").wait_for()
        faults[f"ending-{language}"] = await ending.faults(f"ending-{language}")
        await ending.by_id("stay").click()
        await ending.by_id("stay").wait_for(state="detached")
    assert {name: found for name, found in faults.items() if found} == {}
