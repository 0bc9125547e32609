"""Rows of a programme that has run for a while: 1, 10 or 100 times a first half year, which is 60 messages and 1,000
check-ins a child.

100 times is 30 million check-ins of 300 children. Row by row, with every index and foreign key, that takes an hour. So
the rows are made by statements of many rows on two connections, without triggers, WAL images or flushes, while the
indexes stand still; the indexes are built at the end.
"""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

import asyncpg

from services.core.conversation.messages.content import seal_body
from services.core.location.checkins.sealing import Place, latest_context, seal_place
from services.core.location.geometry import Point
from services.core.people.households.child_key import data_key
from services.core.people.households.tables import Child
from services.core.platform.db.database import Database
from tests.bench.end_to_end.crowd import Person

MESSAGES: Final = 60
CHECKINS: Final = 1000
# The newest messages come after every older one that is added later; so do the numbers of events and of the inbox.
_FIRST_SEQ: Final = 10_000_000
# All rows lie in this many days: longer ago they would be deleted while the bench runs.
_DAYS: Final = 20
_CONNECTIONS: Final = 2
_STATEMENTS: Final = 8

# $1 and $2: the numbers of the first and the last row of each child; $3: the time from one to the next. Every other
# message is the child's: with the receipt of its watch. The others are a guardian's, delivered through the inbox.
_MESSAGES: Final = """
INSERT INTO message (message_id, child_id, seq, direction, kind, guardian_id, client_key, username, ref, fingerprint,
                     sealed_body, received_at, expires_at)
SELECT md5(i.username || '/' || g)::uuid, i.child_id, g, CASE WHEN own THEN 'to_family' ELSE 'to_child' END, 'text',
       CASE WHEN NOT own THEN i.guardian_id END, CASE WHEN NOT own THEN 'bench-' || g END,
       CASE WHEN own THEN i.username END, md5(i.username || g)::varchar(20), md5(g::text),
       decode(repeat('00', 60), 'hex'), now() - g * $3::interval, now() + interval '10 days'
  FROM generate_series($1::bigint, $2::bigint) g, bench_people i, LATERAL (SELECT g % 2 = 0 AS own) o
"""
_RECIPIENTS: Final = """
INSERT INTO message_recipient (recipient_id, message_id, guardian_id, contact_wire_id, state, changed_at, seen_state,
                               told_state)
SELECT gen_random_uuid(), md5(i.username || '/' || g)::uuid, CASE WHEN own THEN i.guardian_id END,
       CASE WHEN own THEN 'g-1' END, 'played', now() - g * $3::interval, CASE WHEN own THEN 'played' END,
       CASE WHEN own THEN 'played' END
  FROM generate_series($1::bigint, $2::bigint) g, bench_people i, LATERAL (SELECT g % 2 = 0 AS own) o
"""
_EVENTS: Final = """
INSERT INTO event (family_id, seq, kind, child_id, needs_right, detail, created_at)
SELECT i.family_id, 1000 + g, 'message.created', i.child_id, 'message', '{}', now() - g * $3::interval
  FROM generate_series($1::bigint, $2::bigint) g, bench_people i
"""
_UPLINKS: Final = """
INSERT INTO uplink (username, ref, kind, fingerprint, code, received_at)
SELECT i.username, md5(i.username || g)::varchar(20), 'text', md5(g::text), 'stored', now() - g * $3::interval
  FROM generate_series($1::bigint, $2::bigint) g, bench_people i WHERE g % 2 = 0
"""
_INBOX: Final = """
INSERT INTO inbox_item (inbox_item_id, child_id, seq, ref, kind, message_id, state, announced_to, announcements,
                        created_at, done_at, fetched_from, fetch_stalls, fetch_restarts)
SELECT gen_random_uuid(), i.child_id, g, md5(i.username || g)::varchar(20), 'message',
       md5(i.username || '/' || g)::uuid, 'delivered', i.username, 1, now() - g * $3::interval,
       now() - g * $3::interval, -1, 0, 0
  FROM generate_series($1::bigint, $2::bigint) g, bench_people i WHERE g % 2 = 1
"""
_CHECKINS: Final = """
INSERT INTO checkin (username, ref, tst, child_id, happened_at, received_at, content_mark, quality, reasons, accuracy_m,
                     source, sealed_place)
SELECT i.username, 'g' || g, a.tst, i.child_id, to_timestamp(a.tst), to_timestamp(a.tst),
       decode(repeat('00', 16), 'hex'), 'good', '', 10, 'gps', decode(repeat('00', 53), 'hex')
  FROM generate_series($1::bigint, $2::bigint) g,
       LATERAL (SELECT extract(epoch FROM now() - g * $3::interval)::bigint AS tst OFFSET 0) a, bench_people i
"""
_PEOPLE: Final = "CREATE TABLE bench_people (username text, child_id uuid, family_id uuid, guardian_id uuid)"
_STOP_INDEXES: Final = (
    "UPDATE pg_index SET indisready = false, indisvalid = false WHERE indrelid = ANY($1::text[]::regclass[])"
)
_OF_MESSAGES: Final = {
    "message": _MESSAGES, "message_recipient": _RECIPIENTS, "event": _EVENTS, "uplink": _UPLINKS, "inbox_item": _INBOX,
}  # fmt: skip


