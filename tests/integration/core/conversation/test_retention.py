"""Retention: undelivered 30 days, voice 90, uploads one; with many workers each item is purged once."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from services.core.conversation.audio_assets.chunks_from_watch import UploadManifest
from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.conversation.audio_assets.rules import UNFINISHED_KEPT_FOR
from services.core.conversation.audio_assets.tables import AudioAsset, AudioChunk, Rendition
from services.core.conversation.messages.actions import release_queued, send_to_child
from services.core.conversation.messages.content import lock_child
from services.core.conversation.messages.expiry import expire_one_message
from services.core.conversation.messages.playback import audio_for_phone
from services.core.conversation.messages.queries import message_of
from services.core.conversation.messages.retention import purge_one_old_voice, set_kept
from services.core.conversation.messages.rules import text_body
from services.core.conversation.messages.tables import Message, MessageRecipient, PhoneUpload, PhoneUploadPart
from services.core.conversation.messages.uploads import UPLOAD_KEPT_FOR, add_part, begin_upload, find_upload
from services.core.conversation.messages.voice_from_phone import send_voice_to_child
from services.core.conversation.messages.voice_from_watch import VoiceUpload
from services.core.devices.watches.queries import standing_identity
from services.core.location.checkins.partitions import drop_one_month, make_one_month
from services.core.measurement.counting.actions import count_some
from services.core.measurement.publishing.actions import publish_one_week
from services.core.people.households.tables import Child, Membership
from services.core.platform.blobs.tables import Blob
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.erasure_ledger import ErasureLedger
from services.core.platform.events.tables import Event
from services.core.platform.inbox.tables import InboxItem
from services.core.platform.settings import Settings
from services.worker.pulse import Pulse
from services.worker.sweeps import SweepLoop, all_sweeps
from tests.support.clock import FakeClock
from tests.support.sounds import encoded
from tests.support.uplinks import receive_voice, store_chunk
from tests.support.world import Home, make_home, wear

VOICE = encoded("amr-nb", 0.5)
# They work on each day or month that a test skips, of every family; test_clock_run.py runs them beside all others.
OF_OTHER_AREAS = {count_some.__name__, publish_one_week.__name__, make_one_month.__name__, drop_one_month.__name__}


@pytest.fixture
def sweep(transcoder: Transcoder, tmp_path: Path) -> Callable[[], Awaitable[None]]:
    """Two workers at once, and each of them twice."""
    ledger = ErasureLedger(tmp_path / "erasures.jsonl")
    every = all_sweeps(transcoder.database, transcoder.blobs, ledger)
    sweeps = [sweep for sweep in every if sweep.name not in OF_OTHER_AREAS]
    assert len(every) - len(sweeps) == len(OF_OTHER_AREAS)
    workers = [(SweepLoop(transcoder.database, sweeps), Pulse("sweeps", 60)) for _ in range(2)]

    async def run() -> None:
        for _ in range(2):
            await asyncio.gather(*(loop.sweep_all(pulse) for loop, pulse in workers))
        assert all(pulse.failing == [] for _, pulse in workers)

    return run


async def speak(transcoder: Transcoder, home: Home) -> uuid.UUID:
    """Have the guardian speak, and phones be given a form of it."""
    message_id = (await send_voice_to_child(transcoder, home.child_id, home.guardian_id, new_ref(), VOICE)).message_id
    async with transcoder.database.begin() as work:
        clip_id = (await work.session.get_one(Message, message_id)).clip_id
    assert clip_id is not None
    await audio_for_phone(transcoder, clip_id)
    return message_id


async def reply(transcoder: Transcoder, username: str) -> str:
    """Have the child's watch say something; return the id that it made."""
    ref, digest = new_ref(), hashlib.sha256(VOICE).hexdigest()
    async with transcoder.database.begin() as work:
        identity = await standing_identity(work, username)
        assert identity is not None
        await store_chunk(work, identity, ref, 0, VOICE)
    clip = VoiceUpload(ref, "family", UploadManifest(len(VOICE), 1, digest), digest, "amr-nb", None)
    answer = await receive_voice(transcoder.database, transcoder.blobs, username, clip)
    assert getattr(answer, "code", None) == "stored"
    return ref


