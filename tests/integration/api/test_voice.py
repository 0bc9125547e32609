"""Voice over HTTP: taken only when it can be played, once for each key, heard only by whom it is for."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import col, select, update

from services.core.conversation.audio_assets.chunks_from_watch import UploadManifest, store_chunk
from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.conversation.messages.retention import purge_one_old_voice
from services.core.conversation.messages.tables import Message
from services.core.conversation.messages.voice_from_watch import VoiceUpload
from services.core.devices.watches.queries import standing_identity
from services.core.devices.watches.tables import WatchIdentity
from services.core.platform.audio.sandbox import AudioSandbox
from services.core.platform.audit.tables import AuditEntry
from services.core.platform.blobs.actions import sweep_one
from services.core.platform.blobs.tables import Blob
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.limits.tables import LimitBucket
from services.core.platform.settings import Settings
from tests.support.clock import FakeClock
from tests.support.http import Parent, fill_buckets, make_family, make_place, pair
from tests.support.sounds import RECORDERS, duration_ms, encoded, wav
from tests.support.uplinks import receive_voice

AMR = encoded("amr-nb", 2.0)
KINDS = {
    "audio/amr": AMR,
    "audio/ogg": encoded("opus", 2.0),
    "audio/webm;codecs=opus": encoded("webm", 2.0),
    "audio/mp4": encoded("m4a", 2.0),
    "audio/wav": wav(2.0),
    "application/octet-stream": wav(2.0, level=0.02),
}


async def child_speaks(transcoder: Transcoder, identity: WatchIdentity, sound: bytes) -> str:
    """Have the child's watch send a clip; return what it is answered."""
    ref, digest = new_ref(), hashlib.sha256(sound).hexdigest()
    chunks = [sound[place : place + 16_384] for place in range(0, len(sound), 16_384)]
    async with transcoder.database.begin() as work:
        standing = await standing_identity(work, identity.username)
        assert standing is not None
        for number, chunk in enumerate(chunks):
            await store_chunk(work, standing, ref, number, chunk)
            await work.flush()
    clip = VoiceUpload(ref, "family", UploadManifest(len(sound), len(chunks), digest), digest, "amr-nb", None)
    answer = await receive_voice(transcoder.database, transcoder.blobs, identity.username, clip)
    return getattr(answer, "code", "missing")


async def audio(parent: Parent, message: dict[str, Any], **headers: str) -> httpx.Response:
    return await parent.ask("GET", f"{parent.child}/messages/{message['message_id']}/audio", headers=headers)


async def newest(parent: Parent) -> dict[str, Any]:
    page = await parent.told("GET", f"{parent.child}/messages")
    found: dict[str, Any] = page["messages"][0]
    return found


@pytest.mark.parametrize("media_type", KINDS)
async def test_whatever_phones_record_is_taken_and_played_back_as_m4a(
    client: httpx.AsyncClient, transcoder: Transcoder, media_type: str
) -> None:
    parent = await make_family(client, transcoder.database)
    message = await parent.speak(KINDS[media_type], media_type=media_type)
    assert (message["kind"], message["text"], message["recipients"][0]["state"]) == ("voice", None, "queued")
    voice = message["voice"]
    assert voice["state"] == "ready"
    assert abs(voice["duration_ms"] - 2000) < 60
    assert len(voice["bars"]) == 44
    assert max(voice["bars"]) == 100
    assert min(voice["bars"]) < 90
    answer = await audio(parent, message)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "audio/mp4"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["accept-ranges"] == "bytes"
    assert "no-store" in answer.headers["cache-control"]
    assert answer.content[4:8] == b"ftyp"
    assert abs(duration_ms(answer.content) - 2000) < 100
    if media_type == "audio/mp4":
        assert answer.content == KINDS[media_type], "a phone plays it as it is"


