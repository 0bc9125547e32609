"""Items for a child's watch: append, announce, settle. An item is settled only after the watch's receipt."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import timedelta
from typing import Final

from sqlalchemy import or_, update
from sqlmodel import col, select

from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.columns import new_id
from services.core.platform.db.database import UnitOfWork
from services.core.platform.inbox.rules import (
    ASIDE_S,
    LATER_S,
    REPEAT_AFTER_S,
    Announcement,
    Transfer,
    after_fetch,
    may_announce,
    next_announcement_at,
)
from services.core.platform.inbox.tables import InboxItem, is_waiting


async def put_in(
    work: UnitOfWork,
    child_id: uuid.UUID,
    *,
    kind: str,
    ref: str | None = None,
    message_id: uuid.UUID | None = None,
    removed_ref: str | None = None,
) -> None:
    """Append an item to the child's inbox; ``ref`` is its name on the wire (generated if empty)."""
    await work.fetch(_PUT_IN, child_id, new_id(), ref or new_ref(), kind, message_id, removed_ref, work.now)


# UPDATE locks the child's row until commit, so a higher number never becomes visible before a lower one. The table is
# named in SQL, not imported: people is a layer above platform.
_PUT_IN: Final = """
WITH allocated AS (UPDATE child SET inbox_seq = inbox_seq + 1 WHERE child_id = $1 RETURNING inbox_seq)
INSERT INTO inbox_item (child_id, seq, inbox_item_id, ref, kind, message_id, removed_ref, created_at,
                        state, announcements, fetched_from, fetch_stalls, fetch_restarts)
SELECT $1, allocated.inbox_seq, $2, $3, $4, $5, $6, $7, 'waiting', 0, -1, 0, 0 FROM allocated
"""


# The part of a `NamedStatement` that appends a message under a number of ``numbered``, which has raised the child's.
MESSAGE_ITEM: Final = """
item AS (
 INSERT INTO inbox_item (child_id, seq, inbox_item_id, ref, kind, message_id, created_at,
                         state, announcements, fetched_from, fetch_stalls, fetch_restarts)
 SELECT :child_id, inbox_seq, :inbox_item_id::uuid, :ref, 'message', :message_id::uuid, :now::timestamptz,
  'waiting', 0, -1, 0, 0 FROM numbered)
"""


async def claim_next(work: UnitOfWork, child_id: uuid.UUID, username: str) -> InboxItem | None:
    """Return the item to announce to ``username`` now, and record the announcement; None while one is outstanding.

    Items are announced in order, one at a time: the first waiting item that is not set aside.
    """
    rows = await work.session.exec(
        select(InboxItem)
        .where(
            col(InboxItem.child_id) == child_id,
            is_waiting(),
            or_(col(InboxItem.aside_until).is_(None), col(InboxItem.aside_until) <= work.now),
        )
        .order_by(col(InboxItem.seq))
        .limit(1)
        .with_for_update(key_share=True)
    )
    item = rows.first()
    if item is None or not may_announce(Announcement(item.announced_to, item.next_announce_at), username, work.now):
        return None
    if item.announced_to != username:
        item.announcements = 0
    item.aside_until = None
    item.announced_to = username
    item.announced_at = work.now
    item.announcements += 1
    item.next_announce_at = next_announcement_at(item.announcements, work.now)
    work.add(item)
    return item


async def find_item(work: UnitOfWork, child_id: uuid.UUID, ref: str) -> InboxItem | None:
    """Return the child's item with this ``ref``, in any state, locked; None if there is none."""
    rows = await work.session.exec(
        select(InboxItem)
        .where(col(InboxItem.child_id) == child_id, col(InboxItem.ref) == ref)
        .with_for_update(key_share=True)
    )
    return rows.first()


def settle(work: UnitOfWork, item: InboxItem, state: str) -> None:
    """Settle an item: ``delivered``, ``rejected`` by the watch, or ``dropped`` by the server. Settled: no change."""
    if item.state == "waiting":
        item.state = state
        item.done_at = work.now
        work.add(item)


def defer(work: UnitOfWork, item: InboxItem) -> None:
    """Defer an item because the watch has no room: it is announced again after ``LATER_S``, or at the next hello."""
    item.next_announce_at = work.now + timedelta(seconds=LATER_S)
    work.add(item)


def not_yet(work: UnitOfWork, item: InboxItem) -> None:
    """Undo the announcement of a claimed item whose rendition is not ready."""
    item.announced_to = None
    item.announcements = 0
    item.next_announce_at = work.now + timedelta(seconds=LATER_S)
    work.add(item)


def note_fetch(work: UnitOfWork, item: InboxItem, first_chunk: int) -> bool:
    """Record that the watch fetches from ``first_chunk`` on; False: too many transfers failed, the item is set aside.

    A fetch postpones the next announcement, so that none is sent during a transfer.
    """
    transfer = after_fetch(Transfer(item.fetched_from, item.fetch_stalls, item.fetch_restarts), first_chunk)
    if transfer.has_failed:
        item.aside_until = work.now + timedelta(seconds=ASIDE_S)
        transfer = Transfer()
        item.announced_to, item.announcements, item.next_announce_at = None, 0, None
    else:
        item.next_announce_at = work.now + timedelta(seconds=REPEAT_AFTER_S[0])
    item.fetched_from, item.fetch_stalls, item.fetch_restarts = (
        transfer.first_chunk, transfer.stalls, transfer.restarts,
    )  # fmt: skip
    work.add(item)
    return transfer.first_chunk >= 0


async def begin_again(work: UnitOfWork, child_ids: Collection[uuid.UUID]) -> None:
    """Announce the waiting items of these children again, because a new connection has received no announcement."""
    await work.run(
        update(InboxItem)
        .where(col(InboxItem.child_id).in_(child_ids), is_waiting())
        .values(announced_to=None, announcements=0, next_announce_at=None)
    )


async def lock_message(work: UnitOfWork, child_id: uuid.UUID, message_id: uuid.UUID) -> InboxItem | None:
    """Return the inbox item of a message, locked; None if there is none."""
    rows = await work.session.exec(
        select(InboxItem)
        .where(col(InboxItem.child_id) == child_id, col(InboxItem.message_id) == message_id)
        .with_for_update(key_share=True)
    )
    return rows.first()


async def drop_message(work: UnitOfWork, child_id: uuid.UUID, message_id: uuid.UUID) -> None:
    """Withdraw a message from the inbox; if the watch has received its announcement, queue a removal."""
    item = await lock_message(work, child_id, message_id)
    if item is None or item.state != "waiting":
        return
    settle(work, item, "dropped")
    if item.announced_at is not None:
        await put_in(work, child_id, kind="removed", removed_ref=item.ref)
