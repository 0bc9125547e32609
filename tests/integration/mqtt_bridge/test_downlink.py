"""Waiting items reach a watch in order, one at a time, again when it is silent, and never after it is unpaired."""

from __future__ import annotations

import uuid

from services.core.conversation.messages.actions import mark_by_guardian, send_to_child
from services.core.conversation.messages.expiry import expire_one_message
from services.core.conversation.messages.queries import conversation
from services.core.conversation.messages.rules import RecipientState, text_body
from services.core.devices.contacts.actions import propose_contact
from services.core.devices.contacts.rules import phone_contact
from services.core.devices.watch_settings.actions import SettingsChange, change_settings
from services.core.devices.watch_settings.quiet_rules import QuietTime
from services.core.pairing.sweep import announce_overdue
from services.core.people.households.tables import Child
from tests.support.clock import FakeClock
from tests.support.watch import Stand
from tests.support.world import Home


async def _send(stand: Stand, home: Home, words: str) -> uuid.UUID:
    async with stand.database.begin() as work:
        sent = await send_to_child(work, home.child_id, home.guardian_id, str(uuid.uuid4()), text_body(words))
        return sent.message_id


async def _states(stand: Stand, home: Home) -> list[str]:
    async with stand.database.begin() as work:
        child = await work.session.get_one(Child, home.child_id)
        views = await conversation(work, child, home.guardian_id)
        return [view.recipients[0].state for view in reversed(views)]


async def _expire_all(stand: Stand) -> int:
    expired = 0
    while True:
        async with stand.database.begin() as work:
            if not await expire_one_message(work):
                return expired
        expired += 1


async def test_hello_brings_time_contacts_config_and_the_first_item_in_this_order(stand: Stand) -> None:
    home, worn = await stand.home()
    await _send(stand, home, "one")
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.say("hello", {"conn": "n1"})
        assert await watch.leaves_until("item") == ["time", "contacts", "config", "item"]


async def test_items_come_one_at_a_time_in_the_order_of_the_server(stand: Stand) -> None:
    home, worn = await stand.home()
    for words in ("one", "two", "three"):
        await _send(stand, home, words)
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello()
        for expected in ("one", "two", "three"):
            item = await watch.hears("item")
            assert item["text"] == expected
            ref = item["topic"].split("/")[1]
            await watch.say("receipt", {"ref": ref, "state": "delivered"})
            answer = await watch.hears("receipt")
            assert (answer["ref"], answer["state"], answer["code"]) == (ref, "delivered", "stored")
            await watch.say("receipt", {"ref": ref, "state": "delivered"})
            assert (await watch.hears("receipt"))["code"] == "stored"
    assert await _states(stand, home) == ["delivered"] * 3


async def test_silence_brings_the_announcement_again_and_later_puts_it_off(stand: Stand, clock: FakeClock) -> None:
    home, worn = await stand.home()
    await _send(stand, home, "one")
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello()
        first = await watch.hears("item")
        await watch.say("receipt", {"ref": first["topic"].split("/")[1], "state": "later"})
        await watch.hears("receipt")
        clock.advance(seconds=120)
        async with stand.database.begin() as work:
            await announce_overdue(work)
        clock.advance(seconds=300)
        await watch.say("receipt", {"ref": "nothing", "state": "delivered"})
        await watch.hears("receipt")
        async with stand.database.begin() as work:
            await announce_overdue(work)
        again = await watch.hears("item")
        assert again["topic"] == first["topic"]


async def test_a_changed_contact_list_is_sent_at_once_and_repaired_at_hello(stand: Stand) -> None:
    home, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello()
        contacts = await watch.hears("contacts")
        await watch.say("ack", {"ref": "contacts", "version": contacts["version"], "state": "done"})
        async with stand.database.begin() as work:
            child = await work.session.get_one(Child, home.child_id)
            aunt = phone_contact(
                name="Aunt", relation="aunt", number="+8613900139000", may_call=True, emergency=False, region="CN"
            )
            await propose_contact(work, child, home.guardian_id, aunt, approved=True)
        changed = await watch.hears("contacts")
        assert changed["version"] == contacts["version"] + 1
        assert [contact["name"] for contact in changed["contacts"]] == ["Mum", "Aunt"]
        # The watch came back with an old list: whatever differs is repaired.
        await watch.hello(contacts_version=77, config_version=1)
        assert (await watch.hears("contacts"))["version"] == changed["version"]


