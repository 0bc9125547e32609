"""Repeat announcements that watches have not answered, and mark silent watches as offline."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import and_, delete, exists, func, or_
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from services.core.devices.contacts.tables import ContactList
from services.core.devices.presence.actions import record_offline
from services.core.devices.presence.rules import KEEPALIVES, SEEN_RESOLUTION, OfflineReason
from services.core.devices.watches.tables import WatchIdentity, WatchPresence, WatchSettings
from services.core.pairing.after_restore import resend_lists_after_restore
from services.core.pairing.tables import PairingCode
from services.core.platform.db.database import UnitOfWork
from services.core.platform.inbox.rules import REPEAT_AFTER_S
from services.core.platform.inbox.tables import InboxItem, is_waiting
from services.core.platform.outbox.actions import notify_watch


async def announce_overdue(work: UnitOfWork) -> None:
    """Queue a comparison for every online watch that owes an answer; one process at a time does it.

    After a restore of the database that is every watch: see :mod:`after_restore`.
    """
    mine = await work.session.exec(select(func.pg_try_advisory_xact_lock(func.hashtextextended("tell-overdue", 0))))
    if not mine.one():
        return
    await resend_lists_after_restore(work)
    earlier = aliased(InboxItem)
    first_waiting = (
        select(func.min(col(earlier.seq)))
        .where(
            col(earlier.child_id) == col(WatchIdentity.child_id),
            is_waiting(earlier),
            or_(col(earlier.aside_until).is_(None), col(earlier.aside_until) <= work.now),
        )
        .correlate(WatchIdentity)
        .scalar_subquery()
    )
    item_due = exists().where(
        col(InboxItem.child_id) == col(WatchIdentity.child_id),
        col(InboxItem.seq) == first_waiting,
        or_(col(InboxItem.next_announce_at) <= work.now, col(InboxItem.aside_until) <= work.now),
    )
    silent_since = work.now - timedelta(seconds=REPEAT_AFTER_S[0])
    # Any version that differs from the one on the watch is due, also one that was never announced.
    contacts_due = and_(
        func.coalesce(col(WatchIdentity.contacts_sent_at), silent_since) <= silent_since,
        col(ContactList.version) != col(WatchIdentity.contacts_acked_version),
    )
    config_due = and_(
        func.coalesce(col(WatchIdentity.config_sent_at), silent_since) <= silent_since,
        col(WatchSettings.version) != col(WatchIdentity.config_acked_version),
    )
    result = await work.session.exec(
        select(WatchIdentity.username)
        .join(ContactList, col(ContactList.child_id) == col(WatchIdentity.child_id))
        .join(WatchSettings, col(WatchSettings.child_id) == col(WatchIdentity.child_id))
        .where(
            col(WatchIdentity.ended_at).is_(None),
            col(WatchIdentity.online),
            or_(item_due, contacts_due, config_due),
        )
    )
    for username in result.all():
        await notify_watch(work, username)


async def mark_one_silent_offline(work: UnitOfWork) -> bool:
    """Mark one watch as offline that was silent for longer than rules.offline_after; return whether there was one.

    A repeat is safe.
    """
    keepalive_s = col(WatchIdentity.keepalive_s)
    # rules.offline_after, in SQL; a test compares both.
    silence_s = func.greatest(keepalive_s * KEEPALIVES, keepalive_s + SEEN_RESOLUTION.total_seconds())
    silence = func.make_interval(0, 0, 0, 0, 0, 0, silence_s)
    result = await work.session.exec(
        select(WatchIdentity)
        .join(WatchPresence, col(WatchPresence.username) == col(WatchIdentity.username))
        .where(
            col(WatchIdentity.ended_at).is_(None),
            col(WatchIdentity.online),
            col(WatchPresence.last_seen_at) <= work.now - silence,
            or_(col(WatchIdentity.asleep_until_at).is_(None), col(WatchIdentity.asleep_until_at) <= work.now),
        )
        .limit(1)
        .with_for_update(key_share=True, skip_locked=True)
    )
    identity = result.first()
    if identity is None:
        return False
    await record_offline(work, identity, OfflineReason.SILENCE)
    return True


# Limits look back an hour; a code that long over can pair nothing.
CODES_KEPT_FOR = timedelta(days=2)
_BATCH_ROWS = 500


async def purge_one_code_batch(work: UnitOfWork) -> bool:
    """Delete a batch of pairing codes that were made two days ago or earlier; return whether there were any."""
    old = (
        select(PairingCode.pairing_code_id)
        .where(col(PairingCode.created_at) <= work.now - CODES_KEPT_FOR)
        .limit(_BATCH_ROWS)
        .with_for_update(skip_locked=True)
    )
    purged = await work.run(delete(PairingCode).where(col(PairingCode.pairing_code_id).in_(old)))
    return bool(purged.rowcount)
