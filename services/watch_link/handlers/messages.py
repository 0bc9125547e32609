"""Uplinks of the conversation: texts and emoji from the child, and receipts for what was sent to the watch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.core.conversation.messages.from_watch import WatchMessage, receive_from_child
from services.core.conversation.messages.receipts import ItemReceipt, ShownState, record_receipts, record_shown
from services.core.conversation.messages.rules import Body, MessageKind
from services.core.devices.presence.queries import clock_of_watch
from services.core.devices.watches.tables import WatchIdentity
from services.core.devices.watches.timestamps import happened_at
from services.core.platform.db.database import UnitOfWork
from services.core.platform.idempotency.actions import Answer
from services.protocol.codec import decode_json, fingerprint
from services.protocol.topics import UplinkKind
from services.protocol.uplink import Text, UpReceipt
from services.protocol.words import ReceiptState
from services.watch_link.answers import answer_receipt, answer_to_id
from services.watch_link.registry import UplinkMessage, handles, handles_batch
from services.watch_link.replies import Reply, receipt


@handles(UplinkKind.TEXT, lambda _topic, payload: decode_json(payload, Text), answer_to_id)
async def receive_text(work: UnitOfWork, identity: WatchIdentity, message: UplinkMessage[Text]) -> list[Reply]:
    """Record ``up/text``; the receipt says stored only after the commit."""
    text = message.content
    body = (
        Body(MessageKind.EMOJI, text.emoji.value) if text.emoji is not None else Body(MessageKind.TEXT, text.text or "")
    )
    at = happened_at(clock_of_watch(identity), work.now, tst=text.tst, boot=text.boot, mono_s=text.mono_s)
    answer = await receive_from_child(work, identity, WatchMessage(text.id, text.to, body, fingerprint(text), at))
    return answer_to_id(message, answer)


def _repeat_state(message: UplinkMessage[Any], answer: Answer) -> list[Reply]:
    """Return the receipt for ``up/receipt``, which repeats its state."""
    sent: UpReceipt = message.content
    return [
        receipt(message.user, answer_receipt(sent.ref, answer).model_copy(update={"state": sent.state, "of": sent.of}))
    ]


@handles_batch(
    UplinkKind.RECEIPT, lambda _topic, payload: decode_json(payload, UpReceipt), _repeat_state,
    # `played` follows `delivered`, and a hello asks for what has none.
    in_order=True,
)  # fmt: skip
async def receive_receipts(
    work: UnitOfWork, received: Sequence[tuple[WatchIdentity, UplinkMessage[UpReceipt]]]
) -> list[list[Reply]]:
    """Record ``up/receipt``; the watch sends it again until the answer repeats its state."""
    shown = {
        number: ShownState(identity.username, message.content.ref, str(message.content.of or ""))
        for number, (identity, message) in enumerate(received)
        if message.content.state is ReceiptState.SEEN
    }
    of_items = {
        number: ItemReceipt(
            identity, message.content.ref, str(message.content.state),
            str(message.content.detail) if message.content.detail else None,
        )
        for number, (identity, message) in enumerate(received)
        if number not in shown
    }  # fmt: skip
    # Items are locked before the recipients of messages.
    answers = dict(zip(of_items, await record_receipts(work, list(of_items.values())), strict=True))
    answers |= dict(zip(shown, await record_shown(work, list(shown.values())), strict=True))
    return [_repeat_state(message, answers[number]) for number, (_, message) in enumerate(received)]
