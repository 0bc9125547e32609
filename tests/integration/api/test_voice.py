"""Voice over HTTP: taken only when it can be played, once for each key, heard only by whom it is for."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.conversation.messages.tables import Message
from services.core.platform.audio.sandbox import AudioSandbox
from services.core.platform.blobs.tables import Blob
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.settings import Settings
from tests.support.http import Parent, make_family, make_place, pair
from tests.support.sounds import RECORDERS, duration_ms, encoded, wav
from tests.support.voice import audio, child_speaks

AMR = encoded("amr-nb", 2.0)
KINDS = {
    "audio/amr": AMR,
    "audio/ogg": encoded("opus", 2.0),
    "audio/webm;codecs=opus": encoded("webm", 2.0),
    "audio/mp4": encoded("m4a", 2.0),
    "audio/wav": wav(2.0),
    "application/octet-stream": wav(2.0, level=0.02),
}


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
    for span, start, end in (
        ("bytes=0-1", 0, 2),
        ("bytes=100-", 100, None),
        ("bytes=-10", len(whole.content) - 10, None),
    ):
        part = await audio(parent, message, Range=span)
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
            examined = await examine(sandbox, sound)
            await loses_access(who, how)
            return examined

        monkeypatch.setattr(AudioSandbox, "examine", examined)
        options = {"content": AMR, "headers": {"Idempotency-Key": new_ref(), "Content-Type": "audio/amr"}}
        assert await aunt.refused("POST", f"{aunt.child}/voice-messages", **options) == refusal
    async with transcoder.database.begin() as work:
        assert (
            await work.session.exec(select(Message).where(Message.child_id == uuid.UUID(mother.child_id)))
        ).all() == []
