"""A guardian takes along what is theirs, all of it, and nothing of anybody else."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import uuid
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import jsonschema
import pytest
from sqlmodel import col, select

from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.platform.audio.rules import Media
from services.core.platform.blobs.actions import sweep_one
from services.core.platform.blobs.tables import Blob
from services.core.platform.db.database import Database
from services.core.platform.settings import Settings
from services.core.privacy.copies import archive
from services.core.privacy.copies.actions import CLAIM_LIVES, TRIES, expire_one_export
from services.core.privacy.copies.archive import build_one_export
from services.core.privacy.tables import Export
from tests.support.clock import FakeClock
from tests.support.http import Parent, make_family, make_place, pair
from tests.support.sounds import encoded

SOUND = encoded("amr-nb", 1.0)


async def _ask(parent: Parent) -> str:
    export = await parent.told("POST", f"{parent.family}/exports")
    assert (export["state"], export["percent"]) == ("waiting", 0)
    return f"{parent.family}/exports/{export['export_id']}"


async def _made(parent: Parent, transcoder: Transcoder) -> str:
    path = await _ask(parent)
    while await build_one_export(transcoder):
        pass
    return path


def _opened(answer: httpx.Response) -> tuple[dict[str, Any], dict[str, bytes]]:
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name) for name in archive.namelist()}
    document = json.loads(files["export.json"])
    jsonschema.validate(document, json.loads(files["export.schema.json"]), jsonschema.Draft202012Validator)
    return document, files


async def test_it_holds_ones_own_conversation_with_its_sound_and_what_is_common(
    client: httpx.AsyncClient, database: Database, transcoder: Transcoder
) -> None:
    place = await make_place(database)
    mother = await make_family(client, database, place)
    await pair(mother, place)
    await mother.told("PATCH", mother.child, json={"birth_date": "2016-05-04"})
    aunt = await mother.invite()
    await aunt.told("PUT", f"{aunt.family}/my-number", json={"hidden": True})
    await mother.add_contact(name="Teacher Li")
    await mother.send("good morning")
    spoken = await mother.speak(SOUND)
    await mother.told("PUT", f"{mother.child}/messages/{spoken['message_id']}/kept", json={"kept": True})
    await aunt.send("only between us")
    await mother.told("DELETE", f"{mother.child}/pairing")

    path = await _made(mother, transcoder)

    state = await mother.told("GET", path)
    assert (state["state"], state["percent"], state["watch_copy"]) == ("ready", 100, "not_confirmed")
    answer = await mother.ask("GET", f"{path}/file")
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="smartwatch-export.zip"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert len(answer.content) == state["size_bytes"]
    export, files = _opened(answer)
    [child] = export["children"]
    assert (child["name"], child["birth_date"], child["watch_copy"]) == ("Mei", "2016-05-04", "not_confirmed")
    assert [(message["kind"], message["content"]) for message in child["messages"]] == [
        ("text", "good morning"),
        ("voice", None),
    ]
    at = datetime.fromisoformat(spoken["received_at"]).astimezone(ZoneInfo("Asia/Shanghai"))
    assert child["messages"][1]["audio"] == f"audio/{at:%Y-%m-%d_%H-%M-%S}.m4a"
    assert (child["messages"][1]["kept"], child["messages"][1]["kept_until"]) == (True, None)
    sound = await transcoder.sandbox.examine(files[child["messages"][1]["audio"]])
    assert (sound.media, 900 < sound.duration_ms < 1200) == (Media.MP4_AAC, True)
    assert "Teacher Li" in {contact["name"] for contact in child["contacts"]}
    assert export["me"]["phone"] == mother.phone
    assert [consent["part"] for consent in export["consents"]] == ["messages"]
    assert [entry["seq"] for entry in export["log"]] == list(range(1, len(export["log"]) + 1))
    # The page holds the same, with the recording in it, and loads nothing from elsewhere.
    page = files["index.html"].decode()
    assert "Album of Mei" in page
    assert "good morning" in page
    assert base64.b64encode(files[child["messages"][1]["audio"]]).decode() in page
    # Nothing of what is between the child and somebody else, and no number that is hidden.
    whole = b"".join(files.values())
    assert b"only between us" not in whole
    assert aunt.phone.encode() not in whole
    actions = [entry["action"] for entry in (await mother.told("GET", f"{mother.family}/audit"))["entries"]]
    assert actions[:2] == ["export.read", "export.asked"]


async def test_it_is_made_once_at_a_time_and_fetched_when_it_is_ready(
    client: httpx.AsyncClient, database: Database, transcoder: Transcoder
) -> None:
    mother = await make_family(client, database)
    aunt = await mother.invite()
    path = await _ask(mother)
    refused = await mother.ask("POST", f"{mother.family}/exports")
    assert (refused.status_code, refused.json()["code"]) == (429, "export_running")
    assert int(refused.headers["retry-after"]) > 0
    for part in ("file", "link"):
        method = "GET" if part == "file" else "POST"
        assert await mother.refused(method, f"{path}/{part}") == (409, "export_not_ready")
    # Another guardian's is neither seen nor in the way.
    assert await aunt.refused("GET", path) == (404, "not_found")
    assert (await aunt.told("GET", f"{aunt.family}/exports"))["exports"] == []
    await _made(aunt, transcoder)
    assert (await mother.told("GET", path))["state"] == "ready"
    assert await aunt.refused("GET", f"{path}/file") == (404, "not_found")
    await _made(mother, transcoder)


async def test_the_link_opens_it_until_its_day_is_over_and_then_the_file_is_gone(
    client: httpx.AsyncClient, database: Database, transcoder: Transcoder, settings: Settings, clock: FakeClock
) -> None:
    mother = await make_family(client, database)
    path = await _made(mother, transcoder)
    link = await mother.told("POST", f"{path}/link")
    address = "/v1/exports/" + link["url"].rpartition("/")[2]
    _opened(await client.get(address))
    # In the middle of the signature: the last letter carries bits that mean nothing.
    forged = address[:-9] + ("A" if address[-9] != "A" else "B") + address[-8:]
    for spoilt in (forged, address[:-8], "/v1/exports/none"):
        assert (await client.get(spoilt)).json()["code"] == "access_token_invalid"
    async with database.begin() as work:
        export_id = uuid.UUID(path.rpartition("/")[2])
        blob = (await work.session.exec(select(Blob).where(col(Blob.export_id) == export_id))).one()
    file = Path(settings.blob_url.removeprefix("file:")) / blob.blob_id.hex[:2] / blob.blob_id.hex
    assert b"Mei" not in file.read_bytes()
    clock.advance(hours=24)
    await mother.log_in()
    assert (await client.get(address)).json()["code"] == "access_token_invalid"
    assert await mother.refused("GET", f"{path}/file") == (409, "export_not_ready")
    expired = True
    while expired:
        async with database.begin() as work:
            expired = await expire_one_export(work)
    while await sweep_one(database, transcoder.blobs):
        pass
    assert not file.exists()
    assert (await mother.told("GET", path))["state"] == "expired"


async def test_the_link_dies_with_the_session_and_with_the_membership(
    client: httpx.AsyncClient, database: Database, transcoder: Transcoder
) -> None:
    mother = await make_family(client, database)
    aunt = await mother.invite()
    addresses = {}
    for guardian in (mother, aunt):
        path = await _made(guardian, transcoder)
        link = await guardian.told("POST", f"{path}/link")
        addresses[guardian.phone] = "/v1/exports/" + link["url"].rpartition("/")[2]
    await mother.told("POST", "/v1/auth/logout")
    assert (await client.get(addresses[mother.phone])).json()["code"] == "session_ended"
    await aunt.told("DELETE", f"{aunt.family}/guardians/{aunt.guardian_id}")
    assert (await client.get(addresses[aunt.phone])).json()["code"] == "not_found"


async def test_what_is_erased_is_in_no_export_that_was_made_before(
    client: httpx.AsyncClient, database: Database, transcoder: Transcoder
) -> None:
    mother = await make_family(client, database)
    aunt = await mother.invite()
    path = await _made(aunt, transcoder)
    async with database.begin() as work:
        export_id = uuid.UUID(path.rpartition("/")[2])
        blob_id = (await work.session.exec(select(Blob.blob_id).where(col(Blob.export_id) == export_id))).one()
    await mother.told("DELETE", mother.child, params={"confirm": "erase"})
    assert await aunt.refused("GET", f"{path}/file") == (404, "not_found")
    while await sweep_one(database, transcoder.blobs):
        pass
    async with database.begin() as work:
        assert await work.session.get(Blob, blob_id) is None
        exports = await work.session.exec(select(Export).where(Export.family_id == mother.family_id))
        assert exports.all() == []


async def test_a_killed_worker_loses_its_claim_and_another_makes_it_but_not_for_ever(
    client: httpx.AsyncClient,
    database: Database,
    transcoder: Transcoder,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mother = await make_family(client, database)
    path = await _ask(mother)

    async def killed(*_: object) -> bytes:
        raise asyncio.CancelledError

    for _ in range(TRIES):
        with monkeypatch.context() as broken:
            broken.setattr(archive, "_archive", killed)
            with pytest.raises(asyncio.CancelledError):
                await build_one_export(transcoder)
        assert not await build_one_export(transcoder)
        clock.advance(seconds=CLAIM_LIVES.total_seconds())
    assert not await build_one_export(transcoder)
    await mother.log_in()
    assert (await mother.told("GET", path))["state"] == "failed"
    # And may be asked for anew.
    fresh = await _made(mother, transcoder)
    assert (await mother.told("GET", fresh))["state"] == "ready"
