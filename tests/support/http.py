"""A guardian's app, as tests drive it over HTTP; its one-time code is read from the outbox, where the SMS waits."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

import httpx
from sqlalchemy import delete
from sqlmodel import col, select

from services.core.devices.presence.actions import HelloReport
from services.core.devices.watches.queries import current_identity
from services.core.devices.watches.tables import Watch, WatchIdentity
from services.core.pairing.codes import code_for_watch
from services.core.people.accounts.tables import Session
from services.core.people.consents.rules import Part, consent_texts
from services.core.people.households.tables import Enrolment, Family
from services.core.people.programme.tables import Cohort, Site
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.database import Database
from services.core.platform.limits.memory import local_buckets
from services.core.platform.limits.tables import LimitBucket
from services.core.platform.outbox.actions import unseal_sms
from services.core.platform.outbox.tables import OutboxRow
from tests.support.uplinks import receive_hello
from tests.support.world import make_site, make_watch

# Each in a range of 10,000 numbers of its own: ranges have a limit.
_numbers = itertools.count(13_000_138_000, 10_000)
_addresses = itertools.count(1)
TEXT_VERSION = consent_texts()[Part.MESSAGES, "en"].text_version


def new_phone() -> str:
    """Return a Chinese mobile number that no other test of this run has."""
    return f"+86{next(_numbers)}"


def new_address() -> str:
    """Return a client address that no other phone of this run has."""
    number = next(_addresses)
    return f"198.18.{number // 250 % 250}.{number % 250 + 1}" if number < 62_500 else f"198.19.0.{number % 250 + 1}"


@dataclass(frozen=True)
class Place:
    """A site with one cohort."""

    site: Site
    cohort: Cohort


async def make_place(database: Database) -> Place:
    """Make a site in China with a cohort, in a programme of its own."""
    async with database.begin() as work:
        return Place(*await make_site(work))


async def enrol_family(database: Database, phone: str, place: Place | None = None) -> uuid.UUID:
    """Enrol a family by its guardian's phone; return the family's id."""
    place = place or await make_place(database)
    async with database.begin() as work:
        family = Family(family_code=f"F-{new_ref(8).upper()}", created_at=work.now)
        work.add(family)
        await work.flush()
        work.add(
            Enrolment(
                family_id=family.family_id,
                site_id=place.site.site_id,
                cohort_id=place.cohort.cohort_id,
                guardian_phone=phone,
                enrolled_at=work.now,
            )
        )
        return family.family_id


async def sms_to(database: Database, phone: str) -> list[str]:
    """Return the texts waiting for a phone, the oldest first."""
    async with database.begin() as work:
        rows = await work.session.exec(
            select(OutboxRow).where(OutboxRow.kind == "sms").order_by(col(OutboxRow.outbox_id))
        )
        opened = [unseal_sms(work.vault, row) for row in rows]
    return [sms.content.text for sms in opened if sms.phone == phone]


async def fill_buckets(database: Database) -> None:
    """Have every limit unused again."""
    async with database.begin() as work:
        await work.run(delete(LimitBucket))
    local_buckets(database).clear()


async def ask_without_limits(database: Database, ask: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """Send a request, and once more with every limit unused if it was refused for a limit."""
    answer = await ask()
    if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        await fill_buckets(database)
        answer = await ask()
    assert answer.status_code != HTTPStatus.TOO_MANY_REQUESTS, answer.text
    return answer


def code_in(text: str) -> str:
    """Return the six digits of an SMS."""
    return "".join(character for character in text if character.isascii() and character.isdigit())[:6]


@dataclass
class Parent:
    """One guardian with a phone."""

    client: httpx.AsyncClient
    database: Database
    phone: str
    family_id: uuid.UUID | None = None
    child_id: str = ""
    tokens: dict[str, Any] = field(default_factory=dict)
    address: str = field(default_factory=new_address)
    device_token: str | None = None
    label: str = ""
    secrets: dict[str, str] = field(default_factory=dict)

    @property
    def guardian_id(self) -> str:
        return str(self.tokens["guardian_id"])

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens['access_token']}", "X-Forwarded-For": self.address}

    @property
    def family(self) -> str:
        return f"/v1/families/{self.family_id}"

    @property
    def child(self) -> str:
        return f"/v1/children/{self.child_id}"

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request as this guardian."""
        headers = {**self.headers, **options.pop("headers", {})}
        return await self.client.request(method, path, headers=headers, **options)

    async def told(self, method: str, path: str, **options: Any) -> Any:
        """Send a request that must succeed and return what is told."""
        answer = await self.ask(method, path, **options)
        assert answer.is_success, (method, path, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    async def refused(self, method: str, path: str, **options: Any) -> tuple[int, str]:
        """Send a request that must be refused and return status and code."""
        answer = await self.ask(method, path, **options)
        assert answer.is_client_error, (method, path, answer.status_code, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        return answer.status_code, answer.json()["code"]

    async def ask_for_code(self) -> tuple[str, str]:
        """Ask for a one-time code; return the challenge's id and the code that came by SMS."""
        answer = await self.post("/v1/auth/codes", {"phone": self.phone, "locale": "en"})
        assert answer.status_code == 202, answer.text
        challenge_id = answer.json()["challenge_id"]
        self.secrets[challenge_id] = answer.json()["challenge_secret"]
        return challenge_id, code_in((await sms_to(self.database, self.phone))[-1])

    async def post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        """Say something before logging in, from this phone's address and with its device token if it has one."""
        known = {} if self.device_token is None else {"device_token": self.device_token}
        return await self.client.post(path, json={**body, **known}, headers={"X-Forwarded-For": self.address})

    async def enter_code(self, challenge_id: str, code: str) -> httpx.Response:
        secret = self.secrets.get(challenge_id, "unknown")
        body = {"challenge_id": challenge_id, "challenge_secret": secret, "phone": self.phone, "code": code}
        return await self.post("/v1/auth/tokens", {**body, "label": self.label} if self.label else body)

    async def log_in(self) -> Parent:
        answer = await self.enter_code(*await self.ask_for_code())
        assert answer.status_code == 200, answer.text
        self.tokens = answer.json()
        self.device_token = self.tokens["device_token"] or self.device_token
        return self

    def new_device(self, label: str = "") -> Parent:
        """Return the same guardian with a phone that has never logged in."""
        return Parent(self.client, self.database, self.phone, self.family_id, self.child_id, label=label)

    async def unproven(self) -> Parent:
        """Return the same guardian in another session of this phone, whose last proof is more than 5 minutes old."""
        other = await replace(self, tokens={}, secrets={}).log_in()
        sessions = (await other.told("GET", "/v1/me/sessions"))["sessions"]
        (session_id,) = (uuid.UUID(session["session_id"]) for session in sessions if session["current"])
        async with self.database.begin() as work:
            session = await work.session.get_one(Session, session_id)
            session.stepped_up_at = work.now - timedelta(minutes=5)
            work.add(session)
        return other

    async def step_up(self, pin: str | None = None) -> None:
        """Prove that it is this guardian: by the PIN, or by a fresh code where none is set."""
        if pin is not None:
            await self.told("POST", "/v1/me/step-up", json={"pin": pin})
            return
        sent = await self.told("POST", "/v1/me/step-up/codes")
        code = code_in((await sms_to(self.database, self.phone))[-1])
        body = {name: sent[name] for name in ("challenge_id", "challenge_secret")}
        await self.told("POST", "/v1/me/step-up", json={**body, "code": code})

    async def consent(self, part: str = "messages") -> None:
        body = {"part": part, "text_version": TEXT_VERSION, "locale": "en", "how": "app"}
        await self.told("POST", f"{self.family}/consents", json=body)

    async def add_child(self, name: str = "Mei") -> str:
        child = await self.told("POST", f"{self.family}/children", json={"name": name})
        self.child_id = child["child_id"]
        return self.child_id

    async def contacts(self) -> dict[str, Any]:
        contacts: dict[str, Any] = await self.told("GET", f"{self.child}/contacts")
        return contacts

    async def add_contact(self, **fields: Any) -> dict[str, Any]:
        contact = {"name": "Teacher Li", "relation": "teacher", "number": new_phone(), **fields}
        contact_row: dict[str, Any] = await self.told("POST", f"{self.child}/contacts", json=contact)
        return contact_row

    async def send(self, text: str, key: str | None = None) -> dict[str, Any]:
        headers = {"Idempotency-Key": key or new_ref()}
        body = {"kind": "text", "text": text}
        message: dict[str, Any] = await self.told("POST", f"{self.child}/messages", json=body, headers=headers)
        return message

    async def speak(self, sound: bytes, key: str | None = None, media_type: str = "audio/amr") -> dict[str, Any]:
        headers = {"Idempotency-Key": key or new_ref(), "Content-Type": media_type}
        path = f"{self.child}/voice-messages"
        message: dict[str, Any] = await self.told("POST", path, content=sound, headers=headers)
        return message

    async def invite(self, **rights: Any) -> Parent:
        """Invite another phone, have it log in and accept; return that guardian."""
        other = Parent(self.client, self.database, new_phone(), self.family_id, self.child_id)
        invited = {"phone": other.phone, "relation": "grandmother", "display_name": "Nai Nai", **rights}
        invitation = await self.told("POST", f"{self.family}/invitations", json=invited)
        await other.log_in()
        await other.told(
            "POST",
            f"/v1/invitations/{invitation['invitation_id']}/accept",
            json={"part": "messages", "text_version": TEXT_VERSION, "locale": "en"},
        )
        return other


async def make_parent(client: httpx.AsyncClient, database: Database, place: Place | None = None) -> Parent:
    """Enrol a family and log its guardian in, before any consent."""
    phone = new_phone()
    family_id = await enrol_family(database, phone, place)
    return await Parent(client, database, phone, family_id).log_in()


async def make_family(client: httpx.AsyncClient, database: Database, place: Place | None = None) -> Parent:
    """Make a family with consent and one child; return its first guardian."""
    parent = await make_parent(client, database, place)
    await parent.consent()
    await parent.add_child()
    return parent


async def code_on(database: Database, watch: Watch) -> str:
    """Return the pairing code that a watch shows."""
    async with database.begin() as work:
        return (await code_for_watch(work, watch)).code


async def pair(parent: Parent, place: Place, *, since: datetime | None = None) -> WatchIdentity:
    """Pair a watch of the site with the parent's child and have it say its first hello; return its identity.

    With ``since`` it is paired that long.
    """
    async with parent.database.begin() as work:
        watch, _ = await make_watch(work, place.site.site_id, None)
    code = await code_on(parent.database, watch)
    await parent.told("POST", f"{parent.child}/pairing", json={"code": code})
    async with parent.database.begin() as work:
        identity = await current_identity(work, uuid.UUID(parent.child_id))
        assert identity is not None
        fields = {"firmware": "1.4.2", "battery_pct": 81}
        await receive_hello(work, identity.username, HelloReport("9d2f", int(work.now.timestamp()), 0, 0, fields))
        identity.issued_at = since or identity.issued_at
    return identity
