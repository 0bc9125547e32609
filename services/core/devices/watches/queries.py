"""Read watches and their identities."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final, cast

from sqlalchemy import text
from sqlalchemy.orm import QueryableAttribute, contains_eager, joinedload
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import col, select

from services.core.devices.watches.tables import Watch, WatchIdentity, WatchPresence, WatchSettings
from services.core.devices.watches.timestamps import AssignmentSpan
from services.core.platform.db.database import UnitOfWork
from services.core.platform.db.prepared import columns_of, objects_of
from services.core.platform.leases.actions import IS_HELD, HeldLease, refuse_lost

# A watch in one of these states may log in; lost, returned and broken ones may not.
STATES_THAT_MAY_LOG_IN = ("registered", "handed_out")

_PRESENCE: Final = cast("QueryableAttribute[WatchPresence]", WatchIdentity.presence)
# Loads the presence of each identity in the same statement, also where the identity itself is outer-joined.
WITH_PRESENCE: Final = joinedload(_PRESENCE)
# The same for statements that lock: FOR UPDATE refuses the nullable side of an outer join. Both rows are locked.
WITH_PRESENCE_LOCKED: Final = joinedload(_PRESENCE, innerjoin=True)
# For statements that join WatchPresence by themselves, to filter by it.
WITH_JOINED_PRESENCE: Final = contains_eager(_PRESENCE)


@dataclass(frozen=True)
class BrokerLogin:
    """A user who may log in to the broker, with the hash of its password in the broker's own format."""

    username: str
    password_hash: str


async def broker_logins(work: UnitOfWork) -> list[BrokerLogin]:
    """Return all users who may log in now: factory identities and standing pairings, in no order."""
    factory = await work.session.exec(
        select(Watch.serial, Watch.factory_password_hash).where(col(Watch.state).in_(STATES_THAT_MAY_LOG_IN))
    )
    paired = await work.session.exec(
        select(WatchIdentity.username, WatchIdentity.password_hash)
        .join(Watch, col(Watch.watch_id) == col(WatchIdentity.watch_id))
        .where(col(WatchIdentity.ended_at).is_(None), col(Watch.state).in_(STATES_THAT_MAY_LOG_IN))
    )
    return [BrokerLogin(f"f-{serial}", password_hash) for serial, password_hash in factory] + [
        BrokerLogin(username, password_hash) for username, password_hash in paired
    ]


async def broker_logins_version(work: UnitOfWork) -> str:
    """Return a text that changes whenever the users of :func:`broker_logins` change; one row, whatever their number."""
    statement = text(
        "SELECT count(*) || ':' || coalesce(sum(hashtextextended(login, 0)::numeric), 0) FROM ("
        " SELECT 'f-' || serial || ':' || factory_password_hash AS login FROM watch WHERE state = ANY(:states)"
        " UNION ALL"
        " SELECT username || ':' || password_hash FROM watch_identity JOIN watch USING (watch_id)"
        " WHERE ended_at IS NULL AND state = ANY(:states)) AS logins"
    )
    return str((await work.run(statement, {"states": list(STATES_THAT_MAY_LOG_IN)})).scalar_one())


async def broker_password_hash(work: UnitOfWork, username: str) -> str | None:
    """Return the password hash of one user of :func:`broker_logins`, None for a name that may not log in now."""
    if username.startswith("f-"):
        statement = "SELECT factory_password_hash FROM watch WHERE serial = $1 AND state = ANY($2)"
        rows = await work.read(statement, username.removeprefix("f-"), list(STATES_THAT_MAY_LOG_IN))
    else:
        statement = (
            "SELECT password_hash FROM watch_identity JOIN watch USING (watch_id)"
            " WHERE username = $1 AND ended_at IS NULL AND state = ANY($2)"
        )
        rows = await work.read(statement, username, list(STATES_THAT_MAY_LOG_IN))
    return str(rows[0][0]) if rows else None


async def usernames_without_access(work: UnitOfWork, since: datetime) -> set[str]:
    """Return paired identities that may not log in and were connected lately: ended since then, or still online."""
    rows = await work.read(
        "SELECT username FROM watch_identity JOIN watch USING (watch_id)"
        " WHERE ended_at >= $1 OR (ended_at IS NULL AND online AND state <> ALL($2))",
        since, list(STATES_THAT_MAY_LOG_IN),
    )  # fmt: skip
    return {str(username) for (username,) in rows}


async def watch_by_serial(work: UnitOfWork, serial: str, *, lock: bool = False) -> Watch | None:
    """Return the watch with this serial; with ``lock`` its row is locked until the transaction ends."""
    statement = select(Watch).where(col(Watch.serial) == serial)
    return (await work.session.exec(statement.with_for_update(key_share=True) if lock else statement)).first()


async def standing_identity(work: UnitOfWork, username: str, *, lock: bool = False) -> WatchIdentity | None:
    """Return the identity of this user name with its presence, unless its pairing has ended.

    With ``lock`` both rows are locked until the transaction ends, the identity first.
    """
    statement = (
        select(WatchIdentity)
        .options(WITH_PRESENCE_LOCKED)
        .where(col(WatchIdentity.username) == username, col(WatchIdentity.ended_at).is_(None))
    )
    return (await work.session.exec(statement.with_for_update(key_share=True) if lock else statement)).first()


