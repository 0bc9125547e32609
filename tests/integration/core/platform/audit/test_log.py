"""The log in the database: it only grows, in order, whoever writes at once, and outlives whom it speaks of."""

from __future__ import annotations

import asyncio
import uuid

import asyncpg
import pytest
from sqlmodel import col, select

from services.core.platform.audit.actions import SYSTEM, guardian_actor, record_audit
from services.core.platform.audit.queries import entries_of_family, verify_all, verify_chain
from services.core.platform.audit.rules import ChainFault
from services.core.platform.audit.tables import AuditEntry
from services.core.platform.db.database import Database
from services.core.platform.errors import RetryLaterError
from services.devstack.postgres import LocalPostgres
from tests.support.statements import statements


async def write(database: Database, family_id: uuid.UUID, count: int = 1) -> None:
    async with database.begin() as work:
        for _ in range(count):
            record_audit(work, SYSTEM, "audio", family_id=family_id, subject_id=uuid.uuid4())


async def faults_of(database: Database, chain_id: uuid.UUID) -> list[ChainFault]:
    async with database.begin() as work:
        return (await verify_chain(work, chain_id))[1]


async def tamper(postgres: LocalPostgres, database: Database, statement: str, *values: object) -> None:
    """Do what only somebody with the whole machine can: past privileges and triggers."""
    connection = await asyncpg.connect(postgres.superuser_dsn(database.url.rpartition("/")[2]))
    try:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(statement, *values)
    finally:
        await connection.close()


async def test_writers_at_once_leave_one_chain_without_gaps(database: Database) -> None:
    family_id, other_id = uuid.uuid4(), uuid.uuid4()

    async def both(first: uuid.UUID, second: uuid.UUID) -> None:
        async with database.begin() as work:
            record_audit(work, SYSTEM, "audio", family_id=first)
            record_audit(work, SYSTEM, "audio", family_id=second)

    await asyncio.gather(
        *(both(*pair) for _ in range(10) for pair in ((family_id, other_id), (other_id, family_id))),
    )
    for chain_id in (family_id, other_id):
        async with database.begin() as work:
            assert await verify_chain(work, chain_id) == (20, [])
            seqs = [entry.seq for entry in await entries_of_family(work, chain_id)]
        assert seqs == list(range(20, 0, -1))


async def test_entries_of_several_chains_follow_each_other_in_one_statement(database: Database) -> None:
    """A look at all children of two families costs one round trip, also while others look."""
    families = [uuid.uuid4(), uuid.uuid4()]

    async def look(order: list[uuid.UUID]) -> None:
        async with database.begin() as work:
            for family_id in order:
                record_audit(work, SYSTEM, "audio", family_id=family_id, subject_id=uuid.uuid4())

    for family_id in families:
        await write(database, family_id)
    first, second = families
    orders = [order for _ in range(5) for order in ([first, second, first], [second, first, second])]
    with statements() as sent:
        await asyncio.gather(*map(look, orders))
    assert len(sent) == len(orders)
    for family_id in families:
        async with database.begin() as work:
            assert await verify_chain(work, family_id) == (16, [])


async def test_an_entry_of_a_new_chain_beside_one_of_a_known_one_is_in_the_log(database: Database) -> None:
    known, new = uuid.uuid4(), uuid.uuid4()
    await write(database, known)
    async with database.begin() as work:
        for family_id in (known, new, known):
            record_audit(work, SYSTEM, "audio", family_id=family_id)
    async with database.begin() as work:
        assert [await verify_chain(work, chain_id) for chain_id in (known, new)] == [(3, []), (1, [])]


async def test_a_refusal_that_is_kept_is_in_the_log_and_what_rolls_back_is_not(database: Database) -> None:
    family_id = uuid.uuid4()

    async def refuse(*, kept: bool) -> None:
        async with database.begin() as work:
            record_audit(work, SYSTEM, "pair", family_id=family_id, refused="too_many_requests" if kept else "lost")
            if kept:
                work.keep_refusal()
            raise RetryLaterError(1)

    for kept in (True, False):
        with pytest.raises(RetryLaterError):
            await refuse(kept=kept)
    async with database.begin() as work:
        outcomes = [(entry.outcome, entry.reason) for entry in await entries_of_family(work, family_id)]
    assert outcomes == [("refused", "too_many_requests")]


async def test_what_is_written_before_letting_go_is_in_the_log_though_the_rest_fails(database: Database) -> None:
    family_id = uuid.uuid4()

    async def fail_later() -> None:
        async with database.begin() as work:
            record_audit(work, SYSTEM, "audio", family_id=family_id)
            await work.commit_early()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_later()
    async with database.begin() as work:
        assert len(await entries_of_family(work, family_id)) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET action = 'pair'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "UPDATE audit SET at = now() WHERE false",
    ],
)
async def test_not_even_the_tables_owner_changes_the_log(
    postgres: LocalPostgres, database: Database, statement: str
) -> None:
    await write(database, uuid.uuid4())
    connection = await asyncpg.connect(postgres.superuser_dsn(database.url.rpartition("/")[2]))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()


FORGED = (
    "INSERT INTO audit (audit_id, at, actor_kind, actor_id, action, outcome, reason, family_id, subject_id, chain_id, "
    "seq, hash) SELECT gen_random_uuid(), at, actor_kind, actor_id, action, outcome, reason, family_id, subject_id, "
    "chain_id, 5, hash FROM audit WHERE chain_id = $1 AND seq = 4"
)


@pytest.mark.parametrize(
    ("statement", "faults"),
    [
        ("UPDATE audit SET actor_id = 'somebody' WHERE chain_id = $1 AND seq = 2", [("changed", 2)]),
        ("DELETE FROM audit WHERE chain_id = $1 AND seq = 2", [("missing", 2)]),
        ("DELETE FROM audit WHERE chain_id = $1 AND seq = 4", [("missing", 4)]),
        (
            "UPDATE audit SET seq = seq + 100 WHERE chain_id = $1 AND seq IN (2, 3);",
            [("reordered", 102), ("reordered", 103)],
        ),
        (FORGED, [("inserted", 5)]),
        ("DELETE FROM audit_chain WHERE chain_id = $1", [("head", 0), *(("inserted", seq) for seq in range(1, 5))]),
    ],
)
async def test_what_is_done_to_the_log_past_all_guards_is_found(
    postgres: LocalPostgres, database: Database, statement: str, faults: list[tuple[str, int]]
) -> None:
    family_id, untouched = uuid.uuid4(), uuid.uuid4()
    for chain_id in (family_id, untouched):
        await write(database, chain_id, 4)
    await tamper(postgres, database, statement, family_id)
    assert [(fault.kind.value, fault.seq) for fault in await faults_of(database, family_id)] == faults
    assert await faults_of(database, untouched) == []
    async with database.begin() as work:
        broken = [chain_id async for chain_id, _, faults in verify_all(work) if faults]
    assert family_id in broken
    assert untouched not in broken


async def test_who_has_no_family_stands_in_a_common_chain(database: Database) -> None:
    guardian_id = uuid.uuid4()
    async with database.begin() as work:
        record_audit(work, guardian_actor(guardian_id), "session.opened")
    async with database.begin() as work:
        entries = await work.session.exec(select(AuditEntry).where(col(AuditEntry.actor_id) == str(guardian_id)))
        entry = entries.one()
        assert entry.chain_id.int < 8
        assert (await verify_chain(work, entry.chain_id))[1] == []
