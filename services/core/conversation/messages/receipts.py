"""Record receipts from watches: for items of the inbox, and for states of the child's own messages.

Receipts of many watches share their statements. A watch has one of them under way at a time.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from services.core.conversation.messages.announcing import FORGET_UNCONFIRMED
from services.core.conversation.messages.rules import RecipientState, advance, delivered_at, played_at
from services.core.devices.watches.tables import WatchIdentity
from services.core.platform.db.database import UnitOfWork
from services.core.platform.db.together import Write, write_together
from services.core.platform.events.actions import FamilyEvent, hold_families, record_events
from services.core.platform.facts.actions import PastFact, measured_facts
from services.core.platform.idempotency.actions import STORED, Answer, rejected
from services.core.platform.inbox.actions import WaitingItem, answered
from services.core.platform.outbox.actions import notices_of_waiting, wake_bridges

_ITEM_STATES: Final = frozenset({"delivered", "played", "rejected"})
# Items are locked before the recipients of their messages, as everywhere.
_LOCK_ITEMS: Final = """
WITH item AS MATERIALIZED (
 SELECT inbox_item.inbox_item_id, inbox_item.child_id, inbox_item.ref, inbox_item.state, inbox_item.message_id
 FROM inbox_item JOIN unnest($1::uuid[], $2::text[]) AS given(child_id, ref) USING (child_id, ref)
 ORDER BY inbox_item.inbox_item_id FOR NO KEY UPDATE OF inbox_item
), recipient AS MATERIALIZED (
 SELECT recipient_id, message_id, state, delivered_at, played_at FROM message_recipient
 WHERE message_id IN (SELECT message_id FROM item) AND guardian_id IS NULL
 ORDER BY recipient_id FOR NO KEY UPDATE
)
SELECT item.child_id, item.ref, item.inbox_item_id, item.state, item.message_id, message.guardian_id,
 recipient.recipient_id, recipient.state, recipient.delivered_at, recipient.played_at
FROM item LEFT JOIN message USING (message_id) LEFT JOIN recipient USING (message_id)
"""
_MOVED: Final = (
    (
        "moved",
        (
            "UPDATE message_recipient SET state = given.state, detail = given.detail, changed_at = $6::timestamptz,"
            " delivered_at = given.delivered_at, played_at = given.played_at"
            " FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[])"
            " AS given(recipient_id, state, detail, delivered_at, played_at)"
            " WHERE message_recipient.recipient_id = given.recipient_id"
        ),
    ),
)


@dataclass(frozen=True)
class ItemReceipt:
    """The receipt of a watch for an item: delivered, played, later or rejected."""

    identity: WatchIdentity
    ref: str
    state: str
    detail: str | None = None


class _Item(NamedTuple):
    """An item with the state of its message at the child, both locked; a ``removed`` item has no message."""

    inbox_item_id: uuid.UUID
    state: str
    message_id: uuid.UUID | None
    guardian_id: uuid.UUID | None
    recipient_id: uuid.UUID | None
    recipient_state: str | None
    delivered_at: datetime | None
    played_at: datetime | None


# A receipt that moves the message of its item to another state.
_Moved = tuple[ItemReceipt, _Item, RecipientState]


async def record_receipts(work: UnitOfWork, receipts: Sequence[ItemReceipt]) -> list[Answer]:
    """Record receipts for items and return the answers in their order; the same receipt changes nothing.

    Every receipt but ``later`` removes the item from the inbox. Where another one waits, its announcement is queued.
    """
    answers: dict[int, Answer] = {}
    left = list(enumerate(receipts))
    while left:
        # One receipt an item at a time: a later one is about the state that the earlier one leaves.
        now = {(receipt.identity.child_id, receipt.ref): number for number, receipt in reversed(left)}.values()
        recorded, moves = await _record(work, {number: receipts[number] for number in sorted(now)})
        answers |= recorded
        for move in moves:
            # Families are locked last, all of them together.
            work.postpone(_tell_of_moves, move)
        left = [(number, receipt) for number, receipt in left if number not in answers]
    return [answers[number] for number in range(len(receipts))]


async def _record(
    work: UnitOfWork, receipts: dict[int, ItemReceipt]
) -> tuple[dict[int, Answer], list[_Moved]]:  # fmt: skip
    """Record receipts of different items; return the answers, and what moved messages to another state."""
    locked = await work.fetch(
        _LOCK_ITEMS, [receipt.identity.child_id for receipt in receipts.values()],
        [receipt.ref for receipt in receipts.values()],
    )  # fmt: skip
    items = {(child_id, ref): _Item(*item) for child_id, ref, *item in locked}
    answers: dict[int, Answer] = {}
    settled: dict[uuid.UUID, str] = {}
    deferred: list[uuid.UUID] = []
    served: list[WatchIdentity] = []
    changes: list[tuple[ItemReceipt, _Item]] = []
    for number, receipt in receipts.items():
        item = items.get((receipt.identity.child_id, receipt.ref))
        if item is None:
            answers[number] = rejected("unknown_ref")
        elif receipt.state == "later":
            answers[number] = STORED
            deferred.append(item.inbox_item_id)
        elif receipt.state not in _ITEM_STATES:
            answers[number] = rejected("malformed")
        else:
            answers[number] = STORED
            changes.append((receipt, item))
            if item.state == "waiting":
                settled[item.inbox_item_id] = "rejected" if receipt.state == "rejected" else "delivered"
                served.append(receipt.identity)
    moved = [
        (receipt, item, state)
        for receipt, item in changes
        if item.recipient_state is not None and (state := advance(item.recipient_state, receipt.state)) is not None
    ]
    if settled or deferred or moved:
        await _write(work, settled, deferred, served, moved)
    return answers, moved


async def _write(
    work: UnitOfWork, settled: dict[uuid.UUID, str], deferred: Sequence[uuid.UUID], served: Sequence[WatchIdentity],
    moved: Sequence[_Moved],
) -> None:  # fmt: skip
    """Write what receipts change; ``served``: the watches whose items are settled."""
    times = [
        (delivered_at(state, item.delivered_at, work.now), played_at(state, item.played_at, work.now))
        for _, item, state in moved
    ]
    queued = await write_together(
        work, answered(work, settled, deferred),
        Write(
            _MOVED,
            (
                [item.recipient_id for _, item, _ in moved], [state.value for _, _, state in moved],
                [receipt.detail for receipt, _, _ in moved], [of_delivery for of_delivery, _ in times],
                [of_playing for _, of_playing in times], work.now,
            ),
        ),
        notices_of_waiting(work, {identity.username: identity.child_id for identity in served}, list(settled)),
        result="SELECT FROM notice",
    )  # fmt: skip
    if queued:
        wake_bridges(work)


async def _tell_of_moves(work: UnitOfWork, moved: Sequence[_Moved]) -> None:
    """Record the events for the senders of messages that their children's watches have answered, and count them."""
    events, facts = [], []
    for receipt, item, state in moved:
        identity = receipt.identity
        facts.append(
            PastFact(
                f"message_to_child_{state.value}", work.now, watch_id=identity.watch_id, child_id=identity.child_id,
                family_id=identity.family_id, ref_id=item.message_id,
            )
        )  # fmt: skip
        if item.guardian_id is not None:
            detail = {"state": state.value}
            events.append(
                FamilyEvent(identity.family_id, identity.child_id, item.message_id, item.guardian_id, detail)
            )  # fmt: skip
    family_ids = {event.family_id for event in events}
    if len(family_ids) > 1:
        await hold_families(work, family_ids)
    if events:
        await record_events(work, "message.state", events, measured_facts(facts), needs_right="message")
    elif facts:
        # The sender has left.
        await write_together(work, measured_facts(facts))