async def add_newest(database: Database, owner_url: str, people: Sequence[Person]) -> None:
    """Give each child a page of messages that can be opened, and a latest place."""
    messages, recipients, places = [], [], []
    async with database.begin() as work:
        now = work.now
        for person in people:
            child = await work.session.get_one(Child, person.child_id)
            for number in range(MESSAGES):
                message_id = uuid.uuid4()
                at = now - timedelta(minutes=MESSAGES - number)
                sealed = seal_body(data_key(work, child), message_id, f"message number {number}")
                messages.append(
                    (message_id, child.child_id, _FIRST_SEQ + number, "to_family", "text", person.username,
                     f"n{number}", "0" * 64, sealed, at, now + timedelta(days=30))
                )  # fmt: skip
                recipients.append((uuid.uuid4(), message_id, person.guardian_id, "g-1", *["played"] * 3, at))
            place = seal_place(data_key(work, child), Place(Point(23.02, 113.75)), latest_context(child.child_id))
            places.append((child.child_id, now, now, 18.0, "gps", place))
    connection = await asyncpg.connect(owner_url)
    try:
        await connection.copy_records_to_table(
            "message", records=messages,
            columns=["message_id", "child_id", "seq", "direction", "kind", "username", "ref", "fingerprint",
                     "sealed_body", "received_at", "expires_at"],
        )  # fmt: skip
        await connection.copy_records_to_table(
            "message_recipient", records=recipients,
            columns=["recipient_id", "message_id", "guardian_id", "contact_wire_id", "state", "seen_state",
                     "told_state", "changed_at"],
        )  # fmt: skip
        await connection.copy_records_to_table(
            "latest_checkin", records=places,
            columns=["child_id", "happened_at", "received_at", "accuracy_m", "source", "sealed_place"],
        )  # fmt: skip
        await connection.execute(
            "UPDATE child SET message_seq = $1, inbox_seq = $1 WHERE child_id = ANY($2)",
            _FIRST_SEQ + MESSAGES, [person.child_id for person in people],
        )  # fmt: skip
        await connection.execute(
            "UPDATE family SET event_seq = $1 WHERE family_id = ANY($2)",
            _FIRST_SEQ, [person.family_id for person in people],
        )  # fmt: skip
        await connection.execute(_PEOPLE)
        await connection.copy_records_to_table(
            "bench_people",
            records=[(person.username, person.child_id, person.family_id, person.guardian_id) for person in people],
        )  # fmt: skip
    finally:
        await connection.close()


async def grow(owner_url: str, before: int, times: int) -> float:
    """Add the rows from ``before`` (0: there are none) to ``times`` times; return the seconds that it took.

    ``owner_url`` is that of the superuser. Postgres flushes nothing meanwhile: a power cut costs the bench its rows.
    """
    began_s = time.monotonic()
    # The newest page is the first of the messages.
    first, last = max(before, 1) * MESSAGES + 1, times * MESSAGES
    every = timedelta(days=_DAYS) / (times * MESSAGES)
    jobs = [(statement, first, last, every) for statement in _OF_MESSAGES.values() if last >= first]
    every = timedelta(days=_DAYS) / (times * CHECKINS)
    jobs += [
        (_CHECKINS, start + 1, end, every)
        for start, end in _parts(before * CHECKINS, times * CHECKINS)
    ]  # fmt: skip
    connection = await asyncpg.connect(owner_url)
    try:
        async with _without_flushes(connection):
            tables = [*map(str, await _tables(connection))]
            await connection.execute(_STOP_INDEXES, tables)
            await _on_connections(owner_url, jobs)
            await _on_connections(owner_url, [(f"REINDEX TABLE {table}",) for table in tables])
            await _on_connections(owner_url, [(f"VACUUM (ANALYZE) {table}",) for table in tables])
    finally:
        await connection.close()
    # Else the disk would still be writing these rows while the bench measures.
    await asyncio.to_thread(os.sync)
    return time.monotonic() - began_s


def _parts(first: int, last: int) -> list[tuple[int, int]]:
    size = -(-(last - first) // _STATEMENTS)
    return [(start, min(start + size, last)) for start in range(first, last, size)]


async def _tables(connection: asyncpg.Connection) -> list[str]:
    """Return the tables that grow, partitions in place of what they are parts of; the largest first."""
    partitions = await connection.fetch(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'checkin'::regclass"
    )
    return [*(name for (name,) in partitions), *_OF_MESSAGES]


@asynccontextmanager
async def _without_flushes(connection: asyncpg.Connection) -> AsyncIterator[None]:
    for setting in ("fsync", "full_page_writes", "autovacuum"):
        await connection.execute(f"ALTER SYSTEM SET {setting} = off")
    await connection.execute("SELECT pg_reload_conf()")
    try:
        yield
    finally:
        for setting in ("fsync", "full_page_writes", "autovacuum"):
            await connection.execute(f"ALTER SYSTEM RESET {setting}")
        await connection.execute("SELECT pg_reload_conf()")
        await connection.execute("CHECKPOINT")


async def _on_connections(owner_url: str, jobs: Sequence[tuple[object, ...]]) -> None:
    """Execute statements with their arguments on a few connections, in their order."""
    waiting = list(reversed(jobs))

    async def work() -> None:
        # No triggers: the rows refer to what is there.
        settings = {"session_replication_role": "replica", "maintenance_work_mem": "512MB", "synchronous_commit": "off"}
        connection = await asyncpg.connect(owner_url, server_settings=settings)
        try:
            while waiting:
                statement, *arguments = waiting.pop()
                await connection.execute(str(statement), *arguments)
        finally:
            await connection.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(_CONNECTIONS):
            group.create_task(work())