async def lock_standing_identities(
    work: UnitOfWork, usernames: Collection[str], lease: HeldLease | None = None
) -> dict[str, WatchIdentity]:
    """Return the standing identities of these user names, by user name, each locked together with its presence.

    Rows are locked in the order of their names, so that two batches never wait for each other. ``lease`` is checked by
    the same statement, before it locks anything; raises LeaseLostError.
    """
    if lease is None:
        rows = [tuple(row) for row in await work.fetch(_lock_statement(), list(usernames))]
    else:
        fenced = await work.fetch(_fenced_lock_statement(), list(usernames), lease.name, lease.token)
        refuse_lost(lease, is_held=fenced[0][0])
        rows = [tuple(row)[1:] for row in fenced if row[1] is not None]
    identities = {}
    for row in rows:
        identity, presence = objects_of(work, row, WatchIdentity, WatchPresence, refresh=True)
        set_committed_value(identity, "presence", presence)
        identities[identity.username] = identity
    return identities


@cache
def _lock_statement() -> str:
    return (
        f"SELECT {columns_of((WatchIdentity, 'identity'), (WatchPresence, 'presence'))}"  # noqa: S608 - names of tables
        " FROM watch_identity AS identity JOIN watch_presence AS presence USING (username)"
        " WHERE identity.username = ANY($1::text[]) AND identity.ended_at IS NULL"
        " ORDER BY identity.username FOR NO KEY UPDATE"
    )


@cache
def _fenced_lock_statement() -> str:
    """Return the same with the lease in the first column; without an identity one row, of nulls but for the lease.

    Postgres can join each row of the left side with all of the right one in no other way than from left to right.
    """
    held = IS_HELD.format("$2", "$3")
    return f"SELECT * FROM {held} AS lease(is_held) LEFT JOIN ({_lock_statement()}) AS locked ON true"  # noqa: S608


async def standing_usernames(work: UnitOfWork, usernames: Collection[str]) -> set[str]:
    """Return those of these user names whose pairings stand."""
    rows = await work.fetch(
        "SELECT username FROM watch_identity WHERE username = ANY($1::text[]) AND ended_at IS NULL", list(usernames)
    )
    return {username for (username,) in rows}


async def current_identity(work: UnitOfWork, child_id: uuid.UUID) -> WatchIdentity | None:
    """Return the standing identity of the child's watch with its presence, or None when no watch is paired."""
    result = await work.session.exec(
        select(WatchIdentity)
        .options(WITH_PRESENCE)
        .where(col(WatchIdentity.child_id) == child_id, col(WatchIdentity.ended_at).is_(None))
    )
    return result.first()


async def watch_number_of(work: UnitOfWork, child_id: uuid.UUID) -> str | None:
    """Return the number (E.164) of the SIM card in the child's watch, or None; for guardians who may message."""
    result = await work.session.exec(
        select(Watch.sim_number)
        .join(WatchIdentity, col(WatchIdentity.watch_id) == col(Watch.watch_id))
        .where(col(WatchIdentity.child_id) == child_id, col(WatchIdentity.ended_at).is_(None))
    )
    return result.first()


async def identity_of_watch(work: UnitOfWork, watch_id: uuid.UUID) -> WatchIdentity | None:
    """Return the standing identity of a watch with its presence, or None when it is not paired."""
    result = await work.session.exec(
        select(WatchIdentity)
        .options(WITH_PRESENCE)
        .where(col(WatchIdentity.watch_id) == watch_id, col(WatchIdentity.ended_at).is_(None))
    )
    return result.first()


async def assignment_spans(work: UnitOfWork, identities: Collection[WatchIdentity]) -> dict[str, list[AssignmentSpan]]:
    """Return when each of these watches was paired with the child that wears it now, by the standing user name.

    A pairing whose credentials were lost is followed by another one with the same child; the time in between belongs
    to no child.
    """
    result = await work.fetch(
        # The table has an index by family; other watches of the child are filtered out below.
        "SELECT watch_id, child_id, issued_at, ended_at FROM watch_identity"
        " WHERE family_id = ANY($1::uuid[]) AND child_id = ANY($2::uuid[]) AND ended_at IS NOT NULL",
        list({identity.family_id for identity in identities}), list({identity.child_id for identity in identities}),
    )  # fmt: skip
    earlier: dict[tuple[uuid.UUID, uuid.UUID], list[AssignmentSpan]] = {}
    for watch_id, child_id, began_at, ended_at in result:
        earlier.setdefault((watch_id, child_id), []).append(AssignmentSpan(began_at, ended_at))
    return {
        identity.username: [
            AssignmentSpan(identity.issued_at),
            *earlier.get((identity.watch_id, identity.child_id), []),
        ]
        for identity in identities
    }


async def settings_of_child(work: UnitOfWork, child_id: uuid.UUID) -> WatchSettings:
    """Return the settings of the child's watch."""
    return (await work.session.exec(select(WatchSettings).where(col(WatchSettings.child_id) == child_id))).one()
