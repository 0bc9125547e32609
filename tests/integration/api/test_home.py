"""The first screen in one request, small and without a look at a place."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlmodel import col, select

from services.core.devices.watches.tables import Watch
from services.core.platform.db.database import Database
from services.core.platform.facts.tables import Fact
from services.core.platform.outbox.tables import OutboxRow
from tests.support.clock import FakeClock
from tests.support.http import Parent, make_family, make_parent, make_place, pair
from tests.support.sounds import wav


@pytest_asyncio.fixture(loop_scope="session")
async def parent(client: httpx.AsyncClient, database: Database) -> Parent:
    place = await make_place(database)
    family = await make_family(client, database, place)
    await pair(family, place)
    return family


async def test_home_tells_what_thirteen_requests_told(parent: Parent) -> None:
    sent = await parent.send("Good night!")
    await parent.told("POST", f"{parent.child}/help", json={"kind": "broken"})
    home = await parent.told("GET", "/v1/home")
    assert home["me"] == await parent.told("GET", "/v1/me")
    [child] = home["children"]
    assert child["child"] == await parent.told("GET", parent.child)
    assert child["last_message"]["message_id"] == sent["message_id"]
    assert (child["unread"], child["unplayed"], child["alerts"]) == (0, 0, [])
    assert (child["may_message"], child["may_locate"], child["may_manage"]) == (True, False, True)
    calls = await parent.told("GET", f"{parent.child}/help")
    assert child["help"] == calls["open"] != []
    [family] = home["families"]
    assert family["helpline"] == calls["helpline"]
    assert (family["country"], family["timezone"], family["map"]) == ("CN", "Asia/Shanghai", "amap")
    assert home["notice"] is None
    assert home["pin_is_set"] is False
    # Later changes arrive as events after the cursor of this answer.
    later = await parent.send("And dream well!")
    events = (await parent.told("GET", "/v1/sync", params={"since": home["cursor"]}))["events"]
    assert later["message_id"] in {event["ref_id"] for event in events}
    assert (await parent.told("GET", f"{parent.child}/looks"))["looks"] == []


async def test_home_has_the_emergency_number_and_for_those_who_may_message_the_watchs(
    client: httpx.AsyncClient, database: Database
) -> None:
    place = await make_place(database)
    mother = await make_family(client, database, place)
    worn = await pair(mother, place)
    grandmother = await mother.invite(may_message=False, may_locate=True)
    async with database.begin() as work:
        watch = await work.session.get_one(Watch, worn.watch_id)
        watch.sim_number = "+8613900139777"
        work.add(watch)
    numbers = []
    for parent in (mother, grandmother):
        home = await parent.told("GET", "/v1/home")
        numbers.append((home["families"][0]["emergency_number"], home["children"][0]["watch_number"]))
    assert numbers == [("110", "+8613900139777"), ("110", None)]


async def test_before_consent_home_has_no_child(client: httpx.AsyncClient, database: Database) -> None:
    parent = await make_parent(client, database)
    home = await parent.told("GET", "/v1/home")
    assert home["children"] == []
    assert len(home["me"]["families"]) == 1


async def test_an_unchanged_list_is_not_sent_again_and_a_long_one_is_compressed(parent: Parent) -> None:
    for words in ("one", "two", "three", "four", "five"):
        await parent.send(words)
    path = f"{parent.child}/messages"
    packed = await parent.ask("GET", path, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(packed.content) / 2
    plain = await parent.ask("GET", path, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.json() == packed.json()
    answer = await parent.ask("GET", path, headers={"If-None-Match": plain.headers["etag"]})
    assert (answer.status_code, answer.content) == (304, b"")
    await parent.send("six")
    changed = await parent.ask("GET", path, headers={"If-None-Match": plain.headers["etag"]})
    assert changed.status_code == 200


async def test_answers_of_log_in_are_never_compressed(parent: Parent) -> None:
    answer = await parent.client.post(
        "/v1/auth/refresh", json={"refresh_token": parent.tokens["refresh_token"]}, headers={"Accept-Encoding": "gzip"}
    )
    assert answer.status_code == 200
    assert "content-encoding" not in answer.headers
    assert "etag" not in answer.headers


async def test_a_message_that_waited_on_the_phone_keeps_its_own_time(
    parent: Parent, database: Database, clock: FakeClock
) -> None:
    await parent.consent("measurement")
    made_at = clock() - timedelta(hours=4)
    headers = {"Idempotency-Key": f"waited-{uuid.uuid4()}", "Content-Type": "application/json"}
    body = {"kind": "text", "text": "hi", "made_at": made_at.isoformat()}
    sent = await parent.told("POST", f"{parent.child}/messages", json=body, headers=headers)
    assert sent["sent_at"] == made_at.isoformat().replace("+00:00", "Z")
    spoken = await parent.told(
        "POST", f"{parent.child}/voice-messages", content=wav(1.0),
        headers={**headers, "Idempotency-Key": f"w-{uuid.uuid4()}", "Made-At": made_at.isoformat()},
    )  # fmt: skip
    assert spoken["sent_at"] == sent["sent_at"]
    async with database.begin() as work:
        facts = await work.session.exec(select(Fact).where(col(Fact.ref_id) == uuid.UUID(sent["message_id"])))
        assert [fact.happened_at for fact in facts] == [made_at]


@pytest.mark.parametrize(("away", "kept"), [(timedelta(hours=9), "now"), (timedelta(days=-4_000), "none")])
async def test_a_phone_with_a_wrong_clock_is_not_believed(
    parent: Parent, clock: FakeClock, away: timedelta, kept: str
) -> None:
    body = {"kind": "emoji", "emoji": "heart", "made_at": (clock() + away).isoformat()}
    headers = {"Idempotency-Key": f"clock-{uuid.uuid4()}"}
    sent = await parent.told("POST", f"{parent.child}/messages", json=body, headers=headers)
    assert sent["sent_at"] == (sent["received_at"] if kept == "now" else None)


@pytest.mark.parametrize("written", ["yesterday", 1_700_000_000, "2026-03-02T18:00:00"])
async def test_a_time_without_an_offset_is_refused(parent: Parent, written: Any) -> None:
    body = {"kind": "emoji", "emoji": "heart", "made_at": written}
    headers = {"Idempotency-Key": f"clock-{uuid.uuid4()}"}
    answer = await parent.ask("POST", f"{parent.child}/messages", json=body, headers=headers)
    assert answer.status_code == 422
    # The pointer names the field, without the word that tells kinds of messages apart.
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/made_at"]


async def test_only_what_changed_is_read_again(parent: Parent, clock: FakeClock) -> None:
    old = await parent.send("old")
    clock.advance(minutes=5)
    since = clock().isoformat()
    clock.advance(minutes=5)
    new = await parent.send("new")
    page = await parent.told("GET", f"{parent.child}/messages", params={"changed_after": since})
    assert [message["message_id"] for message in page["messages"]] == [new["message_id"]]
    assert old["message_id"] not in str(page)


async def test_a_recording_is_logged_once_a_day_for_each_guardian(parent: Parent, clock: FakeClock) -> None:
    spoken = await parent.speak(wav(1.0), media_type="audio/wav")
    path = f"{parent.child}/messages/{spoken['message_id']}/audio"

    async def looks() -> int:
        return len((await parent.told("GET", f"{parent.child}/looks"))["looks"])

    before = await looks()
    for headers in ({}, {"Range": "bytes=0-99"}, {"Range": "bytes=100-"}):
        assert (await parent.ask("GET", path, headers=headers)).is_success
    assert await looks() == before + 1
    clock.advance(days=1)
    await parent.log_in()
    assert (await parent.ask("GET", path)).is_success
    assert await looks() == before + 2


async def test_a_trial_notification_goes_to_the_asked_phone_alone(parent: Parent, database: Database) -> None:
    made = [
        await parent.told(
            "POST", "/v1/push-endpoints", json={"kind": "webhook", "address": f"https://push.test/{name}"}
        )
        for name in ("a", "b")
    ]
    trial = await parent.told("POST", f"/v1/push-endpoints/{made[0]['endpoint_id']}/try")
    assert trial["endpoint_id"] == made[0]["endpoint_id"]
    async with database.begin() as work:
        rows = await work.session.exec(select(OutboxRow).where(OutboxRow.kind == "push"))
        tried = [row.target for row in rows if row.payload["kind"] == "push.trial"]
    assert tried == [made[0]["endpoint_id"]]
    other = await make_family(parent.client, database)
    path = f"/v1/push-endpoints/{made[0]['endpoint_id']}/try"
    assert await other.refused("POST", path) == (404, "not_found")