async def test_a_range_is_that_part_of_the_same_bytes(client: httpx.AsyncClient, transcoder: Transcoder) -> None:
    parent = await make_family(client, transcoder.database)
    message = await parent.speak(AMR)
    whole = await audio(parent, message)
    for asked, start, end in (
        ("bytes=0-1", 0, 2),
        ("bytes=100-", 100, None),
        ("bytes=-10", len(whole.content) - 10, None),
    ):
        part = await audio(parent, message, Range=asked)
        assert part.status_code == 206
        assert part.content == whole.content[start:end]
        stop = len(whole.content) if end is None else end
        assert part.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(whole.content)}"
    beyond = await audio(parent, message, Range="bytes=99999999-")
    assert (beyond.status_code, beyond.json()["code"]) == (416, "range_not_satisfiable")
    assert beyond.headers["content-range"] == f"bytes */{len(whole.content)}"
    same = {"Range": "bytes=0-1", "If-Range": whole.headers["etag"]}
    assert (await audio(parent, message, **same)).status_code == 206
    assert (await audio(parent, message, **{**same, "If-Range": '"other"'})).status_code == 200


async def test_a_form_with_a_file_is_taken_too(client: httpx.AsyncClient, transcoder: Transcoder) -> None:
    parent = await make_family(client, transcoder.database)
    path = f"{parent.child}/voice-messages"
    key = {"Idempotency-Key": new_ref()}
    message = await parent.told("POST", path, files={"audio": ("a.webm", KINDS["audio/webm;codecs=opus"])}, headers=key)
    assert message["voice"]["state"] == "ready"
    # The name that is wanted is in the answer.
    named = await parent.ask("POST", path, files={"file": ("a", b"x")}, headers={"Idempotency-Key": new_ref()})
    assert (named.status_code, named.json()["code"], named.json()["field"]) == (422, "form_field_missing", "audio")
    text = b"--x\r\nContent-Disposition: form-data; name=audio\r\n\r\ntext\r\n--x--\r\n"
    headers = {"Idempotency-Key": new_ref(), "Content-Type": "multipart/form-data; boundary=x"}
    assert await parent.refused("POST", path, content=text, headers=headers) == (422, "form_field_missing")
    files = {"audio": ("a", b"x"), "more": ("b", b"y")}
    assert await parent.refused("POST", path, files=files, headers={"Idempotency-Key": new_ref()}) == (400, "malformed")
    for body in (b"", b"--x\r\n"):
        headers = {"Idempotency-Key": new_ref(), "Content-Type": "multipart/form-data; boundary=x"}
        assert await parent.refused("POST", path, content=body, headers=headers) == (422, "form_field_missing")
    headers = {"Idempotency-Key": new_ref(), "Content-Type": "multipart/form-data"}
    assert await parent.refused("POST", path, content=b"x", headers=headers) == (400, "malformed")


@pytest.mark.parametrize(
    "name", ["adts.aac", "aiff.aiff", "alac.m4a", "android-3gp-amrnb.3gp", "flac.flac", "ima-adpcm.wav", "pcm.caf"]
)
async def test_what_a_phone_records_is_found_out_by_decoding_whatever_it_is_called(
    client: httpx.AsyncClient, transcoder: Transcoder, name: str
) -> None:
    parent = await make_family(client, transcoder.database)
    sound = (RECORDERS / name).read_bytes()
    types = (
        "video/3gpp", "application/ogg", "application/mp4", "video/quicktime", "audio/aac", "application/json",
        "text/plain", "application/x-www-form-urlencoded", "nonsense", "", None,
    )  # fmt: skip
    for media_type in types:
        headers = {"Idempotency-Key": new_ref(), **({} if media_type is None else {"Content-Type": media_type})}
        message = await parent.told("POST", f"{parent.child}/voice-messages", content=sound, headers=headers)
        assert message["voice"]["state"] == "ready", media_type
        assert abs(message["voice"]["duration_ms"] - 3_000) < 70
    heard = await audio(parent, message)
    assert abs(duration_ms(heard.content) - 3_000) < 120


