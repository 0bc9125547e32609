"""Journeys of a parent who cares from afar: a call for help, the watch's way, questions, rights, and what is kept."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlmodel import col

from services.core.conversation.messages.tables import Message
from services.core.devices.alerts.tables import Alert
from services.core.people.consents.tables import Consent
from services.core.people.households.tables import Membership
from services.protocol.words import AlertKind
from tests.support.sounds import wav
from tests.support.stage import Stage, Talking, stage, talking

__all__ = ["stage", "talking"]  # fixtures

# As if the recorder had run this long already.
LATE_CLOCK = "() => { const now = performance.now.bind(performance); performance.now = () => now() + 52000; }"


async def rewrite(stage: Stage, table: Any, condition: Any, **values: Any) -> None:
    """Let time have passed in the database."""
    async with stage.play.database.begin() as work:
        await work.run(update(table).where(condition).values(**values))


async def add_grandmother(talking: Talking) -> None:
    """Add the person who lives with the child."""
    phone = talking.phone
    await phone.tap("More")
    await phone.tap("People the child can reach")
    await phone.tap("Add a person")
    await phone.write("Name", "Grandma Li")
    await phone.write("Phone number", "+8613912345678")
    await phone.page.locator("form button[type=submit]").click()
    await phone.tap("Lives with the child")
    await phone.tap("Grandma Li said yes")
    await phone.sees("Lives with Mei")
    await phone.tap("Back")
    await phone.tap("Back")


async def test_a_call_names_whom_to_call_and_asks_later_whether_all_is_well(talking: Talking) -> None:
    phone, watch, stage = talking.phone, talking.watch, talking.stage
    await add_grandmother(talking)
    watch.alerts.raise_alert()
    await phone.by_id("sos").wait_for()
    # Whom to call comes before any answer: the person at home, then the emergency number.
    await phone.page.get_by_role("link", name="Call Grandma Li").wait_for()
    links = await phone.by_id("sos").get_by_role("link").all_inner_texts()
    assert links[-2:] == ["Call Grandma Li", "Emergency number 110"]
    await phone.sees("We are not an emergency service.")
    # A network that swallows the answer: after ten seconds nobody was told, and nothing is sent later.
    hung: list[Any] = []

    async def hang(route: Any) -> None:
        hung.append(route)

    await phone.context.route("**/acknowledge", hang)
    await phone.by_id("take-care").click()
    await phone.by_id("take-care-yes").click()
    await phone.sees("Nobody has been told yet. Call:")
    await phone.context.unroute("**/acknowledge")
    assert len(hung) == 1
    await phone.by_id("take-care").click()
    await phone.by_id("take-care-yes").click()
    await phone.by_id("sos").wait_for(state="detached")
    # A quarter of an hour later.
    await rewrite(stage, Alert, Alert.child_id == talking.home.child_id, check_at=col(Alert.raised_at))
    await phone.sees("Is Mei all right?")
    await phone.by_id("all-right").click()
    await phone.page.get_by_role("dialog").wait_for(state="detached")


async def test_who_cannot_help_is_not_rung_and_can_look_again(talking: Talking) -> None:
    phone, watch = talking.phone, talking.watch
    watch.alerts.raise_alert()
    await phone.by_id("cannot-help").click()
    await phone.by_id("sos").wait_for(state="detached")
    await phone.page.reload()
    await phone.tap("Back")
    await phone.sees("Mei called for help. Nobody takes care yet.")
    await phone.tap("Show the call")
    await phone.by_id("sos").wait_for()


async def test_a_low_battery_offers_the_person_at_home(talking: Talking) -> None:
    phone, watch = talking.phone, talking.watch
    await add_grandmother(talking)
    await phone.tap("Back")
    watch.alerts.raise_alert(AlertKind.LOW_BATTERY)
    call = phone.by_id("battery").get_by_role("link", name="Call Grandma Li")
    assert await call.get_attribute("href") == "tel:+8613912345678"
    write = phone.by_id("battery").get_by_role("link", name="Write to Grandma Li")
    assert (await write.get_attribute("href") or "").startswith("sms:+8613912345678?body=Please")
    await phone.tap("It is settled")
    await phone.by_id("battery").wait_for(state="detached")


async def test_a_watch_on_its_way_has_four_steps_to_read_aloud(stage: Stage) -> None:
    home = await stage.play.home()
    phone = await stage.admitted(home.phone)
    async with stage.play.watch(home) as watch:
        shown = await watch.pair()
        await phone.by_id("pair").click()
        await phone.write("The six numbers on the watch", shown.code)
        await phone.tap("Connect the watch with Mei")
        await phone.tap("Talk with Mei")
        await phone.tap("Back")
        await phone.by_id("way").click()
        assert await phone.page.locator("ol.steps li").count() == 4
        await phone.by_id("arrived").click()
        await phone.by_id("child").wait_for()
        await phone.by_id("way").wait_for(state="detached")
    phone.check()


async def test_one_question_a_day_and_not_now_is_as_easy(stage: Stage) -> None:
    home = await stage.play.home()
    await rewrite(stage, Membership, Membership.guardian_id == home.guardian_id, may_locate=True)
    # The first consent was yesterday: today there may be a question.
    await rewrite(
        stage, Consent, Consent.guardian_id == home.guardian_id, given_at=col(Consent.given_at) - timedelta(days=1)
    )
    phone = await stage.admitted(home.phone)
    card = phone.by_id("question")
    await card.wait_for()
    widths = [box["width"] for button in await card.get_by_role("button").all() if (box := await button.bounding_box())]
    assert len(widths) == 2
    assert abs(widths[0] - widths[1]) < 2
    await phone.tap("Read it")
    await phone.page.locator(".paper").wait_for()
    await phone.tap("Back")
    await phone.by_id("not-now").click()
    await card.wait_for(state="detached")
    await phone.page.reload()
    await phone.by_id("child").wait_for()
    assert await card.count() == 0
    phone.check()


async def test_recordings_that_end_are_kept_with_one_tap(talking: Talking) -> None:
    phone, watch, stage = talking.phone, talking.watch, talking.stage
    watch.voice.record("family", wav(1.0))
    await phone.page.locator("[data-testid=play]:not([disabled])").wait_for()
    await phone.page.get_by_role("button", name=re.compile("^until ")).wait_for()
    voice_days = 90
    await rewrite(
        stage, Message, Message.child_id == talking.home.child_id,
        received_at=col(Message.received_at) - timedelta(days=voice_days - 5),
    )  # fmt: skip
    await phone.page.reload()
    await phone.by_id("keep-all").click()
    await phone.by_id("keep-all").wait_for(state="detached")
    await phone.button("Kept").wait_for()


async def test_a_right_that_is_taken_away_closes_the_conversation_and_empties_the_phone(talking: Talking) -> None:
    stage, home = talking.stage, talking.home
    number = await stage.second_guardian(home)
    dad = await stage.admitted(number, "Dad")
    await dad.by_id("child").click()
    await dad.by_id("write").click()
    await dad.write("Write to the child", "canary-8814")
    await dad.tap("Send")
    await dad.by_id("message").wait_for()
    # Mum takes the right away; Dad's screen closes by itself.
    mum = talking.phone
    await mum.tap("Back")
    await mum.by_id("settings").click()
    await mum.by_id("guardians").click()
    card = mum.by_id("guardian").filter(has_text="Dad")
    await card.get_by_role("switch", name="May talk with the child").click()
    await dad.by_id("talk").wait_for(state="detached", timeout=60_000)
    for store in ("kept", "outbox", "sounds", "drafts"):
        assert "canary-8814" not in str(await dad.kept(store))
    # Dad does not agree, and everybody sees it.
    await dad.tap("Back")
    await dad.by_id("settings").click()
    await dad.by_id("guardians").click()
    await dad.by_id("contest").first.click()
    await dad.page.get_by_role("dialog").get_by_role("button", name="May manage").click()
    await dad.by_id("contested").wait_for()
    dad.check()


async def test_a_minute_is_full_and_stays_on_the_phone(talking: Talking) -> None:
    phone = talking.phone
    await phone.touch(phone.by_id("talk"))
    await phone.button("Listen first").wait_for()
    await phone.page.wait_for_timeout(1_200)
    await phone.page.evaluate(LATE_CLOCK)
    await phone.sees("seconds left")
    await phone.sees("One minute is full. You can send it now.")
    assert len(await phone.kept("drafts")) >= 1
    await phone.by_id("send-voice").click()
    await talking.watch.wait_until(lambda: talking.voices() == 1)


async def test_the_child_answers_and_the_number_needs_a_pin(stage: Stage) -> None:
    home = await stage.play.home()
    phone = await stage.admitted(home.phone)
    await phone.by_id("child").click()
    await phone.tap("More")
    await phone.by_id("word").click()
    await phone.sees("This is for you.")
    # Of a child whose age nobody knows nothing is recorded.
    await phone.tap("Mei says yes")
    await phone.sees("The child is not old enough for this yet.")
    await phone.write("Date of birth", f"{datetime.now(UTC).year - 15}-01-31")
    await phone.tap("Save the date")
    await phone.sees("Mei is old enough to be asked.")
    await phone.tap("Mei says yes")
    await phone.sees("Mei said yes. It can be taken back here.")
    await phone.tap("Mei says no")
    await phone.sees("Mei said no. Places are off.")
    await phone.show("number")
    await phone.sees("Set a PIN first.")
    phone.check()
