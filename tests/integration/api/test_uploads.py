"""A recording in parts: whatever the network does, it becomes one message, or the phone knows where to go on."""

from __future__ import annotations

import hashlib
from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.conversation.messages import uploads as messages_uploads
from services.core.conversation.messages.tables import PhoneUploadPart
from services.core.conversation.messages.uploads import UPLOADS_MAX, purge_one_upload
from services.core.platform.crypto.random_ids import new_ref
from tests.support.clock import FakeClock
from tests.support.http import Parent, make_family
from tests.support.sounds import encoded

SOUND = encoded("amr-nb", 10.0)
PART = 4_000


async def begin(parent: Parent, sound: bytes = SOUND, key: str | None = None, **fields: object) -> dict[str, Any]:
    body = {"bytes": len(sound), "sha256": hashlib.sha256(sound).hexdigest(), **fields}
    headers = {"Idempotency-Key": key or new_ref()}
    upload: dict[str, Any] = await parent.told("POST", f"{parent.child}/uploads", json=body, headers=headers)
    return upload


def options(sound: bytes, offset: int) -> dict[str, Any]:
    headers = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    return {"content": sound, "headers": headers}


async def send(parent: Parent, upload: dict[str, Any], sound: bytes = SOUND) -> None:
    """Send everything that is not there yet."""
    path = f"{parent.child}/uploads/{upload['upload_id']}"
    offset = (await parent.told("GET", path))["offset"]
    while offset < len(sound):
        offset = (await parent.told("PATCH", path, **options(sound[offset : offset + PART], offset)))["offset"]


async def test_parts_become_one_message_and_repeats_change_nothing(
    client: httpx.AsyncClient, transcoder: Transcoder
) -> None:
    parent = await make_family(client, transcoder.database)
    upload = await begin(parent, key="upload-key-1")
    assert (upload["offset"], upload["message_id"]) == (0, None)
    assert (await begin(parent, key="upload-key-1"))["upload_id"] == upload["upload_id"]
    path = f"{parent.child}/uploads/{upload['upload_id']}"
    await parent.told("PATCH", path, **options(SOUND[:PART], 0))
    # The answer was lost: the same part again is told where to go on.
    again = await parent.ask("PATCH", path, **options(SOUND[:PART], 0))
    assert (again.status_code, again.json()["code"], again.json()["offset"]) == (409, "upload_offset_differs", PART)
    unfinished = await parent.ask("POST", f"{path}/message")
    assert (unfinished.status_code, unfinished.json()["code"], unfinished.json()["offset"]) == (
        409, "upload_unfinished", PART,
    )  # fmt: skip
    await send(parent, upload)
    sent = [await parent.told("POST", f"{path}/message") for _ in range(2)]
    assert sent[0]["message_id"] == sent[1]["message_id"]
    assert abs(sent[0]["voice"]["duration_ms"] - 10_000) < 60
    assert (await parent.told("GET", path))["message_id"] == sent[0]["message_id"]
    assert len((await parent.told("GET", f"{parent.child}/messages"))["messages"]) == 1
    # The same key without parts is the same message.
    assert (await parent.speak(SOUND, "upload-key-1"))["message_id"] == sent[0]["message_id"]


async def test_what_arrived_otherwise_than_announced_is_sent_again(
    client: httpx.AsyncClient, transcoder: Transcoder
) -> None:
    parent = await make_family(client, transcoder.database)
    upload = await begin(parent)
    await send(parent, upload, bytes(len(SOUND)))
    path = f"{parent.child}/uploads/{upload['upload_id']}"
    assert await parent.refused("POST", f"{path}/message") == (422, "upload_hash_differs")
    assert (await parent.told("GET", path))["offset"] == 0
    await send(parent, upload)
    assert (await parent.told("POST", f"{path}/message"))["kind"] == "voice"