async def keep(
    transcoder: Transcoder, home: Home, message_id: uuid.UUID, guardian_id: uuid.UUID, *, kept: bool
) -> None:
    async with transcoder.database.begin() as work:
        child = await work.session.get_one(Child, home.child_id)
        await set_kept(work, child, guardian_id, message_id, kept=kept)


async def voice_state(transcoder: Transcoder, home: Home, message_id: uuid.UUID) -> str:
    async with transcoder.database.begin() as work:
        child = await work.session.get_one(Child, home.child_id)
        view = await message_of(work, child, home.guardian_id, message_id)
        assert view.message.message_id == message_id, "the message itself stays"
        assert view.clip is not None
        return view.clip.state


async def objects(transcoder: Transcoder, settings: Settings, home: Home) -> set[str]:
    """Return the objects of this child in the folder, after seeing that rows and folder agree."""
    async with transcoder.database.begin() as work:
        rows = await work.session.exec(select(Blob.blob_id).where(Blob.child_id == home.child_id))
        known = {blob_id.hex for blob_id in rows}
    folder = Path(settings.blob_url.removeprefix("file:"))
    names = {file.name for file in folder.rglob("*") if file.is_file()}  # noqa: ASYNC240
    assert known <= names
    return known


async def events(transcoder: Transcoder, home: Home, kind: str) -> Counter[str]:
    async with transcoder.database.begin() as work:
        rows = await work.session.exec(select(Event).where(Event.child_id == home.child_id, Event.kind == kind))
        return Counter(f"{row.ref_id} {row.detail['state']}" for row in rows)


async def second_guardian(transcoder: Transcoder, home: Home, message_id: uuid.UUID) -> uuid.UUID:
    """Add another guardian whom the message reached."""
    other = await make_home(transcoder.database)
    async with transcoder.database.begin() as work:
        work.add(
            Membership(
                family_id=home.family_id, guardian_id=other.guardian_id, relation="aunt", joined_at=work.now,
            ),
            MessageRecipient(
                message_id=message_id, guardian_id=other.guardian_id, state="played", changed_at=work.now
            ),
        )  # fmt: skip
    return other.guardian_id


async def test_voice_goes_after_ninety_days_and_its_message_stays(
    transcoder: Transcoder, settings: Settings, clock: FakeClock, sweep: Callable[[], Awaitable[None]]
) -> None:
    home = await make_home(transcoder.database)
    message_id = await speak(transcoder, home)
    assert len(await objects(transcoder, settings, home)) == 2, "the original, and what phones play"
    clock.advance(days=90, seconds=-1)
    await sweep()
    assert await voice_state(transcoder, home, message_id) == "ready"
    assert len(await objects(transcoder, settings, home)) == 2
    clock.advance(seconds=1)
    await sweep()
    assert await voice_state(transcoder, home, message_id) == "gone"
    assert await objects(transcoder, settings, home) == set()
    assert (await events(transcoder, home, "message.audio"))[f"{message_id} gone"] == 1
    async with transcoder.database.begin() as work:
        clip = (await work.session.exec(select(AudioAsset).where(AudioAsset.child_id == home.child_id))).one()
        assert (clip.blob_id, clip.sealed_bars, clip.gone_at) == (None, None, clock.now)
        made = await work.session.exec(select(Rendition).where(Rendition.clip_id == clip.clip_id))
        assert made.all() == []


async def test_while_any_guardian_keeps_it_voice_stays(
    transcoder: Transcoder, settings: Settings, clock: FakeClock, sweep: Callable[[], Awaitable[None]]
) -> None:
    home = await make_home(transcoder.database)
    message_id = await speak(transcoder, home)
    aunt_id = await second_guardian(transcoder, home, message_id)
    for guardian_id in (home.guardian_id, aunt_id, aunt_id):
        await keep(transcoder, home, message_id, guardian_id, kept=True)
    clock.advance(days=200)
    await sweep()
    for guardian_id in (home.guardian_id, home.guardian_id):
        await keep(transcoder, home, message_id, guardian_id, kept=False)
        await sweep()
        assert await voice_state(transcoder, home, message_id) == "ready", "the aunt keeps it"
    await keep(transcoder, home, message_id, aunt_id, kept=False)
    await sweep()
    assert await voice_state(transcoder, home, message_id) == "gone"
    assert await objects(transcoder, settings, home) == set()


