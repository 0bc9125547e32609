"""Record what the broker's log says of watches: ended connections, and packets that the broker refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, text
from sqlmodel import col, or_, select

from services.core.devices.presence.actions import record_offline
from services.core.devices.presence.rules import OfflineReason
from services.core.devices.watches.tables import WatchIdentity
from services.core.platform.db.database import UnitOfWork


async def usernames_online(work: UnitOfWork) -> set[str]:
    """Return the user names of standing identities that count as online and are not asleep."""
    return set((await work.session.exec(select(WatchIdentity.username).where(*_counts_as_connected(work.now)))).all())


async def record_connections_ended(work: UnitOfWork, usernames: Collection[str], at: datetime) -> None:
    """Record that these watches had no connection at ``at``: those that counted as online are offline.

    Skipped are ended identities, unknown names, watches that announced a sleep, and watches whose latest hello came
    after ``at``: they have a new connection. A repeat changes nothing.
    """
    result = await work.session.exec(
        select(WatchIdentity)
        .where(
            col(WatchIdentity.username).in_(usernames),
            col(WatchIdentity.last_hello_at) <= at,
            *_counts_as_connected(work.now),
        )
        .order_by(col(WatchIdentity.username))
        .with_for_update(key_share=True)
    )
    # Each event locks its family: families in one order, so that two calls cannot deadlock.
    for identity in sorted(result.all(), key=lambda identity: identity.family_id):
        await record_offline(work, identity, OfflineReason.CLOSED)


async def record_refused_packets(work: UnitOfWork, counts: Mapping[str, int]) -> None:
    """Add to the count of packets that the broker refused of each user name, factory or paired; others are skipped."""
    statement = text(
        "UPDATE watch SET refused_packets = refused_packets + :count WHERE 'f-' || serial = :username"
        " OR watch_id = (SELECT watch_id FROM watch_identity WHERE username = :username)"
    )
    # In one order, so that two calls cannot deadlock.
    for username in sorted(counts):
        await work.run(statement, {"username": username, "count": counts[username]})


def _counts_as_connected(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        col(WatchIdentity.ended_at).is_(None),
        col(WatchIdentity.online).is_(True),
        or_(col(WatchIdentity.asleep_until_at).is_(None), col(WatchIdentity.asleep_until_at) <= now),
    )