async def test_a_watch_that_leaves_out_the_header_of_amr_is_heard(
    client: httpx.AsyncClient, transcoder: Transcoder
) -> None:
    place = await make_place(transcoder.database)
    parent = await make_family(client, transcoder.database, place)
    identity = await pair(parent, place)
    assert await child_speaks(transcoder, identity, (RECORDERS / "amr-without-header.amr").read_bytes()) == "stored"
    [message] = (await parent.told("GET", f"{parent.child}/messages"))["messages"]
    heard = await audio(parent, message)
    assert abs(duration_ms(heard.content) - 3_000) < 120


async def test_a_key_makes_one_message_however_often_it_is_sent(
    client: httpx.AsyncClient, transcoder: Transcoder
) -> None:
    parent = await make_family(client, transcoder.database)
    sent = await asyncio.gather(*(parent.speak(AMR, "same-key") for _ in range(4)))
    assert len({message["message_id"] for message in sent}) == 1
    headers = {"Idempotency-Key": "same-key", "Content-Type": "audio/amr"}
    path = f"{parent.child}/voice-messages"
    refused = await parent.refused("POST", path, content=AMR + b"\x00", headers=headers)
    assert refused == (409, "idempotency_key_conflict")
    assert len((await parent.told("GET", f"{parent.child}/messages"))["messages"]) == 1


@pytest.mark.parametrize(
    ("sound", "media_type", "status", "code"),
    [
        (encoded("amr-nb", 62.0), "audio/amr", 422, "clip_too_long"),
        (AMR + bytes(1024 * 1024), "audio/amr", 413, "clip_too_large"),
        (bytes(1200 * 1024), "audio/amr", 413, "too_large"),
        (b"", "audio/amr", 422, "audio_not_readable"),
        (b"#EXTM3U\nhttp://127.0.0.1/a.mp3\n", "audio/mpeg", 422, "audio_not_readable"),
        (bytes(range(256)) * 20, "audio/webm", 422, "audio_not_readable"),
        (b"not audio", "text/plain", 422, "audio_not_readable"),
        (b"{}", "application/json", 422, "audio_not_readable"),
    ],
)
async def test_what_cannot_be_played_is_refused_before_it_is_stored(
    client: httpx.AsyncClient, transcoder: Transcoder, sound: bytes, media_type: str, status: int, code: str
) -> None:
    parent = await make_family(client, transcoder.database)
    headers = {"Idempotency-Key": new_ref(), "Content-Type": media_type}
    path = f"{parent.child}/voice-messages"
    assert await parent.refused("POST", path, content=sound, headers=headers) == (status, code)
    assert (await parent.told("GET", f"{parent.child}/messages"))["messages"] == []
    async with transcoder.database.begin() as work:
        blobs = await work.session.exec(select(Blob).where(col(Blob.child_id) == uuid.UUID(parent.child_id)))
        assert blobs.all() == []


async def test_a_minute_fits(client: httpx.AsyncClient, transcoder: Transcoder) -> None:
    parent = await make_family(client, transcoder.database)
    message = await parent.speak(encoded("amr-nb", 60.0))
    assert abs(message["voice"]["duration_ms"] - 60_000) < 100
    assert abs(duration_ms((await audio(parent, message)).content) - 60_000) < 200