async def test_a_guardian_who_left_the_family_keeps_nothing(
    transcoder: Transcoder, clock: FakeClock, sweep: Callable[[], Awaitable[None]]
) -> None:
    home = await make_home(transcoder.database)
    message_id = await speak(transcoder, home)
    aunt_id = await second_guardian(transcoder, home, message_id)
    await keep(transcoder, home, message_id, aunt_id, kept=True)
    clock.advance(days=91)
    await sweep()
    assert await voice_state(transcoder, home, message_id) == "ready"
    async with transcoder.database.begin() as work:
        memberships = await work.session.exec(select(Membership).where(Membership.guardian_id == aunt_id))
        for membership in memberships:
            if membership.family_id == home.family_id:
                membership.removed_at = work.now
    await sweep()
    assert await voice_state(transcoder, home, message_id) == "gone", "nobody is left who could let it go"


async def somebody_waits(database: Database) -> None:
    async with asyncio.timeout(60):
        while True:
            async with database.begin() as work:
                waiting = await work.run(text("SELECT count(*) FROM pg_locks WHERE NOT granted"))
                if waiting.scalar_one():
                    return


async def one_turn(database: Database, chore: Callable[[UnitOfWork], Awaitable[bool]]) -> bool:
    async with database.begin() as work:
        return await chore(work)


async def test_what_was_answered_as_kept_is_kept_though_its_time_is_over(
    transcoder: Transcoder, clock: FakeClock
) -> None:
    # Whatever other tests said is purged first: this test is about one message.
    clock.advance(days=91)
    while await one_turn(transcoder.database, purge_one_old_voice):
        pass
    home = await make_home(transcoder.database)
    message_id = await speak(transcoder, home)
    clock.advance(days=91)
    async with transcoder.database.begin() as work:
        child = await work.session.get_one(Child, home.child_id)
        await set_kept(work, child, home.guardian_id, message_id, kept=True)
        # A worker that looks now cannot see it yet.
        assert not await one_turn(transcoder.database, purge_one_old_voice)
    assert not await one_turn(transcoder.database, purge_one_old_voice)
    assert await voice_state(transcoder, home, message_id) == "ready"
    await keep(transcoder, home, message_id, home.guardian_id, kept=False)
    assert await one_turn(transcoder.database, purge_one_old_voice)


async def states(transcoder: Transcoder, message_id: uuid.UUID) -> list[str]:
    async with transcoder.database.begin() as work:
        rows = await work.session.exec(select(MessageRecipient.state).where(MessageRecipient.message_id == message_id))
        return list(rows.all())


async def test_what_did_not_arrive_in_thirty_days_expires_and_its_sender_is_told_once(
    transcoder: Transcoder, clock: FakeClock, sweep: Callable[[], Awaitable[None]]
) -> None:
    home = await make_home(transcoder.database)
    message_ids = [await speak(transcoder, home) for _ in range(3)]
    clock.advance(days=30, seconds=-1)
    await sweep()
    assert [await states(transcoder, message_id) for message_id in message_ids] == [["queued"]] * 3
    clock.advance(seconds=1)
    await sweep()
    assert [await states(transcoder, message_id) for message_id in message_ids] == [["expired"]] * 3
    assert await events(transcoder, home, "message.state") == {f"{message_id} expired": 1 for message_id in message_ids}
    async with transcoder.database.begin() as work:
        items = await work.session.exec(select(InboxItem.state).where(InboxItem.child_id == home.child_id))
        assert set(items.all()) == {"dropped"}, "a watch that is paired tomorrow does not get it"
    # Its sound stays for its own time: the parent may send it again.
    assert [await voice_state(transcoder, home, message_id) for message_id in message_ids] == ["ready"] * 3


async def test_what_a_child_said_expires_for_a_phone_that_never_came(
    transcoder: Transcoder, clock: FakeClock, sweep: Callable[[], Awaitable[None]]
) -> None:
    home = await make_home(transcoder.database)
    worn = await wear(transcoder.database, home)
    ref = await reply(transcoder, worn.username)
    async with transcoder.database.begin() as work:
        message_id = (await work.session.exec(select(Message.message_id).where(Message.ref == ref))).one()
    clock.advance(days=30)
    await sweep()
    assert await states(transcoder, message_id) == ["expired"]
    assert await events(transcoder, home, "message.state") == {f"{message_id} expired": 1}


