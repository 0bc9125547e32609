"""A child speaks: chunks in any order, through losses and another bridge, become one message or a clear answer."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from sqlmodel import col, func, select

from services.core.conversation.audio_assets import chunks_from_watch
from services.core.conversation.audio_assets.rules import UNFINISHED_MAX_BYTES
from services.core.conversation.audio_assets.tables import AudioAsset, AudioChunk
from services.core.conversation.messages.queries import MessageView, conversation
from services.core.devices.contacts.guardians import withdraw_consent
from services.core.people.consents.rules import Part
from services.core.people.households.child_key import data_key
from services.core.people.households.queries import membership_in
from services.core.people.households.tables import Child
from services.core.platform.blobs.store import BlobStore
from services.core.platform.crypto.random_ids import new_ref
from services.protocol.topics import Uplink, UplinkKind, parse_uplink
from services.watch_link.backend import Backend
from services.watch_link.receiving import receive, receive_batch
from services.watch_link.registry import DECLARATIONS, BatchedKind
from tests.integration.broker.waiting import becomes_true
from tests.support.sounds import encoded
from tests.support.statements import statements
from tests.support.watch import HandWatch, Stand
from tests.support.world import Home, Worn

CHUNK_BYTES = 1024
CLIP = encoded("amr-nb", 2.0)
CHUNKS = [CLIP[place : place + CHUNK_BYTES] for place in range(0, len(CLIP), CHUNK_BYTES)]


def end_of(clip: bytes, count: int, /, **fields: object) -> dict[str, Any]:
    manifest = {
        "to": "family", "codec": "amr-nb", "bytes": len(clip), "chunks": count,
        "sha256": hashlib.sha256(clip).hexdigest(), "duration_ms": 2000,
    }  # fmt: skip
    return {**manifest, **fields}


async def say_chunks(watch: HandWatch, ref: str, *numbers: int) -> None:
    for number in numbers:
        await watch.say(f"voice/{ref}/{number}", CHUNKS[number])


async def end(watch: HandWatch, ref: str, **fields: object) -> dict[str, Any]:
    """Say the end of the clip and return what is answered."""
    await watch.say(f"voice/{ref}/end", end_of(CLIP, len(CHUNKS), **fields))
    answer = await watch.hears("receipt")
    assert answer["ref"] == ref
    return answer


async def heard(stand: Stand, home: Home) -> list[tuple[MessageView, bytes]]:
    """Return the conversation, oldest first, with the sound that is stored for each message."""
    stored = []
    async with stand.database.begin() as work:
        child = await work.session.get_one(Child, home.child_id)
        for view in reversed(await conversation(work, child, home.guardian_id)):
            clip = await work.session.get_one(AudioAsset, view.message.clip_id)
            assert clip.blob_id is not None
            stored.append((view, await BlobStore.of(stand.settings).read(clip.blob_id, data_key(work, child))))
    return stored


async def chunks_kept(stand: Stand, username: str) -> int:
    """Return how many chunks of a watch wait for the rest of their clips."""
    async with stand.database.begin() as work:
        return len((await work.session.exec(select(AudioChunk).where(AudioChunk.username == username))).all())


async def test_a_clip_is_one_message_with_its_own_bytes_however_its_chunks_come(stand: Stand) -> None:
    home, worn = await stand.home()
    assert len(CHUNKS) > 3
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello()
        ref = new_ref()
        await say_chunks(watch, ref, *reversed(range(len(CHUNKS))))
        await say_chunks(watch, ref, 1, 0)
        assert (await end(watch, ref))["code"] == "stored"
        # A repeat, as after a lost receipt, and chunks that come late.
        await say_chunks(watch, ref, 2)
        assert (await end(watch, ref))["code"] == "duplicate"
        assert (await end(watch, ref, duration_ms=1))["code"] == "duplicate"
        conflict = await end(watch, ref, to="g-1")
        assert (conflict["code"], conflict["detail"]) == ("rejected", "id_conflict")
    ((view, sound),) = await heard(stand, home)
    assert sound == CLIP
    assert (view.message.kind, view.my_state) == ("voice", "stored")
    assert view.clip is not None
    assert (view.clip.state, view.clip.duration_ms) == ("pending", 2000)
    assert await chunks_kept(stand, worn.username) == 0


async def test_missing_chunks_are_asked_for_and_only_those(stand: Stand) -> None:
    home, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello()
        ref = new_ref()
        answer = await end(watch, ref)
        assert (answer["code"], answer["missing"]) == ("missing", list(range(len(CHUNKS))))
        await say_chunks(watch, ref, 0, 2)
        answer = await end(watch, ref)
        assert answer["missing"] == [number for number in range(len(CHUNKS)) if number not in {0, 2}]
        await say_chunks(watch, ref, *answer["missing"])
        assert (await end(watch, ref))["code"] == "stored"
    assert [sound for _, sound in await heard(stand, home)] == [CLIP]


async def test_missing_lists_the_first_32(stand: Stand) -> None:
    _, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello()
        ref = new_ref()
        await watch.say(f"voice/{ref}/end", end_of(bytes(60_000), 100))
        assert (await watch.hears("receipt"))["missing"] == list(range(32))


async def test_chunks_that_do_not_make_the_hash_all_come_again(stand: Stand) -> None:
    home, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello()
        ref = new_ref()
        await say_chunks(watch, ref, *range(len(CHUNKS)))
        await watch.say(f"voice/{ref}/1", bytes(CHUNK_BYTES))
        answer = await end(watch, ref)
        assert (answer["code"], answer["missing"]) == ("missing", list(range(len(CHUNKS))))
        await say_chunks(watch, ref, *range(len(CHUNKS)))
        assert (await end(watch, ref))["code"] == "stored"
    assert [sound for _, sound in await heard(stand, home)] == [CLIP]


async def test_another_bridge_and_another_connection_go_on_with_what_is_there(stand: Stand) -> None:
    home, worn = await stand.home()
    ref = new_ref()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello()
        await say_chunks(watch, ref, 0, 1)
        answer = await end(watch, ref)
        assert 0 not in answer["missing"]
    # Said while no bridge runs: the broker keeps it.
    async with stand.watch(worn.username, worn.password) as watch:
        await say_chunks(watch, ref, *range(2, len(CHUNKS)))
    async with stand.watch(worn.username, worn.password) as watch, stand.bridge():
        assert (await end(watch, ref))["code"] == "stored"
    assert [sound for _, sound in await heard(stand, home)] == [CLIP]


async def test_a_watch_that_cannot_send_bytes_sends_text(stand: Stand) -> None:
    home, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello(binary=False)
        ref = new_ref()
        for number, chunk in enumerate(CHUNKS):
            await watch.say(f"voice/{ref}/{number}", base64.b64encode(chunk))
        assert (await end(watch, ref))["code"] == "stored"
    assert [sound for _, sound in await heard(stand, home)] == [CLIP]


async def test_what_is_no_sound_is_taken_all_the_same(stand: Stand) -> None:
    """Nothing is decoded before it is committed: the watch could only send the same bytes for ever."""
    _, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello()
        ref, noise = new_ref(), bytes(range(256)) * 2
        await watch.say(f"voice/{ref}/0", noise)
        await watch.say(f"voice/{ref}/end", end_of(noise, 1))
        assert (await watch.hears("receipt"))["code"] == "stored"


async def test_a_clip_for_nobody_is_refused_and_forgotten(stand: Stand) -> None:
    home, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello()
        for recipient in ("g-77", "family"):
            if recipient == "family":
                async with stand.database.begin() as work:
                    membership = await membership_in(work, home.family_id, home.guardian_id)
                    assert membership is not None
                    await withdraw_consent(work, membership, Part.MESSAGES)
            ref = new_ref()
            await say_chunks(watch, ref, *range(len(CHUNKS)))
            for _ in range(2):
                answer = await end(watch, ref, to=recipient)
                assert (answer["code"], answer["detail"]) == ("rejected", "recipient_removed")
    assert await chunks_kept(stand, worn.username) == 0


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"bytes": 2 * 1024 * 1024, "chunks": 2000}, "out_of_range"),
        ({"bytes": 5000, "chunks": 100}, "out_of_range"),
        ({"sha256": "none"}, "malformed"),
        ({"to": ""}, "malformed"),
    ],
)
async def test_an_end_that_makes_no_sense_is_rejected(stand: Stand, fields: dict[str, object], detail: str) -> None:
    _, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello()
        answer = await end(watch, new_ref(), **fields)
        assert (answer["code"], answer["detail"]) == ("rejected", detail)


@pytest.mark.parametrize(
    ("room_bytes", "clips"),
    [(3 * 1024 * 1024, 2), pytest.param(UNFINISHED_MAX_BYTES, 9, marks=pytest.mark.long)],
)
async def test_unfinished_clips_make_room_for_newer_ones(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, room_bytes: int, clips: int
) -> None:
    monkeypatch.setattr(chunks_from_watch, "UNFINISHED_MAX_BYTES", room_bytes)
    home, worn = await stand.home()
    big = bytes(16 * 1024)
    refs = [new_ref() for _ in range(clips)]
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello()
        for ref in refs:
            # Two megabytes each, and a chunk more, which is more than any clip may be. One clip after the other: the
            # bridge puts a watch off that has more than four megabytes under way.
            for number in range(129):
                await watch.say(f"voice/{ref}/{number}", big)

            async def all_are_here(ref: str = ref) -> bool:
                async with stand.database.begin() as work:
                    stored = await work.session.exec(
                        select(func.count()).select_from(AudioChunk).where(col(AudioChunk.ref) == ref)
                    )
                    return stored.one() >= 128

            # A thousand commits take their time on a busy machine.
            await becomes_true(all_are_here, 90)
        ref = new_ref()
        await say_chunks(watch, ref, *range(len(CHUNKS)))
        assert (await end(watch, ref))["code"] == "stored"
        assert await chunks_kept(stand, worn.username) <= room_bytes // len(big)
        # Dropped chunks are requested again: nothing is lost, they only come twice.
        await watch.say(f"voice/{refs[0]}/end", end_of(bytes(1_000_000), 62))
        assert (await watch.hears("receipt"))["missing"] == list(range(32))
    assert [sound for _, sound in await heard(stand, home)] == [CLIP]


async def test_chunks_of_twenty_watches_take_as_many_statements_as_one(stand: Stand) -> None:
    watches = [await stand.home() for _ in range(20)]
    declared = DECLARATIONS[UplinkKind.VOICE_CHUNK]
    assert isinstance(declared, BatchedKind)
    backend = Backend(stand.database, BlobStore.of(stand.settings), stand.settings)

    async def send(number: int, *worn: Worn) -> int:
        topics = [parse_uplink(f"sw/v1/{watch.username}/up/voice/abcdefabcdef/{number}") for watch in worn]
        uplinks = [(topic, CHUNKS[number]) for topic in topics if isinstance(topic, Uplink)]
        with statements() as sent:
            assert await receive_batch(backend, declared, uplinks) == [[] for _ in uplinks]
        return len(sent)

    everybody = [worn for _, worn in watches]
    # The first message of a watch makes it online.
    await send(0, *everybody)
    assert await send(1, everybody[0]) <= 3
    assert await send(2, *everybody) <= 3
    assert [await chunks_kept(stand, worn.username) for worn in everybody] == [3] + [2] * 19


@pytest.mark.parametrize(("kind", "at_most"), [("voice", 5), ("text", 5), ("alert", 4)])
async def test_a_message_of_a_child_takes_few_statements(stand: Stand, kind: str, at_most: int) -> None:
    _, worn = await stand.home()
    backend = Backend(stand.database, BlobStore.of(stand.settings), stand.settings)
    prefix, ref = f"sw/v1/{worn.username}/up", new_ref()
    # The first message of a watch makes it online.
    for number, chunk in enumerate(CHUNKS):
        await receive(backend, f"{prefix}/voice/{ref}/{number}", chunk)
    content: dict[str, tuple[str, dict[str, Any]]] = {
        "voice": (f"{prefix}/voice/{ref}/end", end_of(CLIP, len(CHUNKS))),
        "text": (f"{prefix}/text", {"id": new_ref(), "to": "family", "text": "hi"}),
        "alert": (f"{prefix}/alert", {"id": new_ref(), "kind": "sos"}),
    }
    topic, payload = content[kind]
    with statements() as sent:
        (answer,) = await receive(backend, topic, json.dumps(payload).encode())
    assert json.loads(answer.payload)["code"] == "stored"
    assert len(sent) <= at_most, sent