async def test_what_a_child_says_is_heard_counted_and_marked(client: httpx.AsyncClient, transcoder: Transcoder) -> None:
    place = await make_place(transcoder.database)
    parent = await make_family(client, transcoder.database, place)
    identity = await pair(parent, place)

    async def counts() -> tuple[int, int]:
        told = await parent.told("GET", "/v1/unread")
        (one,) = told["children"]
        assert one["child_id"] == parent.child_id
        return one["unread"], one["unplayed"]

    assert await counts() == (0, 0)
    assert await child_speaks(transcoder, identity, AMR) == "stored"
    message = await newest(parent)
    assert (message["voice"]["state"], message["voice"]["bars"], message["my_state"]) == ("pending", None, "stored")
    assert await counts() == (1, 1)
    # No worker runs here: who asks first has it made.
    first, second = await asyncio.gather(audio(parent, message), audio(parent, message))
    assert first.content == second.content
    assert abs(duration_ms(first.content) - 2000) < 100
    message = await newest(parent)
    assert message["voice"]["state"] == "ready"
    assert len(message["voice"]["bars"]) == 44
    state = f"{parent.child}/messages/{message['message_id']}/state"
    await parent.told("PUT", state, json={"state": "delivered"})
    assert await counts() == (1, 1)
    await parent.told("PUT", state, json={"state": "played"})
    assert await counts() == (0, 0)
    since = (await parent.told("GET", "/v1/sync"))["cursor"]
    assert await child_speaks(transcoder, identity, AMR) == "stored"
    await audio(parent, await newest(parent))
    told = await parent.told("GET", f"/v1/sync?since={since}")
    kinds = [(event["kind"], event["detail"]) for event in told["events"]]
    assert ("message.created", {"direction": "to_family", "kind": "voice"}) in kinds
    assert ("message.audio", {"state": "ready"}) in kinds


async def test_what_a_child_sent_and_nobody_can_decode_is_kept_as_unplayable(
    client: httpx.AsyncClient, transcoder: Transcoder
) -> None:
    place = await make_place(transcoder.database)
    parent = await make_family(client, transcoder.database, place)
    identity = await pair(parent, place)
    assert await child_speaks(transcoder, identity, bytes(range(256)) * 4) == "stored"
    answer = await audio(parent, await newest(parent))
    assert (answer.status_code, answer.json()["code"]) == (422, "audio_not_readable")
    assert (await newest(parent))["voice"]["state"] == "unplayable"


async def test_every_hearing_is_in_the_log(client: httpx.AsyncClient, transcoder: Transcoder) -> None:
    parent = await make_family(client, transcoder.database)
    stranger = await make_family(client, transcoder.database)
    message = await parent.speak(AMR)
    await audio(parent, message)
    assert (await audio(stranger, message)).status_code == 404
    async with transcoder.database.begin() as work:
        found = await work.session.exec(select(AuditEntry).where(AuditEntry.subject_id == message["message_id"]))
        entries = [(one.action, one.actor_id, one.outcome) for one in found]
    assert entries == [("audio", parent.guardian_id, "done")]


async def test_another_guardian_of_the_family_hears_only_what_is_for_them(
    client: httpx.AsyncClient, transcoder: Transcoder
) -> None:
    mother = await make_family(client, transcoder.database)
    aunt = await mother.invite()
    message = await mother.speak(AMR)
    for path in ("audio", "audio-link", "kept"):
        method = {"audio": "GET", "audio-link": "POST", "kept": "PUT"}[path]
        body = {"json": {"kept": True}} if path == "kept" else {}
        address = f"{aunt.child}/messages/{message['message_id']}/{path}"
        assert await aunt.refused(method, address, **body) == (404, "not_found")


async def test_a_link_plays_one_recording_for_five_minutes_and_nothing_else(
    client: httpx.AsyncClient, transcoder: Transcoder, clock: FakeClock
) -> None:
    parent = await make_family(client, transcoder.database)
    message = await parent.speak(AMR)
    link = await parent.told("POST", f"{parent.child}/messages/{message['message_id']}/audio-link")
    path = httpx.URL(link["url"]).path
    assert (await client.get(path)).content == (await audio(parent, message)).content
    assert (await client.get(path, headers={"Range": "bytes=0-1"})).status_code == 206
    token = path.rpartition("/")[2]
    for wrong in (token[:-9] + "xx" + token[-7:], "none", parent.tokens["access_token"]):
        assert (await client.get(f"/v1/audio/{wrong}")).status_code == 401
    as_bearer = await client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
    assert as_bearer.status_code == 401
    clock.advance(minutes=5, seconds=1)
    assert (await client.get(path)).status_code == 401


