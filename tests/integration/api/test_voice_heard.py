"""Voice over HTTP, played: counted, logged, by links, in ranges, kept ninety days; heard only by whom it is for."""

from __future__ import annotations

import asyncio
import uuid

import httpx
from sqlmodel import select

from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.conversation.messages.retention import purge_one_old_voice
from services.core.platform.audit.tables import AuditEntry
from services.core.platform.blobs.actions import sweep_one
from services.core.platform.blobs.tables import Blob
from services.core.platform.limits.memory import local_buckets
from services.core.platform.limits.rules import Limits
from services.core.platform.settings import Settings
from tests.support.clock import FakeClock
from tests.support.http import fill_buckets, make_family, make_place, pair
from tests.support.sounds import duration_ms, encoded
from tests.support.voice import audio, child_speaks, newest

AMR = encoded("amr-nb", 2.0)


async def test_what_a_child_says_is_heard_counted_and_marked(client: httpx.AsyncClient, transcoder: Transcoder) -> None:
    place = await make_place(transcoder.database)
    parent = await make_family(client, transcoder.database, place)
    identity = await pair(parent, place)

    async def counts() -> tuple[int, int]:
        unread = await parent.told("GET", "/v1/unread")
        (child,) = unread["children"]
        assert child["child_id"] == parent.child_id
        return child["unread"], child["unplayed"]

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
    synced = await parent.told("GET", f"/v1/sync?since={since}")
    kinds = [(event["kind"], event["detail"]) for event in synced["events"]]
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
        rows = await work.session.exec(select(AuditEntry).where(AuditEntry.subject_id == message["message_id"]))
        entries = [(entry.action, entry.actor_id, entry.outcome) for entry in rows]
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
        while not local_buckets(work).charge(Limits.REQUESTS_OF_GUARDIAN, parent.guardian_id, work.now):
            pass
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
    kept, gone = await mother.speak(AMR), await mother.speak(encoded("opus", 2.0))
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
    view = await mother.told("GET", f"{mother.child}/messages/{gone['message_id']}")
    assert (view["voice"]["state"], view["voice"]["bars"]) == ("gone", None)
    assert (await audio(mother, kept)).status_code == 200
    await mother.told("PUT", f"{path}/kept", json={"kept": False})
    await drop()
    assert (await audio(mother, kept)).status_code == 410
    assert await blobs_of_child() == 0


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
