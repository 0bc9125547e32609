"""A message or an alert wakes the guardians' phones: each of their endpoints once, with ids and nothing else."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlmodel import select

from services.core.conversation.messages.from_watch import WatchMessage, receive_from_child
from services.core.conversation.messages.rules import text_body
from services.core.devices.alerts.actions import NewAlert, raise_alert
from services.core.devices.push.rules import EndpointKind
from services.core.devices.push.tables import PushEndpoint
from services.core.devices.watches.queries import standing_identity
from services.core.platform.db.database import Database
from services.core.platform.outbox.tables import OutboxRow
from services.core.platform.settings import Settings
from services.worker import push
from services.worker.consumer import BatchConsumer, OutboxConsumer
from services.worker.push import push_loops
from services.worker.push_providers import Poster, PushProvider, Webhook, providers_of
from services.worker.wake_ups import WakeUps
from tests.integration.worker.push_service import Browser, PushService
from tests.support.clock import FakeClock
from tests.support.http import Parent, make_family, make_place, pair


@pytest_asyncio.fixture(loop_scope="session")
async def service() -> AsyncIterator[PushService]:
    """A push service of this test's own."""
    async with PushService().running() as service:
        yield service


@dataclass(frozen=True)
class PushSender:
    """The worker's fan-out and one of its senders, step by step."""

    events: BatchConsumer
    notes: OutboxConsumer

    async def wake_one(self) -> bool:
        return bool(await self.events.consume_some())

    async def send_one(self) -> bool:
        return await self.notes.consume_one()


def _step_by_step(database: Database, providers: Mapping[EndpointKind, PushProvider]) -> PushSender:
    events, _, notes, *_ = push_loops(database, providers, WakeUps(database))
    assert isinstance(events, BatchConsumer)
    assert isinstance(notes, OutboxConsumer)
    return PushSender(events, notes)


@pytest_asyncio.fixture(loop_scope="session")
async def sender(settings: Settings, database: Database) -> AsyncIterator[PushSender]:
    """The worker's sender, step by step."""
    async with providers_of(settings, database) as providers:
        sender = _step_by_step(database, providers)
        await _send_all(sender)
        yield sender


@pytest_asyncio.fixture(loop_scope="session")
async def parent(client: httpx.AsyncClient, database: Database) -> Parent:
    """A family with one child."""
    return await make_family(client, database)


async def _send_all(sender: PushSender) -> None:
    while await sender.wake_one() or await sender.send_one():
        pass


async def _raise(parent: Parent, kind: str = "sos") -> str:
    async with parent.database.begin() as work:
        raised = NewAlert(uuid.UUID(parent.child_id), uuid.UUID(str(parent.family_id)), kind, subject_id=uuid.uuid4())
        return str((await raise_alert(work, raised)).alert_id)


async def _register(parent: Parent, body: dict[str, str]) -> dict[str, Any]:
    endpoint: dict[str, Any] = await parent.told("POST", "/v1/push-endpoints", json=body)
    return endpoint


async def _listed(parent: Parent) -> list[dict[str, Any]]:
    endpoints: list[dict[str, Any]] = (await parent.told("GET", "/v1/push-endpoints"))["endpoints"]
    return endpoints


async def test_a_browser_is_told_of_an_alert_by_ids_that_only_it_can_read(
    sender: PushSender, service: PushService, parent: Parent
) -> None:
    browser = Browser()
    await _register(parent, browser.subscription(service.address()))
    alert_id = await _raise(parent)
    await _send_all(sender)
    (posted,) = service.posted
    assert json.loads(browser.open(posted.body)) == {
        "kind": "alert.raised", "family_id": str(parent.family_id), "child_id": parent.child_id, "ref_id": alert_id,
    }  # fmt: skip
    key = (await parent.told("GET", "/v1/push-key"))["public_key"]
    assert posted.headers["authorization"].endswith(f"k={key}")
    wanted = {"content-encoding": "aes128gcm", "ttl": "3600", "urgency": "high"}
    assert {name: posted.headers[name] for name in wanted} == wanted
    assert posted.path == "/push/abc"


async def test_a_childs_message_wakes_its_recipients_and_a_guardians_own_wakes_nobody(
    sender: PushSender, service: PushService, client: httpx.AsyncClient, database: Database
) -> None:
    place = await make_place(database)
    parent = await make_family(client, database, place)
    username = (await pair(parent, place)).username
    browser = Browser()
    await _register(parent, browser.subscription(service.address()))
    await parent.send("good morning")
    await _send_all(sender)
    assert service.posted == []
    async with database.begin() as work:
        identity = await standing_identity(work, username, lock=True)
        assert identity is not None
        message = WatchMessage("t81kd02mq7zr", "family", text_body("a secret of Mei's"), "0" * 64, None)
        await receive_from_child(work, identity, message)
    await _send_all(sender)
    note = browser.open(service.posted[0].body)
    assert json.loads(note)["kind"] == "message.created"
    assert b"Mei" not in note
    assert b"secret" not in note


