"""Read watches and their identities."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from sqlmodel import col, select

from services.core.devices.watches.tables import Watch, WatchIdentity, WatchSettings
from services.core.platform.db.database import UnitOfWork

# A watch in one of these states may log in; lost, returned and broken ones may not.
STATES_THAT_MAY_LOG_IN = ("registered", "handed_out")


@dataclass(frozen=True)
class BrokerLogin:
    """A user the broker lets in, with the hash of its password in the broker's own format."""

    username: str
    password_hash: str


async def broker_logins(work: UnitOfWork) -> list[BrokerLogin]:
    """Return everyone who may log in now: factory identities and standing pairings, in no order."""
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


async def watch_by_serial(work: UnitOfWork, serial: str, *, lock: bool = False) -> Watch | None:
    """Return the watch with this serial; with ``lock`` its row is held until the transaction ends."""
    statement = select(Watch).where(col(Watch.serial) == serial)
    return (await work.session.exec(statement.with_for_update(key_share=True) if lock else statement)).first()


async def standing_identity(work: UnitOfWork, username: str, *, lock: bool = False) -> WatchIdentity | None:
    """Return the identity of this user name unless its pairing has ended."""
    statement = select(WatchIdentity).where(
        col(WatchIdentity.username) == username, col(WatchIdentity.ended_at).is_(None)
    )
    return (await work.session.exec(statement.with_for_update(key_share=True) if lock else statement)).first()


async def lock_standing_identities(work: UnitOfWork, usernames: Collection[str]) -> dict[str, WatchIdentity]:
    """Return the identities of these user names whose pairings stand, by user name, each row locked.

    Rows are locked in the order of their names, so that two batches never wait for each other.
    """
    rows = await work.session.exec(
        select(WatchIdentity)
        .where(col(WatchIdentity.username).in_(usernames), col(WatchIdentity.ended_at).is_(None))
        .order_by(col(WatchIdentity.username))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {identity.username: identity for identity in rows}


async def current_identity(work: UnitOfWork, child_id: uuid.UUID) -> WatchIdentity | None:
    """Return the identity under which the child's watch talks now, or None when no watch is paired."""
    found = await work.session.exec(
        select(WatchIdentity).where(col(WatchIdentity.child_id) == child_id, col(WatchIdentity.ended_at).is_(None))
    )
    return found.first()


async def identity_of_watch(work: UnitOfWork, watch_id: uuid.UUID) -> WatchIdentity | None:
    """Return the standing identity of a watch, or None when it is not paired."""
    found = await work.session.exec(
        select(WatchIdentity).where(col(WatchIdentity.watch_id) == watch_id, col(WatchIdentity.ended_at).is_(None))
    )
    return found.first()


async def settings_of_child(work: UnitOfWork, child_id: uuid.UUID) -> WatchSettings:
    """Return what the child's watch is configured to."""
    return (await work.session.exec(select(WatchSettings).where(col(WatchSettings.child_id) == child_id))).one()
