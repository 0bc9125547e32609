"""Thousands of test families with a paired watch each, in a development or test system.

One family is enrolled, logged in and paired by the product's own commands and actions. The others are copies of its
rows with ids, keys, numbers and names of their own: pairing thousands one by one would take an hour.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sqlalchemy import text
from sqlmodel import SQLModel, col, select

from services.broker.gate import DESCRIPTORS_RESERVED, connections_within
from services.core.devices.contacts.guardians import create_child, give_consent
from services.core.devices.watches.queries import watch_by_serial
from services.core.pairing.actions import BROKER_CHANNEL, pair_watch
from services.core.pairing.codes import code_for_watch
from services.core.people.accounts.actions import create_guardian, open_session
from services.core.people.accounts.devices import present_device
from services.core.people.consents.rules import Part, Proof, consent_texts
from services.core.people.households.tables import Child, Enrolment, Membership
from services.core.platform.crypto.random_ids import new_digits
from services.core.platform.crypto.vault import Vault
from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.descriptors import attainable_descriptor_limit
from services.device_sim.console.fleet import FleetRefusedError, FleetStage
from services.device_sim.fleet.plan import Member
from services.devstack.installation import Installation
from services.devstack.scenario_stage import enrolled

# In the order of their references. Rows of these tables that belong to the first family are copied.
_COPIED: Final = (
    "family", "guardian", "membership", "consent", "enrolment", "child", "contact_list", "contact", "watch",
    "watch_identity", "watch_presence", "watch_settings", "pairing",
)  # fmt: skip
# How the rows of a family are found: by the first of these columns that a table has.
_KEYS: Final = ("username", "watch_id", "child_id", "family_id", "guardian_id")
_KEYS_OF: Final = {"family": "family_id", "watch": "watch_id"}
_BATCH: Final = 500
_INSTALLED_WITHIN_S: Final = 120.0
# User names have letters and the digits 2 to 7.
_LETTERS: Final = str.maketrans("0123456789", "abcdefghij")


@dataclass(frozen=True)
class First:
    """The family whose rows are copied."""

    family_id: uuid.UUID
    guardian_id: uuid.UUID
    child_id: uuid.UUID
    watch_id: uuid.UUID
    username: str
    password: str
    contacts_version: int
    config_version: int

    def member(self, username: str, child_id: str) -> Member:
        """Return the watch of a copy, which has been in use for long: it holds its lists."""
        return Member(username, self.password, child_id, "", self.contacts_version, self.config_version)


async def first_of(work: UnitOfWork, username: str, password: str) -> First:
    """Return the family of a paired watch."""
    (row,) = await work.fetch(
        "SELECT pairing.family_id, pairing.guardian_id, pairing.child_id, pairing.watch_id, contact_list.version,"
        " watch_settings.version FROM pairing JOIN contact_list USING (child_id) JOIN watch_settings USING (child_id)"
        " WHERE username = $1",
        username,
    )
    return First(row[0], row[1], row[2], row[3], username, password, row[4], row[5])


async def copy_families(database: Database, first: First, count: int) -> list[Member]:
    """Copy a paired family `count` times and return the watches, the first included.

    The broker is told of them; `wait_installed` waits until it lets them in.
    """
    seed = new_digits(5)
    made = [first.member(first.username, str(first.child_id))]
    async with database.begin() as work:
        # In long use: the first hello of a pairing confirms it, which each watch does once.
        await work.run(
            text("UPDATE pairing SET confirmed_at = issued_at, sealed_password = NULL WHERE username = :username"),
            {"username": first.username},
        )
    for begin in range(0, count, _BATCH):
        async with database.begin() as work:
            clones = [_clone(work.vault, first, seed, number) for number in range(begin, min(count, begin + _BATCH))]
            for table in _COPIED:
                await _copy(work, table, first, clones)
            work.notify(BROKER_CHANNEL)
        made += [first.member(str(clone["username"]), str(clone["child_id"])) for clone in clones]
    return made


def _clone(vault: Vault, first: First, seed: str, number: int) -> dict[str, str | None]:
    """Return the values that differ in a copy, by their columns."""
    child_id = str(uuid.uuid4())
    named = f"{seed}{number:06}"
    family_id = str(uuid.uuid4())
    phone = f"+8619{named[-9:]}"
    return {
        "family_id": family_id, "handed_out_to": family_id, "family_code": f"F{named}",
        "guardian_id": str(uuid.uuid4()), "phone": phone, "guardian_phone": phone, "child_id": child_id,
        "watch_id": str(uuid.uuid4()), "serial": f"FLEET{named}", "pairing_id": str(uuid.uuid4()),
        "username": f"w-{named.translate(_LETTERS)}{first.username[2:7]}", "factory_secret_mark": None,
        "wrapped_key": "\\x" + vault.new_wrapped_key(f"child/{child_id}").hex(),
    }  # fmt: skip


async def _copy(work: UnitOfWork, name: str, first: First, clones: Sequence[Mapping[str, str | None]]) -> None:
    table = SQLModel.metadata.tables[name]
    columns = {column.name for column in table.columns}
    key = _KEYS_OF.get(name) or next(column for column in _KEYS if column in columns)
    overrides = [f"'{column}', clone->>'{column}'" for column in sorted(columns & set(clones[0]))]
    # Other keys of a row, such as that of a consent, mean nothing outside it.
    overrides += [f"'{column.name}', gen_random_uuid()" for column in table.primary_key if column.name not in clones[0]]
    statement = text(
        f"INSERT INTO {name} SELECT (jsonb_populate_record(original, jsonb_build_object({', '.join(overrides)}))).*"  # noqa: S608 - our own names
        f" FROM {name} AS original, jsonb_array_elements(CAST(:clones AS jsonb)) AS clone WHERE original.{key} = :of"
    )
    await work.run(statement, {"clones": json.dumps(clones), "of": getattr(first, key)})


# ---------------------------------------------------------------- the first family


async def pair_first(database: Database, serial: str, phone: str) -> First:
    """Log the parent of an enrolled family in, add a child, pair its watch, and let it have arrived."""
    async with database.begin() as work:
        enrolment = (await work.session.exec(select(Enrolment).where(col(Enrolment.guardian_phone) == phone))).one()
        guardian = await create_guardian(work, phone, "en")
        guardian.awaits_first_log_in = False
        membership = Membership(
            family_id=enrolment.family_id, guardian_id=guardian.guardian_id, relation="mother", is_primary=True,
            may_message=True, may_manage=True, joined_at=work.now,
        )  # fmt: skip
        work.add(guardian, membership)
        await work.flush()
        version = consent_texts()[Part.MESSAGES, "en"].text_version
        await give_consent(work, membership, part=Part.MESSAGES, text_version=version, locale="en", proof=Proof())
        child = await create_child(work, enrolment.family_id, guardian.guardian_id, "Mei", None)
        watch = await watch_by_serial(work, serial)
        if watch is None:
            raise FleetRefusedError(f"the watch {serial} is not registered")
        code = (await code_for_watch(work, watch)).code
        await work.flush()
        pairing = await pair_watch(work, guardian.guardian_id, child.child_id, code)
        if pairing.sealed_password is None:
            raise FleetRefusedError(f"the watch {serial} was paired before")
        password = work.vault.unseal(pairing.sealed_password, f"pairing/{pairing.username}").decode()
        await work.flush()
        await work.run(
            text("UPDATE watch_presence SET on_its_way_since_at = NULL WHERE username = :username"),
            {"username": pairing.username},
        )
        return await first_of(work, pairing.username, password)


async def log_parents_in(database: Database, members: Sequence[Member], parents: int) -> list[Member]:
    """Open a session for the parents of the first watches, and return all watches."""
    with_parents = list(members)
    for begin in range(0, min(parents, len(members)), _BATCH):
        async with database.begin() as work:
            for number in range(begin, min(parents, len(members), begin + _BATCH)):
                member = members[number]
                of_family = select(Membership.guardian_id).join(
                    Child, col(Child.family_id) == col(Membership.family_id)
                ).where(col(Child.child_id) == uuid.UUID(member.child_id))  # fmt: skip
                guardian_id = (await work.session.exec(of_family)).one()
                device = await present_device(work, guardian_id, None, trust=True)
                session = await open_session(work, guardian_id, device, "fleet", has_pin=False)
                with_parents[number] = replace(member, refresh_token=session.refresh_token)
    return with_parents


def new_phone() -> int:
    """Return a number that no family has: an installation may have seen many fleets."""
    return int(f"86135{new_digits(8)}")


async def wait_installed(database: Database) -> None:
    """Return once the broker lets every paired watch in; raises FleetRefusedError when it does not."""
    ends_at_s = asyncio.get_running_loop().time() + _INSTALLED_WITHIN_S
    while True:
        async with database.begin() as work:
            waiting = await work.fetch(
                "SELECT count(*) FROM watch_identity WHERE installed_at IS NULL AND ended_at IS NULL"
            )
        if not waiting[0][0]:
            return
        if asyncio.get_running_loop().time() > ends_at_s:
            raise FleetRefusedError(f"the broker did not learn of {waiting[0][0]} watches")
        await asyncio.sleep(0.5)


async def texts_from(database: Database, members: Sequence[Member]) -> list[str]:
    """Return the watch's id of every message that is stored of these watches."""
    async with database.begin() as work:
        rows = await work.fetch(
            "SELECT ref FROM message WHERE direction = 'to_family' AND child_id = ANY($1::uuid[])",
            [uuid.UUID(member.child_id) for member in members],
        )
    return [str(row[0]) for row in rows]