async def test_expiry_and_pairing_at_once_never_wait_for_each_other_for_ever(
    transcoder: Transcoder, clock: FakeClock
) -> None:
    # No message of another test is due: its child is not locked.
    clock.advance(days=30)
    while await one_turn(transcoder.database, expire_one_message):
        pass
    home = await make_home(transcoder.database)
    async with transcoder.database.begin() as work:
        message = await send_to_child(work, home.child_id, home.guardian_id, new_ref(), text_body("hi"))
    clock.advance(days=30)
    async with transcoder.database.begin() as pairing:
        await lock_child(pairing, home.child_id)
        expiring = asyncio.create_task(one_turn(transcoder.database, expire_one_message))
        await somebody_waits(transcoder.database)
        # The statement of a pairing under the child's lock.
        await release_queued(pairing, home.child_id)
    assert await expiring
    assert await states(transcoder, message.message_id) == ["expired"]


async def test_what_was_said_before_any_watch_waits_and_is_on_its_way_once_one_is_paired(
    transcoder: Transcoder, clock: FakeClock, sweep: Callable[[], Awaitable[None]]
) -> None:
    home = await make_home(transcoder.database)
    message_ids = [await speak(transcoder, home) for _ in range(2)]
    clock.advance(days=29)
    await sweep()
    assert [await states(transcoder, message_id) for message_id in message_ids] == [["queued"]] * 2
    await wear(transcoder.database, home)
    assert [await states(transcoder, message_id) for message_id in message_ids] == [["stored"]] * 2
    async with transcoder.database.begin() as work:
        items = await work.session.exec(
            select(InboxItem).where(InboxItem.child_id == home.child_id).order_by(col(InboxItem.seq))
        )
        assert [(item.message_id, item.state) for item in items] == [
            (message_id, "waiting") for message_id in message_ids
        ]


async def test_an_upload_lives_a_day_and_takes_its_parts_along(
    transcoder: Transcoder, clock: FakeClock, sweep: Callable[[], Awaitable[None]]
) -> None:
    home = await make_home(transcoder.database)
    async with transcoder.database.begin() as work:
        child = await work.session.get_one(Child, home.child_id)
        begun = await begin_upload(work, child, home.guardian_id, "key", len(VOICE), "0" * 64)
        upload = await find_upload(work, child, home.guardian_id, begun.upload_id, lock=True)
        await add_part(work, child, upload, 0, VOICE[:100])

    async def counts() -> tuple[int, int]:
        async with transcoder.database.begin() as work:
            uploads = await work.session.exec(select(PhoneUpload).where(PhoneUpload.upload_id == begun.upload_id))
            parts = await work.session.exec(select(PhoneUploadPart).where(PhoneUploadPart.upload_id == begun.upload_id))
            return len(uploads.all()), len(parts.all())

    clock.advance(seconds=UPLOAD_KEPT_FOR.total_seconds() - 1)
    await sweep()
    assert await counts() == (1, 1)
    clock.advance(seconds=1)
    await sweep()
    assert await counts() == (0, 0)


async def test_chunks_without_an_end_live_thirty_days_from_the_last_of_them(
    transcoder: Transcoder, clock: FakeClock, sweep: Callable[[], Awaitable[None]]
) -> None:
    home = await make_home(transcoder.database)
    worn = await wear(transcoder.database, home)
    ref = new_ref()

    async def chunk(number: int) -> None:
        async with transcoder.database.begin() as work:
            identity = await standing_identity(work, worn.username)
            assert identity is not None
            await store_chunk(work, identity, ref, number, VOICE[:512])

    async def count() -> int:
        async with transcoder.database.begin() as work:
            return len((await work.session.exec(select(AudioChunk).where(AudioChunk.ref == ref))).all())

    # The watch has said hello meanwhile: an unconfirmed pairing would end after a day, and its chunks with it.
    async with transcoder.database.begin() as work:
        await work.run(text("UPDATE pairing SET confirmed_at = issued_at"))
    await chunk(0)
    clock.advance(days=20)
    await chunk(1)
    clock.advance(seconds=UNFINISHED_KEPT_FOR.total_seconds() - 1)
    await sweep()
    assert await count() == 2
    clock.advance(seconds=1)
    await sweep()
    assert await count() == 0