async def test_changed_settings_are_told_whole_until_acknowledged_and_repaired_at_hello(stand: Stand) -> None:
    home, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello()
        first = await watch.hears("config")
        assert first["location"] is False
        await watch.say("ack", {"ref": "config", "version": first["version"], "state": "done"})
        change = SettingsChange(
            checkin_interval_s=900, language="vi", volume_pct=40, quiet=[QuietTime((1, 2), "08:00", "11:30")]
        )
        async with stand.database.begin() as work:
            child = await work.session.get_one(Child, home.child_id)
            await change_settings(work, child, home.guardian_id, change)
        changed = await watch.hears("config")
        assert changed["version"] == first["version"] + 1
        settings = {name: changed[name] for name in ("checkin_interval_s", "language", "volume_pct", "quiet")}
        assert settings == {
            "checkin_interval_s": 900, "language": "vi", "volume_pct": 40,
            "quiet": [{"days": [1, 2], "from": "08:00", "to": "11:30"}],
        }  # fmt: skip
        await watch.say("ack", {"ref": "config", "version": changed["version"], "state": "done"})
        await watch.hello(config_version=changed["version"])
        await _send(stand, home, "nothing to repair")
        assert "config" not in await watch.leaves_until("item")
        # The watch came back with another configuration: whatever differs is repaired, also a higher version.
        await watch.hello(config_version=77)
        repaired = await watch.hears("config")
        assert {**repaired, "utc_offset_s": 0} == {**changed, "utc_offset_s": 0}


async def test_what_became_of_the_childs_message_is_told_until_it_was_seen(stand: Stand) -> None:
    home, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello()
        await watch.say("text", {"id": "t81kd02mq7zr", "to": "g-1", "text": "hi"})
        await watch.hears("receipt")
        async with stand.database.begin() as work:
            child = await work.session.get_one(Child, home.child_id)
            message = (await conversation(work, child, home.guardian_id))[0].message
            await mark_by_guardian(work, home.child_id, message.message_id, home.guardian_id, RecipientState.PLAYED)
        state = await watch.hears("state")
        assert (state["ref"], state["by"], state["state"]) == ("t81kd02mq7zr", "g-1", "played")
        await watch.hello()
        assert (await watch.hears("state"))["state"] == "played"
        await watch.say("receipt", {"ref": "t81kd02mq7zr", "state": "seen", "of": "played"})
        assert (await watch.hears("receipt"))["code"] == "stored"
        await watch.hello()
        await _send(stand, home, "after")
        assert "state" not in await watch.leaves_until("item")


async def test_an_expired_message_is_told_to_its_sender_and_taken_back_from_the_watch(
    stand: Stand, clock: FakeClock
) -> None:
    home, worn = await stand.home()
    await _send(stand, home, "too late")
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello()
        item = await watch.hears("item")
        clock.advance(days=31)
        await _expire_all(stand)
        removed = await watch.hears("item")
        while removed["kind"] != "removed":
            # Silent for a month: the bridge may have announced it once more before it expired.
            removed = await watch.hears("item")
        assert removed["ref"] == item["topic"].split("/")[1]
    assert await _states(stand, home) == ["expired"]
    assert not await _expire_all(stand)


async def test_a_will_of_an_older_connection_does_not_make_the_watch_offline(stand: Stand) -> None:
    home, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello(conn="second")
        await watch.say("status", {"state": "offline", "conn": "first"})
        await _send(stand, home, "still there")
        assert (await watch.hears("item"))["text"] == "still there"
