"""Journeys on other phones: tried without a log-in, with an old browser, shared, and with a script from the right."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.support.screens import axe_faults, word_faults
from tests.support.stage import Stage, speak, stage, talking

__all__ = ["stage", "talking"]  # fixtures

# What web/shared/guards.ts and its neighbours ask for before they use it.
OLD_BROWSER = """
    for (const [owner, name] of [
        [Navigator.prototype, "locks"], [Navigator.prototype, "wakeLock"], [Navigator.prototype, "mediaSession"],
        [Navigator.prototype, "vibrate"], [Navigator.prototype, "share"], [Navigator.prototype, "userAgentData"],
        [Navigator.prototype, "clipboard"], [StorageManager.prototype, "persist"],
        [ServiceWorkerRegistration.prototype, "sync"], [window, "SyncManager"], [window, "BroadcastChannel"],
        [window, "PushManager"], [window, "speechSynthesis"], [window, "MediaMetadata"],
        [Crypto.prototype, "randomUUID"], [Array.prototype, "at"], [String.prototype, "replaceAll"],
        [window, "structuredClone"], [Object, "hasOwn"],
    ]) delete owner[name];
"""
FROM_THE_RIGHT = "() => { document.documentElement.dir = 'rtl'; }"


def made_up(text: str) -> str:
    """Return a sentence of a made-up language that is written from the right: as long, with its placeholders."""
    return re.sub(r"(?<!{)\b[A-Za-z]+\b(?!})", lambda word: "ש" * len(word[0]), text)


async def test_a_phone_is_tried_without_a_log_in(stage: Stage) -> None:
    phone = await stage.phone()
    await phone.open("/check", language=None)
    for trial in ("record", "play"):
        await phone.by_id(f"try-{trial}").click()
        if trial == "play":
            await phone.by_id("heard").click()
        await phone.by_id(f"trial-{trial}").get_by_text("This works").wait_for()
    await phone.by_id("try-keep").click()
    await phone.by_id("trial-keep").get_by_text("This works").wait_for()
    assert re.fullmatch(r"11122-C\d+", await phone.by_id("code").inner_text())
    assert await axe_faults(phone) + await word_faults(phone, "check") == []
    await phone.page.get_by_role("button", name="Türkçe").click()
    await phone.sees("Bu telefon neler yapabilir?")
    # Nothing of the trials stays.
    names = await phone.page.evaluate("indexedDB.databases().then(all => all.map(one => one.name))")
    assert "smartwatch-check" not in names
    phone.check()


async def test_a_shared_phone_is_locked_and_says_what_that_is_not(stage: Stage) -> None:
    # Long enough to be in no random id.
    code = "246813579246"
    home = await stage.play.home()
    phone = await stage.admitted(home.phone)
    await phone.show("phones")
    await phone.sees("It is a screen, not a safe.")
    await phone.tap("Turn the lock on")
    await phone.write("New lock code", code)
    await phone.by_id("lock").locator("button[type=submit]").click()
    await phone.sees("The app asks for your code after five minutes.")
    # As if it had lain there for six minutes.
    await phone.page.evaluate("localStorage.setItem('used-at', String(Date.now() - 6 * 60000))")
    await phone.page.reload()
    await phone.sees("This app is locked")
    assert await phone.by_id("settings").count() == 0
    await phone.write("Your lock code", "1111")
    await phone.tap("Open")
    await phone.sees("This code is wrong.")
    await phone.write("Your lock code", code)
    await phone.tap("Open")
    await phone.sees("My phones")
    # The code itself is nowhere on the phone.
    assert code not in json.dumps(await phone.page.evaluate("({...localStorage})"))
    phone.check()


async def test_an_old_browser_without_the_newer_functions_talks_all_the_same(stage: Stage) -> None:
    home = await stage.play.home()
    phone = await stage.admitted(home.phone)
    await phone.context.add_init_script(OLD_BROWSER)
    await phone.page.reload()
    await phone.by_id("child").wait_for()
    assert await phone.page.evaluate("'locks' in navigator || 'PushManager' in window || 'at' in []") is False
    await phone.by_id("child").click()
    await speak(phone)
    await phone.by_id("message").first.wait_for()
    await phone.by_id("play").first.click()
    await phone.button("Stop").wait_for()
    # A network that comes back sends what waited, without locks and without being woken.
    await phone.context.set_offline(True)
    await phone.by_id("write").click()
    await phone.write("Write to the child", "second")
    await phone.tap("Send")
    await phone.by_id("waiting").wait_for()
    await phone.context.set_offline(False)
    await phone.by_id("waiting").wait_for(state="detached")
    assert await phone.by_id("message").count() == 2
    await phone.show("phones")
    await phone.sees("This phone cannot be woken.")
    phone.check()


@pytest.mark.long
async def test_a_script_from_the_right_turns_the_layout_around(stage: Stage) -> None:
    home = await stage.play.home()
    # Words that the service worker keeps are not asked for again.
    phone = await stage.admitted(home.phone, service_workers="block")

    async def in_made_up_words(route: Any) -> None:
        words: dict[str, str] = await (await route.fetch()).json()
        await route.fulfill(json={key: made_up(text) for key, text in words.items()})

    await phone.context.route(re.compile(r"/web/(locale|late)\.en\.json"), in_made_up_words)
    await phone.page.reload()
    await phone.by_id("child").wait_for()
    faults: dict[str, list[str]] = {}
    for name in ("home", "talk", "more", "contacts", "settings", "phones", "guardians"):
        await phone.show(name, str(home.child_id))
        await phone.page.evaluate(FROM_THE_RIGHT)
        faults[name] = await word_faults(phone, f"rtl-{name}")
    assert {screen: screen_faults for screen, screen_faults in faults.items() if screen_faults} == {}
    await phone.show("talk", str(home.child_id))
    back = await phone.page.locator("header.top button.round").bounding_box()
    assert back is not None
    assert back["x"] > 250
    phone.check()
