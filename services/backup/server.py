"""The database server that is backed up: who it is, what it allows, and how far its log was received."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.backup.errors import BackupError
from services.core.platform.db.newest_primary import REFUSED, OldPrimaryRefusedError, refuse_old_primary

SLOT = "smartwatch_backup"
# Incremental backups and their summaries of the log came with this version.
FIRST_WITH_INCREMENTAL = 17
# One for the log, two for a base backup.
LEAST_SENDERS = 3
SEGMENT_BYTES = 16 * 1024 * 1024
_CONNECT_TIMEOUT_S = 10
_ANSWER_TIMEOUT_S = 10


@dataclass(frozen=True)
class Server:
    """One history of one database server: a restore begins a new timeline."""

    system_identifier: str
    timeline: int
    major_version: int
    summarizes: bool
    now: datetime


@dataclass(frozen=True)
class Progress:
    """How far the server had written its log at a time of its clock, and how far it knows it received."""

    now: datetime
    written_lsn: int
    received_lsn: int | None
    slot_lost: bool


@contextlib.asynccontextmanager
async def connected(url: str, **startup: str) -> AsyncIterator[asyncpg.Connection]:
    """Connect for the block; raises BackupError naming why there is no connection."""
    if not url:
        raise BackupError(
            "backup_database_unknown",
            "SMARTWATCH_BACKUP_DATABASE_URL is empty: name a role that may replicate (docs/backup.md).",
        )
    try:
        connection = await asyncpg.connect(
            url, timeout=_CONNECT_TIMEOUT_S, command_timeout=_ANSWER_TIMEOUT_S, server_settings=startup
        )
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError) as error:
        raise BackupError("backup_refused", f"The database server refuses the backup's role: {error}.") from error
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError) as error:
        raise BackupError(
            "backup_database_unreachable", f"The database server does not answer ({type(error).__name__})."
        ) from error
    try:
        yield connection
    finally:
        try:
            await connection.close(timeout=2)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            connection.terminate()


async def identify(connection: asyncpg.Connection) -> Server:
    """Return who the server is."""
    row = await _row(
        connection,
        "SELECT (SELECT system_identifier FROM pg_control_system())::text AS system,"
        " left(pg_walfile_name(pg_current_wal_lsn()), 8) AS timeline,"
        " current_setting('server_version_num')::int / 10000 AS version,"
        " coalesce(current_setting('summarize_wal', true), 'off') AS summarizes, clock_timestamp() AS now",
    )
    return Server(row["system"], int(row["timeline"], 16), row["version"], row["summarizes"] == "on", row["now"])


async def identify_source(url: str, addresses: Collection[str]) -> Server:
    """Return who the server of the backup's address is; ``addresses`` are those of the processes.

    Raises BackupError; also where a standby among ``addresses`` was promoted and this is the primary before it, whose
    rows and log are not those that are served.
    """
    try:
        await refuse_old_primary(url, *addresses)
    except OldPrimaryRefusedError as error:
        raise BackupError(
            REFUSED, "SMARTWATCH_BACKUP_DATABASE_URL leads to an old primary: name the server that was promoted."
        ) from error
    except OSError:
        # The next connection says why.
        pass
    async with connected(url) as connection:
        return await identify(connection)


async def progress_of(connection: asyncpg.Connection) -> Progress:
    """Return how far the log was written and received. A slot's position is what the receiver has on its disk."""
    row = await _row(
        connection,
        "SELECT clock_timestamp() AS now, pg_current_wal_flush_lsn() - '0/0'::pg_lsn AS written,"
        " restart_lsn - '0/0'::pg_lsn AS received, wal_status = 'lost' AS lost"
        " FROM (VALUES (1)) AS one LEFT JOIN pg_replication_slots ON slot_name = $1",
        SLOT,
    )
    received = None if row["received"] is None else int(row["received"])
    return Progress(row["now"], int(row["written"]), received, bool(row["lost"]))


async def _row(connection: asyncpg.Connection, query: str, *values: object) -> asyncpg.Record:
    """Return the row of a query that always has one."""
    row = await connection.fetchrow(query, *values)
    if row is None:
        message = "a query that always has a row had none"
        raise RuntimeError(message)
    return row


async def drop_slot(url: str) -> None:
    """Drop the slot after the server has discarded what it held; a repeat does nothing."""
    async with connected(url) as connection:
        with contextlib.suppress(asyncpg.PostgresError):
            await connection.execute("SELECT pg_drop_replication_slot($1)", SLOT)


async def faults_of(url: str, programs_version: int) -> list[str]:
    """Return what keeps this server from being backed up with these programs, one sentence each; changes nothing."""
    async with connected(url) as connection:
        row = await _row(
            connection,
            "SELECT current_setting('wal_level') AS level, current_setting('max_wal_senders')::int AS senders,"
            " current_setting('server_version_num')::int / 10000 AS version, rolreplication OR rolsuper AS may,"
            " rolname AS role, coalesce(current_setting('summarize_wal', true), 'off') AS summarizes,"
            " current_setting('max_slot_wal_keep_size') AS keep,"
            " pg_size_bytes(current_setting('wal_segment_size')) AS segment"
            " FROM pg_roles WHERE rolname = current_user",
        )
    faults = []
    if row["segment"] != SEGMENT_BYTES:
        faults.append("wal_segment_size is not 16 MB")
    if not row["may"]:
        faults.append(f"the role may not replicate: ALTER ROLE {row['role']} REPLICATION")
    if row["level"] not in {"replica", "logical"}:
        faults.append("wal_level is minimal: set it to replica and restart the server")
    if row["senders"] < LEAST_SENDERS:
        faults.append(f"max_wal_senders is {row['senders']}: at least {LEAST_SENDERS}")
    if row["version"] != programs_version:
        faults.append(f"the server has version {row['version']}, the programs have {programs_version}")
    if row["version"] >= FIRST_WITH_INCREMENTAL and row["summarizes"] != "on":
        faults.append("summarize_wal is off: every backup has to be a full one")
    if row["keep"] == "-1":
        faults.append("max_slot_wal_keep_size is -1: while nothing is received the log fills the server's disk")
    if row["may"]:
        faults += await _refusal_of_replication(url)
    return faults


async def _refusal_of_replication(url: str) -> list[str]:
    try:
        async with connected(url, replication="true") as connection:
            await connection.execute("IDENTIFY_SYSTEM")
    except BackupError as error:
        return [f"no replication connection ({error.sentence}): pg_hba.conf needs a line for the database replication"]
    return []


def lsn_text(lsn: int) -> str:
    """Return a position of the log as Postgres writes it."""
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


def lsn_number(text: str) -> int:
    """Return a position of the log as a number of bytes."""
    high, _, low = text.partition("/")
    return (int(high, 16) << 32) + int(low, 16)
