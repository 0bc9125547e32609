"""Journeys of a parent in a real browser, on the whole product with a simulated watch."""

from __future__ import annotations

import re
from typing import Any

from tests.e2e.conftest import VOICE_HZ
from tests.support.http import Place as Site
from tests.support.http import enrol_family, new_phone
from tests.support.phone import running_browser
from tests.support.sounds import heard, wav
from tests.support.stage import Stage, Talking, stage, talking
from tests.support.world import Home, make_site, make_watch

__all__ = ["stage", "talking"]  # fixtures


async def test_from_the_sms_to_the_first_heard_voice(stage: Stage) -> None:
    async with stage.play.database.begin() as work:
        site, cohort = await make_site(work)
    number = new_phone()
    family_id = await enrol_family(stage.play.database, number, Site(site, cohort))
    async with stage.play.database.begin() as work:
        device, secret = await make_watch(work, site.site_id, family_id)
        work.notify("broker_users")
    phone = await stage.phone()
    await phone.open()
    await phone.log_in(number)
    await phone.sees("Who is responsible")
    await phone.by_id("notice-read").click()
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
        await phone.tap("Talk with Mei")
        await phone.by_id("allow").click()
        await Talking(stage, home, phone, watch).speak()
        await watch.wait_for("received")
        await phone.by_id("state").filter(has_text="On the watch").wait_for()
    phone.check()


async def test_the_button_sends_what_was_said_and_nothing_else(talking: Talking) -> None:
    phone, watch = talking.phone, talking.watch
    await talking.speak()
    await watch.wait_until(lambda: talking.voices() == 1)
    # The sound that the child hears is the one that was spoken: its pitch is that of the voice.
    [message] = [item for item in watch.inbox() if item.kind == "voice"]
    given = await talking.stage.play.given_to_watch(talking.home)
    assert abs(pitch_of(given[message.ref][0]) - VOICE_HZ) < 15
    # Too short for a message, too long for a tap.
    await phone.finger_down(phone.by_id("talk"))
    await phone.page.wait_for_timeout(700)
    await phone.finger_up()
    await phone.sees("That was too short")
    # Over to Cancel: nothing is sent, and ten seconds to think again.
    await phone.finger_down(phone.by_id("talk"))
    await phone.text("Let go to send").wait_for()
    await phone.page.wait_for_timeout(1_200)
    await phone.finger_to(phone.page.locator(".target.cancel"))
    await phone.finger_up()
    await phone.sees("Not sent.")
    # For half a second after the lift nothing that appears reacts.
    await phone.page.wait_for_timeout(600)
    await phone.tap("Undo")
    await phone.by_id("send-voice").click()
    await watch.wait_until(lambda: talking.voices() == 2)
    assert await phone.kept("drafts") == []


async def test_a_tap_frees_the_hands_and_what_appears_is_not_pressed_by_it(talking: Talking) -> None:
    phone = talking.phone
    # Down and up at once: the tap's own click must not press what is drawn there next.
    await phone.touch(phone.by_id("talk"))
    await phone.button("Listen first").wait_for()
    await phone.page.wait_for_timeout(1_500)
    await phone.tap("Listen first")
    await phone.page.get_by_role("button", name=re.compile("^Listen ")).click()
    await phone.button("Stop").wait_for()
    await phone.by_id("send-voice").click()
    await talking.watch.wait_until(lambda: talking.voices() == 1)
    # A keyboard's click comes without a finger.
    await phone.by_id("talk").focus()
    await phone.page.keyboard.press("Enter")
    await phone.button("Listen first").wait_for()
    await phone.page.wait_for_timeout(700)
    await phone.page.keyboard.press("Escape")
    await phone.sees("Not sent.")


async def test_days_without_a_network_lose_nothing_and_keep_the_order(talking: Talking) -> None:
    phone, watch = talking.phone, talking.watch
    await phone.can_start_offline()
    await phone.context.set_offline(True)
    await talking.speak()
    await phone.by_id("waiting").nth(0).wait_for()
    await phone.by_id("write").click()
    await phone.write("Write to the child", "second")
    await phone.tap("Send")
    await talking.speak()
    await phone.by_id("waiting").nth(2).wait_for()
    # The page starts without a network, from what the phone kept.
    await phone.page.reload()
    await phone.by_id("waiting").nth(2).wait_for()
    await phone.context.set_offline(False)
    await watch.wait_until(lambda: len(watch.inbox()) == 3)
    assert [item.kind for item in watch.inbox()] == ["voice", "text", "voice"]
    await phone.by_id("waiting").first.wait_for(state="detached")
    await phone.until_sent()


async def test_words_stand_in_their_field_until_the_phone_has_kept_them(talking: Talking) -> None:
    phone = talking.phone
    await phone.page.evaluate("""() => {
        const put = IDBObjectStore.prototype.put;
        window.mend = () => { IDBObjectStore.prototype.put = put; };
        // Only where the words go: what the page keeps beside would fail first, and the words after the mending.
        IDBObjectStore.prototype.put = function (...given) {
            if (this.name === "outbox") throw new DOMException("full", "QuotaExceededError");
            return put.apply(this, given);
        };
    }""")
    await phone.by_id("write").click()
    await phone.write("Write to the child", "kept words")
    await phone.tap("Send")
    await phone.page.locator(".faulty").wait_for()
    assert await phone.page.get_by_label("Write to the child").input_value() == "kept words"
    await phone.page.evaluate("window.mend()")
    await phone.tap("Send")
    await talking.watch.wait_for("received", text="kept words")
    # The failure that was made here is known.
    assert phone.violations
    phone.violations.clear()