async def test_a_webhook_can_tell_that_a_note_is_ours_and_new(
    sender: PushSender, service: PushService, parent: Parent, clock: FakeClock
) -> None:
    registered = await _register(parent, {"kind": "webhook", "address": service.address("/hook")})
    await _raise(parent)
    await _send_all(sender)
    (posted,) = service.posted
    when = posted.headers["smartwatch-timestamp"]
    assert int(when) == int(clock.now.timestamp())
    signed = hmac.new(registered["secret"].encode(), f"{when}.".encode() + posted.body, hashlib.sha256).hexdigest()
    assert posted.headers["smartwatch-signature"] == f"v1={signed}"
    assert set(json.loads(posted.body)) == {"kind", "family_id", "child_id", "ref_id"}


async def test_an_endpoint_that_fails_is_tried_again_and_the_others_are_not_sent_twice(
    sender: PushSender, service: PushService, parent: Parent, clock: FakeClock
) -> None:
    async with PushService(status=503).running() as broken:
        await _register(parent, {"kind": "webhook", "address": service.address()})
        await _register(parent, {"kind": "webhook", "address": broken.address()})
        await _raise(parent)
        await _send_all(sender)
        assert (len(service.posted), len(broken.posted)) == (1, 1)
        broken.status = 204
        clock.advance(seconds=1)
        await _send_all(sender)
        assert (len(service.posted), len(broken.posted)) == (1, 2)
    assert [endpoint["failing_since_at"] for endpoint in await _listed(parent)] == [None, None]


@pytest.mark.parametrize("status", [404, 410])
async def test_an_endpoint_that_says_it_is_gone_is_forgotten(
    sender: PushSender, service: PushService, parent: Parent, status: int
) -> None:
    await _register(parent, {"kind": "webhook", "address": service.address()})
    service.status = status
    await _raise(parent)
    await _send_all(sender)
    assert await _listed(parent) == []
    await _raise(parent)
    await _send_all(sender)
    assert len(service.posted) == 1


async def test_an_endpoint_that_fails_for_days_is_forgotten(
    sender: PushSender, service: PushService, parent: Parent, clock: FakeClock, database: Database
) -> None:
    registered = await _register(parent, {"kind": "webhook", "address": service.address()})
    service.status = 500
    await _raise(parent)
    await _send_all(sender)
    clock.advance(days=2)
    await _raise(parent)
    await _send_all(sender)
    async with database.begin() as work:
        assert await work.session.get(PushEndpoint, uuid.UUID(registered["endpoint_id"])) is not None
    clock.advance(days=1)
    await _raise(parent)
    await _send_all(sender)
    async with database.begin() as work:
        assert await work.session.get(PushEndpoint, uuid.UUID(registered["endpoint_id"])) is None


async def test_a_redirection_is_not_followed_and_a_note_goes_stale(
    sender: PushSender, service: PushService, parent: Parent, clock: FakeClock, database: Database
) -> None:
    await _register(parent, {"kind": "webhook", "address": service.address()})
    service.status = 307
    await _raise(parent)
    await _send_all(sender)
    assert [post.path for post in service.posted] == ["/push/abc"]
    clock.advance(hours=1)
    await _send_all(sender)
    assert len(service.posted) == 1
    async with database.begin() as work:
        assert (await work.session.exec(select(OutboxRow).where(OutboxRow.kind == "push"))).all() == []


async def test_a_service_that_never_answers_costs_its_time_and_nothing_else(
    sender: PushSender, service: PushService, parent: Parent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push, "TIMEOUT_S", 0.2)
    service.is_stuck = True
    await _register(parent, {"kind": "webhook", "address": service.address()})
    await _raise(parent)
    await _send_all(sender)
    assert len(service.posted) == 1
    (endpoint,) = await _listed(parent)
    assert endpoint["failing_since_at"] is not None


async def test_who_logs_out_loses_the_right_or_leaves_is_not_woken_even_by_what_waits(
    sender: PushSender, service: PushService, parent: Parent
) -> None:
    logged_out = await parent.invite()
    removed = await parent.invite(relation="father")
    no_more = await parent.invite(relation="aunt")
    for guardian in (logged_out, removed, no_more):
        await _register(guardian, {"kind": "webhook", "address": service.address(f"/{guardian.guardian_id}")})
    await _raise(parent)
    assert await sender.wake_one()
    await logged_out.told("POST", "/v1/auth/logout")
    await parent.told("DELETE", f"{parent.family}/guardians/{removed.guardian_id}")
    await parent.told("PATCH", f"{parent.family}/guardians/{no_more.guardian_id}", json={"may_message": False})
    await _send_all(sender)
    # Remaining guardians are notified of the change to the others, and of nothing else.
    posts = {(post.path, json.loads(post.body)["kind"]) for post in service.posted}
    assert posts == {(f"/{no_more.guardian_id}", "guardian.acted")}


