"""A guardian speaks: the watch is given what it plays, at its own pace, and the sender hears what became of it.

What a recording costs on its way down is counted here as well, in statements and commits.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import col, select

from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.conversation.messages.actions import send_to_child
from services.core.conversation.messages.expiry import expire_one_message
from services.core.conversation.messages.for_watch import find_fetched
from services.core.conversation.messages.queries import conversation
from services.core.conversation.messages.rules import text_body
from services.core.conversation.messages.voice_from_phone import send_voice_to_child
from services.core.devices.watches.tables import WatchIdentity
from services.core.pairing.sweep import announce_overdue
from services.core.people.households.tables import Child
from services.core.platform.db.database import UnitOfWork
from services.core.platform.erasure_ledger import ErasureLedger
from services.core.platform.inbox.actions import note_fetch_unlocked
from services.core.platform.inbox.tables import InboxItem
from services.core.platform.leases.actions import HeldLease, LeaseLostError, hold_lease
from services.core.platform.outbox.tables import OutboxRow
from services.worker.main import Outside, all_loops, run_loops
from services.worker.supervisor import Supervisor
from tests.support.clock import FakeClock
from tests.support.round_trips import round_trips
from tests.support.sms import file_sender
from tests.support.sounds import duration_ms, encoded, wav
from tests.support.talk import Talk
from tests.support.watch import HandWatch, Stand
from tests.support.world import Home, Worn

WEBM = encoded("webm", 3.0)
AMR = encoded("amr-nb", 3.0)


@contextlib.asynccontextmanager
async def at_work(stand: Stand, transcoder: Transcoder) -> AsyncIterator[None]:
    """Run a worker for the block."""
    ledger = ErasureLedger(stand.settings.erasure_ledger)
    supervisor = Supervisor(all_loops(transcoder, ledger, Outside(file_sender(stand.settings.sms_file), {})))
    running = asyncio.create_task(run_loops(supervisor, transcoder.database, ledger))
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def speak(transcoder: Transcoder, home: Home, sound: bytes) -> uuid.UUID:
    sent = await send_voice_to_child(transcoder, home.child_id, home.guardian_id, str(uuid.uuid4()), sound)
    return sent.message_id


async def write(stand: Stand, home: Home, words: str) -> None:
    async with stand.database.begin() as work:
        await send_to_child(work, home.child_id, home.guardian_id, str(uuid.uuid4()), text_body(words))


async def states(stand: Stand, home: Home) -> list[tuple[str, str | None]]:
    async with stand.database.begin() as work:
        child = await work.session.get_one(Child, home.child_id)
        views = await conversation(work, child, home.guardian_id)
        return [(view.recipients[0].state, view.recipients[0].detail) for view in reversed(views)]


def ref_of(item: dict[str, Any]) -> str:
    return str(item["topic"]).split("/")[1]


async def fetch(watch: HandWatch, item: dict[str, Any], window: int = 4) -> bytes:
    """Fetch a whole clip window by window and return it."""
    ref, chunks = ref_of(item), item["voice"]["chunks"]
    parts: dict[int, bytes] = {}
    for first in range(0, chunks, window):
        await watch.say("fetch", {"ref": ref, "from": first, "count": window})
        parts |= await watch.hears_chunks(ref, min(window, chunks - first))
    return b"".join(parts[number] for number in range(chunks))


async def answer(watch: HandWatch, item: dict[str, Any], state: str, **more: object) -> dict[str, Any]:
    await watch.say("receipt", {"ref": ref_of(item), "state": state, **more})
    receipt = await watch.hears("receipt")
    assert (receipt["ref"], receipt["state"]) == (ref_of(item), state)
    return receipt


async def test_a_recording_from_a_phone_becomes_what_the_watch_plays(stand: Stand, transcoder: Transcoder) -> None:
    home, worn = await stand.home()
    async with at_work(stand, transcoder), stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello(plays=["amr-nb"], chunk_bytes=1024)
        await speak(transcoder, home, WEBM)
        await write(stand, home, "and a word")
        item = await watch.hears("item")
        assert (item["kind"], item["from"], item["voice"]["codec"]) == ("voice", "g-1", "amr-nb")
        assert item["voice"]["chunk_bytes"] == 1024
        clip = await fetch(watch, item)
        assert (len(clip), hashlib.sha256(clip).hexdigest()) == (item["voice"]["bytes"], item["voice"]["sha256"])
        assert clip.startswith(b"#!AMR\n")
        assert abs(duration_ms(clip) - 3000) < 60
        assert abs(item["voice"]["duration_ms"] - 3000) < 60
        assert (await answer(watch, item, "delivered"))["code"] == "stored"
        # Order is kept, although the word needed no work.
        assert (await watch.hears("item"))["text"] == "and a word"
        assert (await answer(watch, item, "played"))["code"] == "stored"
    assert (await states(stand, home))[0] == ("played", None)


async def test_a_recording_that_the_watch_plays_is_given_as_it_is(stand: Stand, transcoder: Transcoder) -> None:
    home, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello(plays=["opus", "amr-nb"])
        await speak(transcoder, home, AMR)
        # No worker runs: nothing has to be made.
        item = await watch.hears("item")
        assert item["voice"]["sha256"] == hashlib.sha256(AMR).hexdigest()
        assert await fetch(watch, item) == AMR


async def test_the_watch_chooses_the_form_and_its_room_the_bit_rate(stand: Stand, transcoder: Transcoder) -> None:
    home, worn = await stand.home()
    async with at_work(stand, transcoder), stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello(plays=["opus"], max_clip_bytes=8_000)
        await speak(transcoder, home, wav(5.0))
        item = await watch.hears("item")
        clip = await fetch(watch, item)
        assert clip.startswith(b"OggS")
        assert len(clip) == item["voice"]["bytes"] <= 8_000
        assert abs(duration_ms(clip) - 5000) < 60


async def test_what_cannot_be_made_to_fit_is_told_to_its_sender_and_does_not_hold_up_others(
    stand: Stand, transcoder: Transcoder
) -> None:
    home, worn = await stand.home()
    async with at_work(stand, transcoder), stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello(plays=["amr-nb"], max_clip_bytes=1_000, max_play_s=4)
        await speak(transcoder, home, wav(3.0))
        await speak(transcoder, home, wav(6.0))
        await write(stand, home, "short")
        assert (await watch.hears("item"))["text"] == "short"
        await watch.hello(plays=["g726"])
        await speak(transcoder, home, AMR)
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello(plays=["g726"])
        await answer(watch, await watch.hears("item"), "delivered")
        await write(stand, home, "last")
        item = await watch.hears("item")
        while item["text"] == "short":  # each hello of before repeats what was not acknowledged
            item = await watch.hears("item")
        assert item["text"] == "last"
    assert await states(stand, home) == [
        ("rejected", "clip_too_large"), ("rejected", "clip_too_large"), ("delivered", None),
        ("rejected", "unsupported_codec"), ("stored", None),
    ]  # fmt: skip


async def test_what_lasts_longer_than_the_watch_plays_is_told_to_the_sender(
    stand: Stand, transcoder: Transcoder
) -> None:
    home, worn = await stand.home()
    async with at_work(stand, transcoder), stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello(plays=["amr-nb"], max_play_s=4)
        await speak(transcoder, home, encoded("amr-nb", 6.0))
        await speak(transcoder, home, AMR)
        item = await watch.hears("item")
        assert abs(item["voice"]["duration_ms"] - 3000) < 60
    assert (await states(stand, home))[0] == ("rejected", "clip_too_large")


async def test_a_watch_goes_on_where_it_stopped(stand: Stand, transcoder: Transcoder) -> None:
    home, worn = await stand.home()
    await speak(transcoder, home, AMR)
    got: dict[int, bytes] = {}
    for window in (2, 2, 2):
        async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
            await watch.hello(chunk_bytes=1024)
            item = await watch.hears("item")
            assert item["voice"]["sha256"] == hashlib.sha256(AMR).hexdigest()
            fetch = {"ref": ref_of(item), "from": len(got), "count": window}
            if len(got) < item["voice"]["chunks"]:
                await watch.say("fetch", fetch)
                got |= await watch.hears_chunks(ref_of(item), min(window, item["voice"]["chunks"] - len(got)))
    assert b"".join(got[number] for number in sorted(got)) == AMR


async def test_a_watch_that_cannot_take_bytes_is_sent_text(stand: Stand, transcoder: Transcoder) -> None:
    home, worn = await stand.home()
    await speak(transcoder, home, AMR)
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello(chunk_bytes=4096, max_payload_bytes=1024, binary=False)
        item = await watch.hears("item")
        assert item["voice"]["chunk_bytes"] == 768
        await watch.say("fetch", {"ref": ref_of(item), "from": 0, "count": 99})
        chunks = await watch.hears_chunks(ref_of(item), item["voice"]["chunks"])
        assert b"".join(base64.b64decode(chunks[number], validate=True) for number in sorted(chunks)) == AMR


async def test_a_fetch_of_what_is_not_there_is_answered(stand: Stand, transcoder: Transcoder, clock: FakeClock) -> None:
    home, worn = await stand.home()
    other, other_worn = await stand.home()
    await speak(transcoder, home, AMR)
    await speak(transcoder, other, AMR)
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        async with stand.watch(other_worn.username, other_worn.password) as stranger:
            await stranger.hello()
            others = await stranger.hears("item")
        await watch.hello()
        item = await watch.hears("item")
        for ref in ("nothing", ref_of(others)):
            await watch.say("fetch", {"ref": ref, "from": 0, "count": 1})
            removed = await watch.hears("item")
            assert (removed["kind"], removed["ref"], removed["topic"]) == ("removed", ref, f"item/{ref}")
        await watch.say("fetch", {"ref": ref_of(item), "from": 999, "count": 1})
        receipt = await watch.hears("receipt")
        assert (receipt["ref"], receipt["code"], receipt["detail"]) == (ref_of(item), "rejected", "out_of_range")
        for broken in ({"ref": ref_of(item), "from": -1}, {"ref": ref_of(item), "count": 0}, {"from": 0}):
            await watch.say("fetch", broken)
            assert (await watch.hears("receipt"))["code"] == "rejected"
        clock.advance(days=31)
        expired = True
        while expired:
            async with stand.database.begin() as work:
                expired = await expire_one_message(work)
        removed = await watch.hears("item")
        while removed["kind"] == "voice":
            removed = await watch.hears("item")
        assert (removed["kind"], removed["ref"]) == ("removed", ref_of(item))
        await watch.say("fetch", {"ref": ref_of(item), "from": 0, "count": 1})
        removed = await watch.hears("item")
        assert (removed["kind"], removed["ref"]) == ("removed", ref_of(item))
    assert (await states(stand, home))[0][0] == "expired"


async def test_a_watch_that_plays_other_sound_since_is_told_anew_and_never_that_the_clip_is_gone(
    stand: Stand, transcoder: Transcoder
) -> None:
    home, worn = await stand.home()
    await speak(transcoder, home, AMR)
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello(plays=["amr-nb"])
        before = await watch.hears("item")
        await watch.hello(plays=["opus"])
        await watch.say("fetch", {"ref": ref_of(before), "from": 0, "count": 1})
        async with at_work(stand, transcoder):
            anew = await watch.hears("item")
            while anew.get("voice", {}).get("codec") == "amr-nb":
                anew = await watch.hears("item")
            assert (anew["kind"], ref_of(anew), anew["voice"]["codec"]) == ("voice", ref_of(before), "opus")
            assert hashlib.sha256(await fetch(watch, anew)).hexdigest() == anew["voice"]["sha256"]


async def test_after_five_failed_transfers_an_item_steps_aside_and_comes_back(
    stand: Stand, transcoder: Transcoder, clock: FakeClock
) -> None:
    home, worn = await stand.home()
    await speak(transcoder, home, AMR)
    await write(stand, home, "meanwhile")
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello()
        item = await watch.hears("item")
        for _ in range(6):
            await watch.say("fetch", {"ref": ref_of(item), "from": 0, "count": 1})
        text = await watch.hears("item")
        assert text["text"] == "meanwhile"
        await answer(watch, text, "delivered")
        clock.advance(minutes=16)
        await watch.hello()
        again = await watch.hears("item")
        assert ref_of(again) == ref_of(item)
        assert await fetch(watch, again) == AMR
        await answer(watch, again, "delivered")
    assert [state for state, _ in await states(stand, home)] == ["delivered", "delivered"]


async def test_while_chunks_are_fetched_nothing_is_announced(
    stand: Stand, transcoder: Transcoder, clock: FakeClock
) -> None:
    home, worn = await stand.home()
    await speak(transcoder, home, AMR)
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello(chunk_bytes=512)
        item = await watch.hears("item")
        for first in range(3):
            clock.advance(seconds=50)
            await watch.say("fetch", {"ref": ref_of(item), "from": first, "count": 1})
            await watch.hears_chunks(ref_of(item), 1)
            async with stand.database.begin() as work:
                await announce_overdue(work)
        # The receipt is answered after anything that was announced before it.
        await watch.say("receipt", {"ref": "nothing", "state": "delivered"})
        assert "item" not in await watch.leaves_until("receipt")


async def queued_for(work: UnitOfWork, worn: Worn) -> int:
    """Return how many rows of the outbox wait for a watch."""
    return len((await work.session.exec(select(OutboxRow).where(OutboxRow.target == worn.username))).all())


async def test_a_recording_takes_few_statements_on_its_way_to_the_watch(stand: Stand, transcoder: Transcoder) -> None:
    """From the claim of its notice to the receipt of the watch: the request of its sender is counted for itself."""
    home, worn = await stand.home()
    talk = Talk(stand.database, stand.settings, worn.username)
    await talk.hello()
    for _ in range(3):  # statements are prepared, and the connection was looked at less than a second ago
        await speak(transcoder, home, AMR)
        with round_trips(stand.database) as announced:
            item = (await talk.send())[worn.username]
        ref = ref_of(item)
        with round_trips(stand.database) as fetched:
            await talk.say(worn.username, "fetch", ref=ref, **{"from": 0, "count": 2})
            await talk.say(worn.username, "fetch", ref=ref, **{"from": 2, "count": 2})
        with round_trips(stand.database) as answered:
            assert await talk.receipts([ref], "delivered") == ["stored"]
    # The claim with its three statements, the watch, what waits for it, the item, all that is written, and the end.
    assert len(announced.statements) <= 10, "\n".join(announced.statements)
    # Each fetch reads, and writes its progress in a transaction of one statement.
    assert len(fetched.statements) <= 4, "\n".join(fetched.statements)
    # The watch, the item with its message, what changes, the event with its fact.
    assert len(answered.statements) <= 6, "\n".join(answered.statements)
    # The driver tells of a last COMMIT only when the loop turns again.
    transactions = [trips.statements.count("BEGIN;") for trips in (announced, fetched, answered)]
    assert transactions == [1, 0, 1]


async def test_receipts_of_ten_watches_take_one_statement_more_than_one(stand: Stand, transcoder: Transcoder) -> None:
    homes = [await stand.home() for _ in range(10)]
    talk = Talk(stand.database, stand.settings, *(worn.username for _, worn in homes))
    await talk.hello()
    for home, _ in homes:
        await speak(transcoder, home, AMR)
    items = await talk.send()
    refs = [ref_of(items[worn.username]) for _, worn in homes]
    with round_trips(stand.database) as answered:
        assert await talk.receipts(refs, "delivered") == ["stored"] * 10
    # The families are locked in their order before their events.
    assert len(answered.statements) <= 7, "\n".join(answered.statements)
    assert answered.statements.count("BEGIN;") == 1
    assert await talk.receipts(refs, "delivered") == ["stored"] * 10
    for home, _ in homes:
        assert await states(stand, home) == [("delivered", None)]


async def test_a_receipt_queues_the_next_item_and_nothing_where_none_waits(
    stand: Stand, transcoder: Transcoder
) -> None:
    home, worn = await stand.home()
    talk = Talk(stand.database, stand.settings, worn.username)
    await talk.hello()
    await speak(transcoder, home, AMR)
    await write(stand, home, "and a word")
    first = (await talk.send())[worn.username]
    while await talk.send():
        pass
    assert await talk.receipts([ref_of(first)], "delivered") == ["stored"]
    async with stand.database.begin() as work:
        assert await queued_for(work, worn) == 1
    second = (await talk.send())[worn.username]
    assert second["text"] == "and a word"
    for state in ("delivered", "played"):
        assert await talk.receipts([ref_of(second)], state) == ["stored"]
        async with stand.database.begin() as work:
            assert await queued_for(work, worn) == 0
    assert [state for state, _ in await states(stand, home)] == ["delivered", "played"]


async def test_two_receipts_for_one_item_in_one_batch_are_recorded_one_after_the_other(
    stand: Stand, transcoder: Transcoder
) -> None:
    home, worn = await stand.home()
    talk = Talk(stand.database, stand.settings, worn.username, worn.username)
    await talk.hello()
    await speak(transcoder, home, AMR)
    ref = ref_of((await talk.send())[worn.username])
    assert await talk.receipts([ref, "nothing"], "played") == ["stored", "rejected"]
    assert await talk.receipts([ref, ref], "delivered") == ["stored", "stored"]
    assert await states(stand, home) == [("played", None)]


async def test_a_reader_that_was_followed_records_no_fetch(stand: Stand, transcoder: Transcoder) -> None:
    home, worn = await stand.home()
    talk = Talk(stand.database, stand.settings, worn.username)
    await talk.hello()
    await speak(transcoder, home, AMR)
    ref = ref_of((await talk.send())[worn.username])
    async with hold_lease(stand.database, "fetching", "one") as lease:
        talk.backend = replace(talk.backend, lease=lease)
        await talk.say(worn.username, "fetch", ref=ref, **{"from": 0, "count": 1})
        talk.backend = replace(talk.backend, lease=HeldLease(lease.name, lease.token - 1))
        with pytest.raises(LeaseLostError):
            await talk.say(worn.username, "fetch", ref=ref, **{"from": 1, "count": 1})
    async with stand.database.begin() as work:
        item = (await work.session.exec(select(InboxItem).where(InboxItem.ref == ref))).one()
        assert item.fetched_from == 0


@pytest.mark.parametrize("meanwhile", ["pairing_ended", "item_settled", "another_fetch"])
async def test_a_fetch_that_was_read_before_a_change_is_decided_under_the_locks(
    stand: Stand, transcoder: Transcoder, meanwhile: str
) -> None:
    home, worn = await stand.home()
    talk = Talk(stand.database, stand.settings, worn.username)
    await talk.hello()
    await speak(transcoder, home, AMR)
    ref = ref_of((await talk.send())[worn.username])
    async with stand.database.begin() as work:
        fetched = await find_fetched(work, worn.username, ref)
    assert fetched is not None
    async with stand.database.begin() as work:
        if meanwhile == "pairing_ended":
            identity = (
                await work.session.exec(select(WatchIdentity).where(col(WatchIdentity.username) == worn.username))
            ).one()
            identity.ended_at = work.now
            work.add(identity)
    if meanwhile == "item_settled":
        assert await talk.receipts([ref], "delivered") == ["stored"]
    elif meanwhile == "another_fetch":
        await talk.say(worn.username, "fetch", ref=ref, **{"from": 0, "count": 1})
    async with stand.database.begin() as work:
        assert not await note_fetch_unlocked(work, fetched.found.item, 0, worn.username, None)
    async with stand.database.begin() as work:
        item = (await work.session.exec(select(InboxItem).where(InboxItem.ref == ref))).one()
        assert item.fetched_from == (0 if meanwhile == "another_fetch" else -1)