async def test_a_link_costs_its_guardian_what_a_request_costs(
    client: httpx.AsyncClient, transcoder: Transcoder
) -> None:
    parent = await make_family(client, transcoder.database)
    message = await parent.speak(AMR)
    path = f"{parent.child}/messages/{message['message_id']}/audio"
    link = httpx.URL((await parent.told("POST", f"{path}-link"))["url"]).path
    assert (await client.get(link)).status_code == 200
    async with transcoder.database.begin() as work:
        await work.run(update(LimitBucket).values(tokens=0.0))
    for refused in (await client.get(link), await parent.ask("GET", path)):
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
        assert int(refused.headers["Retry-After"]) >= 1
    await fill_buckets(transcoder.database)
    assert (await client.get(link)).status_code == 200


async def test_a_link_ends_with_the_right_it_was_made_with(client: httpx.AsyncClient, transcoder: Transcoder) -> None:
    mother = await make_family(client, transcoder.database)
    aunt = await mother.invite()
    message = await aunt.speak(AMR)
    links = [await aunt.told("POST", f"{aunt.child}/messages/{message['message_id']}/audio-link") for _ in range(2)]
    path = httpx.URL(links[0]["url"]).path
    assert (await client.get(path)).status_code == 200
    change = {"json": {"may_message": False}}
    await mother.told("PATCH", f"{mother.family}/guardians/{aunt.guardian_id}", **change)
    assert (await client.get(path)).status_code == 403
    await mother.told("PATCH", f"{mother.family}/guardians/{aunt.guardian_id}", json={"may_message": True})
    await aunt.told("POST", "/v1/auth/logout")
    assert (await client.get(path)).status_code == 401


async def test_voice_is_kept_ninety_days_unless_a_guardian_keeps_it(
    client: httpx.AsyncClient, transcoder: Transcoder, clock: FakeClock
) -> None:
    mother = await make_family(client, transcoder.database)
    await mother.told("PUT", "/v1/me/pin", json={"pin": "730418"})
    kept, gone = await mother.speak(AMR), await mother.speak(KINDS["audio/ogg"])
    for message in (kept, gone):
        assert (await audio(mother, message)).status_code == 200
    path = f"{mother.child}/messages/{kept['message_id']}"
    assert (await mother.told("PUT", f"{path}/kept", json={"kept": True}))["voice"]["kept"]
    assert (await mother.told("PUT", f"{path}/kept", json={"kept": True}))["voice"]["kept"]

    async def drop() -> None:
        dropped = True
        while dropped:
            async with transcoder.database.begin() as work:
                dropped = await purge_one_old_voice(work)
        while await sweep_one(transcoder.database, transcoder.blobs):
            pass

    async def blobs_of_child() -> int:
        async with transcoder.database.begin() as work:
            return len((await work.session.exec(select(Blob).where(Blob.child_id == uuid.UUID(mother.child_id)))).all())

    before = await blobs_of_child()
    clock.advance(days=89)
    await drop()
    assert await blobs_of_child() == before
    await mother.log_in()
    # A phone unused for so long is a new one.
    await mother.told("POST", "/v1/auth/second-step", json={"pin": "730418"})
    clock.advance(days=2)
    await mother.log_in()
    await drop()
    await drop()
    # The original and the phone's form of the one that went.
    assert await blobs_of_child() == before - 2
    answer = await audio(mother, gone)
    assert (answer.status_code, answer.json()["code"]) == (410, "audio_gone")
    told = await mother.told("GET", f"{mother.child}/messages/{gone['message_id']}")
    assert (told["voice"]["state"], told["voice"]["bars"]) == ("gone", None)
    assert (await audio(mother, kept)).status_code == 200
    await mother.told("PUT", f"{path}/kept", json={"kept": False})
    await drop()
    assert (await audio(mother, kept)).status_code == 410
    assert await blobs_of_child() == 0


