"""Check-ins in the database: insert many rows with one statement, and find ids that are already used.

One INSERT ... SELECT unnest per batch writes tens of thousands of rows a second; one row per commit reaches 1,000 to
1,500.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Final, NamedTuple

from services.core.platform.db.database import UnitOfWork


class NewCheckin(NamedTuple):
    """A row of ``checkin`` without its time of receipt, in the order of :data:`_INSERT`.

    An object of the ORM costs two hundred times as much.
    """

    username: str
    ref: str
    tst: int
    child_id: uuid.UUID
    happened_at: datetime
    content_mark: bytes
    quality: str
    reasons: str
    accuracy_m: float | None
    source: str | None
    sealed_place: bytes


# The S608 exemption is safe: column names are constants of this file. All rows have the time of one receipt.
_INSERT: Final = (
    f"INSERT INTO checkin (received_at, {', '.join(NewCheckin._fields)})"  # noqa: S608
    " SELECT $1::timestamptz, * FROM unnest($2::text[], $3::text[], $4::bigint[], $5::uuid[], $6::timestamptz[],"
    " $7::bytea[], $8::text[], $9::text[], $10::float8[], $11::text[], $12::bytea[])"
    # A second safeguard after `existing_keys`: batches with rows of the same watch run one after the other.
    " ON CONFLICT DO NOTHING"
)

# Two queries, because an id is unique over all months, an instant only in its own. Ids of uplinks other than fixes
# (texts, recordings) are reserved as well.
_TAKEN: Final = (
    "SELECT username, ref, 0::bigint AS instant, content_mark AS mark FROM checkin"
    " JOIN unnest($1::text[], $2::text[]) AS asked(username, ref) USING (username, ref)"
    " UNION ALL "
    "SELECT username, '', tst, content_mark FROM checkin"
    " JOIN unnest($3::text[], $4::bigint[]) AS asked(username, tst) USING (username, tst) WHERE checkin.ref = ''"
    " UNION ALL "
    "SELECT username, ref, 0::bigint, ''::bytea FROM uplink"
    " JOIN unnest($1::text[], $2::text[]) AS asked(username, ref) USING (username, ref)"
)


@dataclass(slots=True)
class LatestPlace:
    """A row of ``latest_checkin``, in the order of its columns."""

    child_id: uuid.UUID
    happened_at: datetime
    received_at: datetime
    accuracy_m: float
    source: str | None
    sealed_place: bytes
    witnessed_at: datetime | None = None
    suspect_at: datetime | None = None
    suspect_accuracy_m: float | None = None
    suspect_source: str | None = None
    sealed_suspect: bytes | None = None


_LATEST_COLUMNS: Final = (
    "child_id", "happened_at", "received_at", "accuracy_m", "source", "sealed_place", "witnessed_at", "suspect_at",
    "suspect_accuracy_m", "suspect_source", "sealed_suspect",
)  # fmt: skip
_columns_of = attrgetter(*_LATEST_COLUMNS)
# In the order of the ids, so that two batches never wait for each other.
_READ_LATEST: Final = (
    f"SELECT {', '.join(_LATEST_COLUMNS)} FROM latest_checkin"  # noqa: S608 - constants of this file
    " WHERE child_id = ANY($1::uuid[]) ORDER BY child_id FOR NO KEY UPDATE"
)
_WRITE_LATEST: Final = (
    f"INSERT INTO latest_checkin ({', '.join(_LATEST_COLUMNS)})"  # noqa: S608 - constants of this file
    " SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::float8[], $5::text[], $6::bytea[],"
    " $7::timestamptz[], $8::timestamptz[], $9::float8[], $10::text[], $11::bytea[]) AS given"
    " ORDER BY 1 ON CONFLICT (child_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _LATEST_COLUMNS[1:])
)


class FixKey(NamedTuple):
    """Key of a fix in the store."""

    username: str
    ref: str
    tst: int


async def existing_keys(work: UnitOfWork, keys: Sequence[FixKey]) -> dict[tuple[str, str, int], bytes]:
    """Return the keys that are already used, each with the digest of its content.

    A key is (user name, id, 0), or (user name, "", instant) for a fix without an id.
    """
    if not keys:
        return {}
    named = [fix for fix in keys if fix.ref]
    dated = [fix for fix in keys if not fix.ref]
    rows = await work.fetch(
        _TAKEN, [fix.username for fix in named], [fix.ref for fix in named], [fix.username for fix in dated],
        [fix.tst for fix in dated],
    )  # fmt: skip
    return {(username, ref, instant): mark for username, ref, instant, mark in rows}


async def insert_checkins(work: UnitOfWork, rows: Sequence[NewCheckin]) -> None:
    """Insert the rows with one statement; they were received at ``work.now``."""
    if rows:
        await work.fetch(_INSERT, work.now, *map(list, zip(*rows, strict=True)))


async def lock_latest_places(work: UnitOfWork, child_ids: Sequence[uuid.UUID]) -> list[LatestPlace]:
    """Return the latest places of these children, each locked; children without one are missing."""
    return [LatestPlace(*row) for row in await work.fetch(_READ_LATEST, child_ids)]


async def write_latest_places(work: UnitOfWork, rows: Sequence[LatestPlace]) -> None:
    """Write the latest places of these children with one statement."""
    if rows:
        await work.fetch(_WRITE_LATEST, *map(list, zip(*map(_columns_of, rows), strict=True)))