# ---------------------------------------------------------------- the whole stage


@contextlib.contextmanager
def fleet_stage(
    running: Mapping[str, str], watches: int, parents: int, announce: Callable[[str], None], *, tls: bool
) -> Iterator[FleetStage]:
    """Make test watches in the running installation (its settings as environment), or in one that lives for the block.

    Raises FleetRefusedError outside development and tests.
    """
    if running.get("SMARTWATCH_ENVIRONMENT", "development") not in {"development", "test"}:
        raise FleetRefusedError("test watches are made in development only")
    with contextlib.ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="smartwatch-fleet-")))
        folder.chmod(0o755)
        environment: Mapping[str, str] = running
        if not running:
            installation = ending.enter_context(Installation.acquire(folder / "var", "fleet", announce=announce))
            installation.wait_ready()
            environment = installation.chores_environment
        announce(f"making {watches} test families with a paired watch each")
        members = asyncio.run(_made(environment, folder, watches, parents))
        files = attainable_descriptor_limit()
        port = environment["SMARTWATCH_MOSQUITTO_TLS_PORT" if tls else "SMARTWATCH_MOSQUITTO_PLAIN_PORT"]
        yield FleetStage(
            members, "127.0.0.1", int(port),
            Path(environment["SMARTWATCH_MOSQUITTO_DIR"]).parent / "certificates" / "ca.pem" if tls else None,
            environment["SMARTWATCH_PUBLIC_URL"],
            connections_within(files) if tls else files - DESCRIPTORS_RESERVED,
            lambda: _texts(environment, members),
        )  # fmt: skip


async def _made(environment: Mapping[str, str], folder: Path, watches: int, parents: int) -> list[Member]:
    (household,) = await asyncio.to_thread(lambda: list(enrolled(environment, folder, 1, first_phone=new_phone())))
    database = _database(environment)
    try:
        first = await pair_first(database, household.serial, household.phone)
        members = await copy_families(database, first, watches - 1)
        members = await log_parents_in(database, members, parents)
        await wait_installed(database)
    finally:
        await database.close()
    return members


async def _texts(environment: Mapping[str, str], members: Sequence[Member]) -> list[str]:
    database = _database(environment)
    try:
        return await texts_from(database, members)
    finally:
        await database.close()


def _database(environment: Mapping[str, str]) -> Database:
    return Database(environment["SMARTWATCH_DATABASE_URL"], vault=Vault(environment["SMARTWATCH_MASTER_KEY"]))