@contextlib.contextmanager
def store_away(settings: Settings) -> Iterator[None]:
    """Have a file stand where the folder of blobs was, for the block."""
    folder = Path(settings.blob_url.removeprefix("file:"))
    aside = folder.with_name(f"{folder.name}-aside")
    folder.rename(aside)
    folder.write_text("no folder")
    try:
        yield
    finally:
        folder.unlink()
        aside.rename(folder)


async def test_while_nothing_can_be_stored_nothing_is_taken(
    client: httpx.AsyncClient, transcoder: Transcoder, settings: Settings
) -> None:
    parent = await make_family(client, transcoder.database)
    headers = {"Idempotency-Key": "while-away-1", "Content-Type": "audio/amr"}
    with store_away(settings):
        answer = await parent.ask("POST", f"{parent.child}/voice-messages", content=AMR, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (503, "try_again")
    assert int(answer.headers["retry-after"]) > 0
    assert (await parent.told("GET", f"{parent.child}/messages"))["messages"] == []
    assert (await parent.speak(AMR, "while-away-1"))["voice"]["state"] == "ready"


async def test_head_tells_what_a_player_asks_first_and_nobody_has_heard_anything(
    client: httpx.AsyncClient, transcoder: Transcoder
) -> None:
    parent = await make_family(client, transcoder.database)
    message = await parent.speak(AMR)
    path = f"{parent.child}/messages/{message['message_id']}/audio"
    link = await parent.told("POST", f"{path}-link")
    by_link = link["url"].removeprefix(Settings().public_url)
    heads = [await parent.ask("HEAD", path), await client.head(by_link)]
    looks = await parent.told("GET", f"{parent.child}/looks")
    assert looks["looks"] == []
    whole = await audio(parent, message)
    for head in heads:
        assert (head.status_code, head.content) == (200, b"")
        for name in ("content-length", "content-type", "etag", "accept-ranges"):
            assert head.headers[name] == whole.headers[name]
    part = await parent.ask("HEAD", path, headers={"Range": "bytes=0-9"})
    assert (part.status_code, part.headers["content-length"]) == (206, "10")


async def test_access_that_is_taken_away_while_a_recording_is_decoded_keeps_it_from_the_child(
    client: httpx.AsyncClient, transcoder: Transcoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    mother = await make_family(client, transcoder.database)
    examine = AudioSandbox.examine

    async def loses_access(aunt: Parent, how: str) -> None:
        if how == "removed":
            await mother.told("DELETE", f"{mother.family}/guardians/{aunt.guardian_id}")
        elif how == "logged out":
            await aunt.told("POST", "/v1/auth/logout")
        else:
            await mother.told("PATCH", f"{mother.family}/guardians/{aunt.guardian_id}", json={"may_message": False})

    for how, refusal in (
        ("removed", (404, "not_found")), ("logged out", (401, "session_ended")), ("rights", (403, "right_missing")),
    ):  # fmt: skip
        aunt = await mother.invite()

        async def examined(sandbox: AudioSandbox, sound: bytes, who: Parent = aunt, how: str = how) -> Any:
            found = await examine(sandbox, sound)
            await loses_access(who, how)
            return found

        monkeypatch.setattr(AudioSandbox, "examine", examined)
        options = {"content": AMR, "headers": {"Idempotency-Key": new_ref(), "Content-Type": "audio/amr"}}
        assert await aunt.refused("POST", f"{aunt.child}/voice-messages", **options) == refusal
    async with transcoder.database.begin() as work:
        assert (
            await work.session.exec(select(Message).where(Message.child_id == uuid.UUID(mother.child_id)))
        ).all() == []
