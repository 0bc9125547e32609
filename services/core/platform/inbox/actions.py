"""Items for a child's watch: append, announce, settle. An item is settled only after the watch's receipt."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import update
from sqlmodel import col, select

from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.columns import new_id
from services.core.platform.db.database import UnitOfWork
from services.core.platform.db.together import Write
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


class WaitingItem(NamedTuple):
    """The columns of an item that decide about its announcement and its transfer, as `WAITING_COLUMNS` names them."""

    inbox_item_id: uuid.UUID
    child_id: uuid.UUID
    seq: int
    ref: str
    kind: str
    message_id: uuid.UUID | None
    removed_ref: str | None
    state: str
    announced_to: str | None
    announcements: int
    next_announce_at: datetime | None
    fetched_from: int
    fetch_stalls: int
    fetch_restarts: int


# For statements whose rows begin with an item.
WAITING_COLUMNS: Final = ", ".join(f"inbox_item.{name}" for name in WaitingItem._fields)
# Conditions and order of the item that is announced next; $1: child, $2: now. Items are announced in order, one at a
# time: the first waiting item that is not set aside.
NEXT_WAITING: Final = """
inbox_item.child_id = $1 AND inbox_item.state = 'waiting'
 AND (inbox_item.aside_until IS NULL OR inbox_item.aside_until <= $2) ORDER BY inbox_item.seq LIMIT 1
"""
_ANNOUNCED: Final = (
    (
        "announced",
        (
            "UPDATE inbox_item SET aside_until = NULL, announced_to = given.username, announced_at = $5::timestamptz,"
            " announcements = given.announcements, next_announce_at = given.next_announce_at"
            " FROM unnest($1::uuid[], $2::text[], $3::int[], $4::timestamptz[])"
            " AS given(inbox_item_id, username, announcements, next_announce_at)"
            " WHERE inbox_item.inbox_item_id = given.inbox_item_id"
        ),
    ),
)
_NOT_YET: Final = (
    "UPDATE inbox_item SET announced_to = NULL, announcements = 0, next_announce_at = $2 WHERE inbox_item_id = $1"
)


def is_due_to_announce(work: UnitOfWork, item: WaitingItem, username: str) -> bool:
    """Return whether a child's next item is announced to ``username`` now; False while it is outstanding."""
    return may_announce(Announcement(item.announced_to, item.next_announce_at), username, work.now)


def announced(work: UnitOfWork, items: Sequence[tuple[WaitingItem, str]]) -> Write:
    """Return what records the announcements of items, which are locked, each to the watch with its user name."""
    counts = [1 + (item.announcements if item.announced_to == username else 0) for item, username in items]
    return Write(
        _ANNOUNCED,
        (
            [item.inbox_item_id for item, _ in items], [username for _, username in items], counts,
            [next_announcement_at(count, work.now) for count in counts], work.now,
        ),
    )  # fmt: skip


def settle(work: UnitOfWork, item: InboxItem, state: str) -> None:
    """Settle an item: ``delivered``, ``rejected`` by the watch, or ``dropped`` by the server. Settled: no change."""
    if item.state == "waiting":
        item.state = state
        item.done_at = work.now
        work.add(item)


async def not_yet(work: UnitOfWork, item: WaitingItem) -> None:
    """Undo the announcement of an item whose rendition is not ready."""
    await work.fetch(_NOT_YET, item.inbox_item_id, work.now + timedelta(seconds=LATER_S))


def transfer_of(item: WaitingItem) -> Transfer:
    """Return the progress of an item's transfer."""
    return Transfer(item.fetched_from, item.fetch_stalls, item.fetch_restarts)


_SET_ASIDE: Final = """
UPDATE inbox_item SET aside_until = $2::timestamptz, announced_to = NULL, announcements = 0, next_announce_at = NULL,
 fetched_from = -1, fetch_stalls = 0, fetch_restarts = 0 WHERE inbox_item_id = $1
"""
_NOTE_FETCH: Final = """
UPDATE inbox_item SET next_announce_at = $2::timestamptz, fetched_from = $3, fetch_stalls = $4, fetch_restarts = $5
WHERE inbox_item_id = $1
"""
# The same of an item that was read without a lock. $6: the user name of its watch, $7 and $8: the lease of the reader
# of uplinks and its token, or NULL; $9: the progress that was read. The watch is named in SQL, not imported: devices is
# a layer above platform. The function of the lease is called last: it takes a lock.
_NOTE_FETCH_UNLOCKED: Final = f"""
{_NOTE_FETCH} AND state = 'waiting' AND ARRAY[fetched_from, fetch_stalls, fetch_restarts] = $9::int[]
 AND EXISTS (SELECT FROM watch_identity WHERE username = $6 AND ended_at IS NULL)
 AND ($7::text IS NULL OR lease_is_held($7::text, $8::bigint))
RETURNING inbox_item_id
"""


async def note_fetch(work: UnitOfWork, item: WaitingItem, first_chunk: int) -> bool:
    """Record that the watch fetches from ``first_chunk`` on; False: too many transfers failed, the item is set aside.

    A fetch postpones the next announcement, so that none is sent during a transfer. The caller holds the item locked.
    """
    transfer = after_fetch(transfer_of(item), first_chunk)
    if transfer.has_failed:
        await work.fetch(_SET_ASIDE, item.inbox_item_id, work.now + timedelta(seconds=ASIDE_S))
        return False
    await work.fetch(_NOTE_FETCH, *_noted(work, item, transfer))
    return True


async def note_fetch_unlocked(
    work: UnitOfWork, item: WaitingItem, first_chunk: int, username: str, lease: tuple[str, int] | None
) -> bool:
    """Do the same for an item that was read without locks, as a transaction of one statement.

    False where nothing was written, because anything else must be decided under the locks: the item, the pairing or the
    holder of the lease (name and token) is another one since, or too many transfers failed.
    """
    transfer = after_fetch(transfer_of(item), first_chunk)
    if transfer.has_failed:
        return False
    name, token = lease or (None, None)
    read = [item.fetched_from, item.fetch_stalls, item.fetch_restarts]
    return bool(
        await work.fetch_last(_NOTE_FETCH_UNLOCKED, *_noted(work, item, transfer), username, name, token, read)
    )  # fmt: skip


def _noted(work: UnitOfWork, item: WaitingItem, transfer: Transfer) -> tuple[object, ...]:
    next_announce_at = work.now + timedelta(seconds=REPEAT_AFTER_S[0])
    return item.inbox_item_id, next_announce_at, transfer.first_chunk, transfer.stalls, transfer.restarts


_ANSWERED: Final = (
    (
        "settled",
        (
            "UPDATE inbox_item SET state = given.state, done_at = $5::timestamptz"
            " FROM unnest($1::uuid[], $2::text[]) AS given(inbox_item_id, state)"
            " WHERE inbox_item.inbox_item_id = given.inbox_item_id"
        ),
    ),
    (
        "deferred",
        "UPDATE inbox_item SET next_announce_at = $4::timestamptz WHERE inbox_item_id = ANY($3::uuid[])",
    ),
)


def answered(work: UnitOfWork, settled: Mapping[uuid.UUID, str], deferred: Sequence[uuid.UUID]) -> Write:
    """Return what settles items (``delivered``, ``rejected``) and defers those for which their watch has no room.

    A deferred item is announced again after ``LATER_S``, or at the next hello. The caller holds all of them locked, and
    those to settle wait.
    """
    later = work.now + timedelta(seconds=LATER_S)
    return Write(_ANSWERED, (list(settled), list(settled.values()), list(deferred), later, work.now))


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
