"""Families of the bench: a guardian with a session and every consent, a child, and a paired watch each."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import asyncpg
import jwt

from services.core.devices.contacts.guardians import create_child
from services.core.devices.watches.tables import Watch, WatchIdentity, WatchPresence, WatchSettings
from services.core.pairing.tables import Pairing
from services.core.people.accounts.actions import create_guardian
from services.core.people.accounts.tables import Session
from services.core.people.consents.rules import Part, consent_texts
from services.core.people.consents.tables import Consent
from services.core.people.households.tables import Enrolment, Family, Membership
from services.core.people.programme.tables import Cohort, Programme, Site
from services.core.platform.clock import system_clock
from services.core.platform.crypto.broker_password import mosquitto_hash
from services.core.platform.crypto.random_ids import new_digits, new_ref
from services.core.platform.crypto.vault import Vault
from services.core.platform.db.database import Database, UnitOfWork

PASSWORD: Final = "bench-password-of-128-bits-0123456789"


@dataclass(frozen=True)
class Person:
    """A family of the crowd."""

    username: str
    child_id: uuid.UUID
    family_id: uuid.UUID
    guardian_id: uuid.UUID
    session_id: uuid.UUID


def token(person: Person, token_keys: str) -> str:
    """Return a token of the guardian, as the product signs it."""
    key_id, _, secret = token_keys.split(",", maxsplit=1)[0].partition(":")
    now = int(system_clock().timestamp())
    claims = {
        "iss": "smartwatch", "aud": "smartwatch-family", "sub": str(person.guardian_id),
        "sid": str(person.session_id), "iat": now, "exp": now + 900,
    }  # fmt: skip
    return jwt.encode(claims, secret, algorithm="HS256", headers={"kid": key_id})


async def make_crowd(database: Database, owner_url: str, count: int) -> list[Person]:
    """Make so many families; all watches share one password, whose hash costs most of the time.

    The product's own actions make the first family. The others are copies of its rows with ids of their own: by
    actions each family would cost 20 ms.
    """
    password_hash = mosquitto_hash(PASSWORD)
    async with database.begin() as work:
        programme = Programme(name=new_ref(), created_at=work.now)
        work.add(programme)
        await work.flush()
        site = Site(
            programme_id=programme.programme_id, name="Site", country="CN", timezone="Asia/Shanghai", locale="en",
            created_at=work.now,
        )  # fmt: skip
        work.add(site)
        await work.flush()
        cohort = Cohort(site_id=site.site_id, name="Spring", created_at=work.now)
        work.add(cohort)
        await work.flush()
        first = await _make_family(work, cohort, password_hash)
    connection = await asyncpg.connect(owner_url)
    try:
        return [first, *await _copy_family(connection, work.vault, first, count - 1)]
    finally:
        await connection.close()


# The tables of a family in the order of their references, with the column by which its rows are found.
_TABLES: Final = (
    ("family", "family_id"), ("guardian", "guardian_id"), ("watch", "family_id"), ("consent", "family_id"),
    ("session", "guardian_id"), ("enrolment", "family_id"), ("membership", "family_id"), ("child", "family_id"),
    ("watch_settings", "child_id"), ("contact_list", "child_id"), ("contact", "child_id"),
    ("watch_identity", "family_id"), ("watch_presence", "username"), ("pairing", "family_id"), ("event", "family_id"),
)  # fmt: skip
# Texts that are unique, with what makes another one.
_UNIQUE: Final[Mapping[str, Callable[[], str]]] = {
    "family_code": new_ref, "phone": lambda: f"+86138{new_digits(8)}",
    "serial": lambda: f"SIM{new_digits(12)}",
}  # fmt: skip
# Rows of the programme, which all families share.
_SHARED: Final = frozenset({"site_id", "cohort_id", "programme_id"})


class _Copy:
    """A family with new ids and unique texts in the place of those of the first one."""

    def __init__(self, vault: Vault, first: Person) -> None:
        self._ids: defaultdict[uuid.UUID, uuid.UUID] = defaultdict(uuid.uuid4)
        self._texts = {first.username: f"w-{new_ref()}"}
        self.person = Person(
            self._texts[first.username], self._ids[first.child_id], self._ids[first.family_id],
            self._ids[first.guardian_id], self._ids[first.session_id],
        )  # fmt: skip
        self._wrapped_key = vault.new_wrapped_key(f"child/{self.person.child_id}")

    def row(self, original: asyncpg.Record) -> tuple[object, ...]:
        """Return the columns of a row of the first family as this one has them."""
        return tuple(self._value(column, value) for column, value in original.items())

    def _value(self, column: str, value: object) -> object:
        if column == "wrapped_key":
            return self._wrapped_key
        if isinstance(value, uuid.UUID) and column not in _SHARED:
            return self._ids[value]
        if isinstance(value, str) and (column in _UNIQUE or value in self._texts):
            if value not in self._texts:
                self._texts[value] = _UNIQUE[column]()
            return self._texts[value]
        return value


async def _copy_family(connection: asyncpg.Connection, vault: Vault, first: Person, count: int) -> list[Person]:
    rows = {
        table: await connection.fetch(
            # The S608 exemption is safe: names of tables and columns are constants of this file.
            f"SELECT * FROM {table} WHERE {'handed_out_to' if table == 'watch' else column} = $1",  # noqa: S608
            getattr(first, column),
        )
        for table, column in _TABLES
    }
    people: list[Person] = []
    copies: dict[str, list[tuple[object, ...]]] = {table: [] for table in rows}
    for _ in range(count):
        copy = _Copy(vault, first)
        for table, originals in rows.items():
            copies[table] += [copy.row(original) for original in originals]
        people.append(copy.person)
    async with connection.transaction():
        for table, records in copies.items():
            if records:
                await connection.copy_records_to_table(table, records=records, columns=list(rows[table][0].keys()))
    return people


async def _make_family(work: UnitOfWork, cohort: Cohort, password_hash: str) -> Person:
    now, long_ago = work.now, work.now - timedelta(days=50)
    family = Family(family_code=new_ref(), created_at=now)
    work.add(family)
    await work.flush()
    guardian = await create_guardian(work, f"+86138{new_digits(8)}", "en")
    watch = Watch(
        serial=f"SIM{new_digits(12)}", model="sim-1", site_id=cohort.site_id, state="handed_out",
        handed_out_to=family.family_id, factory_password_hash=password_hash, registered_at=now,
    )  # fmt: skip
    consents = [
        Consent(
            guardian_id=guardian.guardian_id, family_id=family.family_id, part=part.value,
            text_version=consent_texts()[part, "en"].text_version, locale="en", how="app", given_at=now,
        )
        for part in Part
        if (part, "en") in consent_texts()
    ]  # fmt: skip
    session = Session(session_id=uuid.uuid4(), guardian_id=guardian.guardian_id, created_at=now, last_used_at=now)
    work.add(
        watch, session, *consents,
        Enrolment(
            family_id=family.family_id, site_id=cohort.site_id, cohort_id=cohort.cohort_id,
            guardian_phone=guardian.phone, enrolled_at=long_ago,
        ),
        Membership(
            family_id=family.family_id, guardian_id=guardian.guardian_id, relation="mother", is_primary=True,
            may_message=True, may_locate=True, may_manage=True, joined_at=now,
        ),
    )  # fmt: skip
    await work.flush()
    child = await create_child(work, family.family_id, guardian.guardian_id, "Mei", None)
    settings = await work.session.get_one(WatchSettings, child.child_id)
    settings.location = True
    username = f"w-{new_ref()}"
    work.add(
        settings,
        WatchIdentity(
            username=username, watch_id=watch.watch_id, child_id=child.child_id, family_id=family.family_id,
            password_hash=password_hash, issued_at=long_ago, installed_at=long_ago,
            presence=WatchPresence(username=username),
        ),
        Pairing(
            watch_id=watch.watch_id, child_id=child.child_id, family_id=family.family_id,
            guardian_id=guardian.guardian_id, username=username, issued_at=long_ago, confirmed_at=now,
        ),
    )  # fmt: skip
    await work.flush()
    return Person(username, child.child_id, family.family_id, guardian.guardian_id, session.session_id)