async def test_rules_hold_before_and_after_the_parts(client: httpx.AsyncClient, transcoder: Transcoder) -> None:
    parent = await make_family(client, transcoder.database)
    path = f"{parent.child}/uploads"
    body = {"bytes": 1024 * 1024 + 1, "sha256": "0" * 64}
    headers = {"Idempotency-Key": new_ref()}
    assert await parent.refused("POST", path, json=body, headers=headers) == (413, "clip_too_large")
    upload = await begin(parent, key="upload-key-2")
    other = {"json": {"bytes": 5, "sha256": "0" * 64}, "headers": {"Idempotency-Key": "upload-key-2"}}
    assert await parent.refused("POST", path, **other) == (409, "idempotency_key_conflict")
    beyond = options(SOUND + b"more", 0)
    assert await parent.refused("PATCH", f"{path}/{upload['upload_id']}", **beyond) == (413, "clip_too_large")
    for offset in ("-1", "x", "", "99999999999999999999"):
        wrong = {"content": b"x", "headers": {**options(b"x", 0)["headers"], "Upload-Offset": offset}}
        assert await parent.refused("PATCH", f"{path}/{upload['upload_id']}", **wrong) == (422, "invalid_request")
    noise = bytes(range(256)) * 4
    upload = await begin(parent, noise)
    await send(parent, upload, noise)
    refused = await parent.refused("POST", f"{path}/{upload['upload_id']}/message")
    assert refused == (422, "audio_not_readable")


async def test_an_upload_is_ones_own(client: httpx.AsyncClient, transcoder: Transcoder) -> None:
    mother = await make_family(client, transcoder.database)
    aunt = await mother.invite()
    upload = await begin(mother)
    path = f"{aunt.child}/uploads/{upload['upload_id']}"
    assert await aunt.refused("GET", path) == (404, "not_found")
    assert await aunt.refused("PATCH", path, **options(b"x", 0)) == (404, "not_found")
    assert await aunt.refused("POST", f"{path}/message") == (404, "not_found")


async def test_recordings_that_were_sent_are_no_unfinished_uploads(
    client: httpx.AsyncClient, transcoder: Transcoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages_uploads, "UPLOADS_MAX", 2)
    parent = await make_family(client, transcoder.database)
    sent, uploads = [], []
    for _ in range(4):
        upload = await begin(parent)
        uploads.append(upload["upload_id"])
        await send(parent, upload)
        path = f"{parent.child}/uploads/{upload['upload_id']}/message"
        sent.append((path, (await parent.told("POST", path))["message_id"]))
    # Their parts are gone, except those of the last; what is repeated is answered as before.
    async with transcoder.database.begin() as work:
        upload_ids = await work.session.exec(select(col(PhoneUploadPart.upload_id)).distinct())
        assert {str(upload_id) for upload_id in upload_ids} & set(uploads) == {uploads[-1]}
    for path, message_id in sent:
        assert (await parent.told("POST", path))["message_id"] == message_id
    for _ in range(2):
        await begin(parent)
    request = {"json": {"bytes": 5, "sha256": "0" * 64}, "headers": {"Idempotency-Key": new_ref()}}
    assert await parent.refused("POST", f"{parent.child}/uploads", **request) == (409, "too_many_uploads")


async def test_unfinished_uploads_are_bounded_and_forgotten_after_a_day(
    client: httpx.AsyncClient, transcoder: Transcoder, clock: FakeClock
) -> None:
    parent = await make_family(client, transcoder.database)
    uploads = [await begin(parent) for _ in range(UPLOADS_MAX)]
    request = {"json": {"bytes": 5, "sha256": "0" * 64}, "headers": {"Idempotency-Key": new_ref()}}
    assert await parent.refused("POST", f"{parent.child}/uploads", **request) == (409, "too_many_uploads")
    clock.advance(days=1, seconds=1)
    forgotten = True
    while forgotten:
        async with transcoder.database.begin() as work:
            forgotten = await purge_one_upload(work)
    await parent.log_in()
    gone = await parent.refused("GET", f"{parent.child}/uploads/{uploads[0]['upload_id']}")
    assert gone == (404, "not_found")
    assert (await begin(parent))["offset"] == 0