async def test_a_new_phone_that_waits_wakes_its_owner_and_who_may_approve_and_its_end_nobody(
    sender: PushSender, service: PushService, parent: Parent
) -> None:
    uncle = await parent.invite()
    for guardian in (parent, uncle):
        await _register(guardian, {"kind": "webhook", "address": service.address(f"/{guardian.guardian_id}")})
    tablet = await parent.new_device("Redmi 12").log_in()
    await _send_all(sender)
    assert {post.path for post in service.posted} == {f"/{parent.guardian_id}", f"/{uncle.guardian_id}"}
    (session,) = [
        session for session in (await parent.told("GET", "/v1/me/sessions"))["sessions"] if session["limited"]
    ]
    for note in service.posted:
        assert json.loads(note.body) == {
            "kind": "log_in.changed", "family_id": str(parent.family_id), "child_id": "",
            "ref_id": session["session_id"],
        }  # fmt: skip
    await parent.told("POST", "/v1/me/new-phones/block")
    assert await tablet.refused("GET", "/v1/me") == (401, "session_ended")
    await _send_all(sender)
    assert len(service.posted) == 2


async def test_a_zone_wakes_only_who_may_locate(sender: PushSender, service: PushService, parent: Parent) -> None:
    father = await parent.invite(may_locate=True, relation="father")
    for guardian in (parent, father):
        await _register(guardian, {"kind": "webhook", "address": service.address(f"/{guardian.guardian_id}")})
    await _raise(parent, "zone_left")
    await _send_all(sender)
    assert [post.path for post in service.posted] == [f"/{father.guardian_id}"]


async def test_the_same_address_again_is_the_same_endpoint_and_ten_are_enough(
    service: PushService, parent: Parent
) -> None:
    first = await _register(parent, {"kind": "webhook", "address": service.address("/0")})
    again = await _register(parent, {"kind": "webhook", "address": service.address("/0")})
    assert again["endpoint_id"] == first["endpoint_id"]
    assert again["secret"] != first["secret"]
    for number in range(1, 10):
        await _register(parent, {"kind": "webhook", "address": service.address(f"/{number}")})
    full = {"kind": "webhook", "address": service.address("/10")}
    assert await parent.refused("POST", "/v1/push-endpoints", json=full) == (409, "push_endpoints_full")
    await parent.told("DELETE", f"/v1/push-endpoints/{first['endpoint_id']}")
    await _register(parent, full)


async def test_addresses_and_keys_are_sealed_at_rest(service: PushService, parent: Parent, database: Database) -> None:
    subscription = Browser().subscription(service.address("/quite-secret"))
    registered = await _register(parent, subscription)
    async with database.begin() as work:
        row = await work.session.get_one(PushEndpoint, uuid.UUID(registered["endpoint_id"]))
    kept = repr(row.model_dump()).encode() + row.sealed + row.mark
    assert not [
        secret for secret in ("quite-secret", *subscription.values()) if len(secret) > 8 and secret.encode() in kept
    ]


async def test_outside_development_a_name_that_stands_for_a_private_address_is_not_reached(
    service: PushService, parent: Parent, database: Database
) -> None:
    # Registered while it was allowed, or a name that has changed its meaning since.
    await _register(parent, {"kind": "webhook", "address": service.address()})
    await _raise(parent)
    async with httpx.AsyncClient(trust_env=False) as client:
        provider = Webhook(Poster(client, only_public=True), database)
        await _send_all(_step_by_step(database, {EndpointKind.WEBHOOK: provider}))
    assert service.posted == []
    (endpoint,) = await _listed(parent)
    assert endpoint["failing_since_at"] is not None


async def test_a_note_that_cannot_be_opened_waits_and_does_not_stop_the_others(
    sender: PushSender, service: PushService, parent: Parent, database: Database
) -> None:
    broken = await _register(parent, {"kind": "webhook", "address": service.address("/broken")})
    async with database.begin() as work:
        row = await work.session.get_one(PushEndpoint, uuid.UUID(broken["endpoint_id"]))
        row.sealed = b"\x01" + bytes(40)
        work.add(row)
    await _register(parent, {"kind": "webhook", "address": service.address("/well")})
    await _raise(parent)
    await _send_all(sender)
    assert [post.path for post in service.posted] == ["/well"]