async def test_an_answer_that_is_lost_sends_nothing_twice(talking: Talking) -> None:
    phone, watch = talking.phone, talking.watch
    lost = 0

    async def lose(route: Any) -> None:
        nonlocal lost
        if lost == 0:
            lost += 1
            await route.fetch()
            await route.abort()
        else:
            await route.continue_()

    await phone.context.route("**/voice-messages", lose)
    await talking.speak()
    await phone.by_id("waiting").first.wait_for(state="detached")
    await watch.wait_until(lambda: talking.voices() == 1)
    assert lost == 1
    await phone.by_id("message").nth(1).wait_for(state="detached")
    await watch.wait_settled()
    assert talking.voices() == 1


NOTES_TRANSACTIONS = """() => {
    window.transactions = {};
    for (const change of ["put", "delete"]) {
        const original = IDBObjectStore.prototype[change];
        IDBObjectStore.prototype[change] = function (...given) {
            window.transactions[`${change} ${this.name}`] ??= this.transaction;
            return original.apply(this, given);
        };
    }
}"""


async def test_a_page_that_is_killed_while_recording_keeps_the_draft(talking: Talking) -> None:
    phone = talking.phone
    await phone.touch(phone.by_id("talk"))
    await phone.button("Listen first").wait_for()
    await phone.page.wait_for_timeout(2_500)
    assert len(await phone.kept("drafts")) >= 1
    await phone.die()
    await phone.page.goto(f"{phone.origin}/")
    await phone.by_id("child").click()
    await phone.sees("You were interrupted")
    await phone.page.evaluate(NOTES_TRANSACTIONS)
    await phone.by_id("send-voice").click()
    await talking.watch.wait_until(lambda: talking.voices() == 1)
    # Killed at whatever moment, it is a draft or a message, never both.
    put, removed = "transactions['put outbox']", "transactions['delete drafts']"
    assert await phone.page.evaluate(f"() => Boolean({put}) && {put} === {removed}")
    assert await phone.kept("drafts") == []


async def test_what_the_child_says_is_played_in_a_row_and_told_as_heard(talking: Talking) -> None:
    phone, watch = talking.phone, talking.watch
    first, second = [watch.voice.record("family", wav(1.0)) for _ in range(2)]
    await phone.by_id("play").nth(1).wait_for()
    await phone.page.locator("[data-testid=play]:not([disabled])").nth(1).wait_for()
    await phone.by_id("play").first.click()
    await watch.wait_for("sent_state", wire_id=first.wire_id, state="played")
    await watch.wait_for("sent_state", wire_id=second.wire_id, state="played")


async def test_a_call_for_help_rings_until_somebody_takes_care(talking: Talking) -> None:
    phone, watch = talking.phone, talking.watch
    watch.alerts.raise_alert()
    await phone.by_id("sos").wait_for()
    await phone.page.get_by_role("link", name=re.compile("Emergency number")).wait_for()
    # Without an answer nobody has been told, and nothing is sent later.
    await phone.context.set_offline(True)
    await phone.by_id("take-care").click()
    await phone.by_id("take-care-yes").click()
    await phone.sees("Nobody has been told yet")
    await phone.context.set_offline(False)
    await phone.by_id("take-care").click()
    await phone.by_id("take-care-yes").click()
    await phone.by_id("sos").wait_for(state="detached")


async def test_an_erased_child_leaves_nothing_on_the_phone(talking: Talking) -> None:
    phone = talking.phone
    await phone.by_id("write").click()
    await phone.write("Write to the child", "canary-7351")
    await phone.tap("Send")
    await phone.by_id("message").first.wait_for()
    await phone.tap("More")
    await phone.by_id("erase").click()
    await phone.write("Type Mei to confirm", "Mei")
    await phone.tap("Erase everything")
    await phone.sees("Who is the watch for?")
    for store in ("kept", "outbox", "sounds", "drafts"):
        assert "canary-7351" not in str(await phone.kept(store))


async def test_refused_microphone_says_where_to_allow_it(stage: Stage) -> None:
    home = await stage.play.home()
    async with running_browser(allows=False) as browser:
        phone = await Stage(stage.play, browser).admitted(home.phone, permissions=[])
        await phone.page.evaluate("localStorage.removeItem('mic')")
        await phone.by_id("child").click()
        await phone.by_id("allow").click()
        await phone.page.get_by_role("alert").wait_for()
        await phone.by_id("write").click()
        await phone.write("Write to the child", "I can still write")
        await phone.tap("Send")
        await phone.by_id("message").wait_for()
        phone.check()


def pitch_of(sound: bytes) -> float:
    """Return the pitch of a recording in Hz: the shift within a voice's range at which it resembles itself most."""
    samples = heard(sound)
    middle = samples[len(samples) // 3 : len(samples) // 3 + 2_000]

    def likeness(shift: int) -> int:
        return sum(a * b for a, b in zip(middle, middle[shift:], strict=False))

    return 8_000 / max(range(8_000 // 260, 8_000 // 110), key=likeness)