async def reject_item(work: UnitOfWork, identity: WatchIdentity, item: WaitingItem, detail: str) -> None:
    """Reject an item that this watch can never receive; the sender is notified of the reason.

    The events are recorded at once: a caller that serves several families takes their locks in the order of families.
    """
    _, moved = await _record(work, {0: ItemReceipt(identity, item.ref, "rejected", detail)})
    await _tell_of_moves(work, moved)


class ShownState(NamedTuple):
    """A watch showed ``state`` of its own message ``ref``."""

    username: str
    ref: str
    state: str


# A message of a watch to the family has a recipient for each guardian; the confirmed state is that of some of them.
_RECORD_SHOWN: Final = """
WITH shown AS MATERIALIZED (
 SELECT given.username, given.ref, given.state, recipient.recipient_id, recipient.state AS known
 FROM unnest($1::text[], $2::text[], $3::text[]) AS given(username, ref, state)
 JOIN message USING (username, ref) JOIN message_recipient AS recipient USING (message_id)
 ORDER BY recipient.recipient_id FOR NO KEY UPDATE OF recipient
), confirmed AS (
 UPDATE message_recipient SET seen_state = shown.state FROM shown
 WHERE message_recipient.recipient_id = shown.recipient_id AND shown.known = shown.state
)
SELECT DISTINCT username, ref FROM shown
"""


async def record_shown(work: UnitOfWork, shown: Sequence[ShownState]) -> list[Answer]:
    """Record that watches showed states of their own messages, which are not announced again; return the answers."""
    if not shown:
        return []
    usernames, refs, states = map(list, zip(*shown, strict=True))
    known = {(username, ref) for username, ref in await work.fetch(_RECORD_SHOWN, usernames, refs, states)}
    return [STORED if (each.username, each.ref) in known else rejected("unknown_ref") for each in shown]


async def resend_states(work: UnitOfWork, usernames: Collection[str]) -> None:
    """Mark unconfirmed states of these watches' messages for a new announcement, because they reconnected."""
    await work.fetch(FORGET_UNCONFIRMED, list(usernames))
