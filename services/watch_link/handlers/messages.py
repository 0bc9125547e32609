"""Uplinks of the conversation: texts and emoji from the child, and receipts for what came down."""

from __future__ import annotations

from services.core.conversation.messages.actions import WatchMessage, receive_from_child
from services.core.conversation.messages.receipts import record_receipt as note_receipt
from services.core.conversation.messages.receipts import record_shown
from services.core.conversation.messages.rules import Body, MessageKind
from services.core.devices.presence.actions import clock_of_watch, record_seen
from services.core.devices.watches.queries import standing_identity
from services.core.devices.watches.timestamps import happened_at
from services.core.platform.idempotency.actions import Answer, rejected
from services.protocol.codec import decode_json, fingerprint
from services.protocol.downlink import Receipt
from services.protocol.topics import Identity, UplinkKind
from services.protocol.uplink import Text, UpReceipt
from services.protocol.words import ReceiptState
from services.watch_link.registry import Frame, handles
from services.watch_link.replies import Reply, receipt

NOT_PAIRED = rejected("not_paired")


@handles(UplinkKind.TEXT, who=Identity.PAIRED)
async def take_text(frame: Frame) -> list[Reply]:
    """Take ``up/text``; the receipt says stored only after the message is committed."""
    text = decode_json(frame.payload, Text)
    body = (
        Body(MessageKind.EMOJI, text.emoji.value) if text.emoji is not None else Body(MessageKind.TEXT, text.text or "")
    )
    async with frame.database.begin() as work:
        identity = await standing_identity(work, frame.user.name, lock=True)
        if identity is None:
            answer = NOT_PAIRED
        else:
            await record_seen(work, identity)
            when = happened_at(clock_of_watch(identity), work.now, tst=text.tst, boot=text.boot, mono_s=text.mono_s)
            answer = await receive_from_child(
                work, identity, WatchMessage(text.id, text.to, body, fingerprint(text), when)
            )
    return [receipt(frame.user, answer_receipt(text.id, answer))]


@handles(UplinkKind.RECEIPT, who=Identity.PAIRED)
async def record_receipt(frame: Frame) -> list[Reply]:
    """Take ``up/receipt``; the answer repeats its state, and the watch repeats the receipt until then."""
    said = decode_json(frame.payload, UpReceipt)
    async with frame.database.begin() as work:
        identity = await standing_identity(work, frame.user.name, lock=True)
        if identity is None:
            answer = NOT_PAIRED
        else:
            await record_seen(work, identity)
            if said.state is ReceiptState.SEEN:
                answer = await record_shown(work, identity, said.ref, str(said.of or ""))
            else:
                answer = await note_receipt(
                    work, identity, said.ref, str(said.state), str(said.detail) if said.detail else None
                )
    return [
        receipt(
            frame.user,
            answer_receipt(said.ref, answer).model_copy(update={"state": said.state, "of": said.of}),
        )
    ]


def answer_receipt(ref: str, answer: Answer) -> Receipt:
    """Return core's answer as a receipt."""
    return Receipt(ref=ref, code=answer.code, detail=answer.detail)
