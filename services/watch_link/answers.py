"""From an answer of core to the receipts that a watch is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from services.core.platform.idempotency.actions import Answer, rejected
from services.protocol import limits
from services.protocol.codec import is_array
from services.protocol.downlink import Receipt, RejectedEntry
from services.protocol.split import split_receipts
from services.protocol.words import Detail, ReceiptCode
from services.watch_link.registry import UplinkMessage
from services.watch_link.replies import Reply, receipt, short_receipt

NOT_PAIRED: Final = rejected("not_paired")


def answer_receipt(ref: str, answer: Answer) -> Receipt:
    """Return core's answer as a receipt."""
    return Receipt(ref=ref, code=answer.code, detail=answer.detail)


def answer_to_id(message: UplinkMessage[Any], answer: Answer) -> list[Reply]:
    """Return the receipt for a message that has an ``id`` of its own."""
    return [receipt(message.user, answer_receipt(message.content.id, answer))]


def answer_to_ref(message: UplinkMessage[Any], answer: Answer) -> list[Reply]:
    """Return the receipt for a message about the ``ref`` of something else."""
    return [receipt(message.user, answer_receipt(message.content.ref, answer))]


def answer_to_topic(message: UplinkMessage[Any], answer: Answer) -> list[Reply]:
    """Return the receipt for a message whose id stands in its topic."""
    return [receipt(message.user, answer_receipt(message.topic.ref or "", answer))]


def no_answer(_message: UplinkMessage[Any], _answer: Answer) -> list[Reply]:
    """Return nothing: the kind has no receipt."""
    return []


def entry_replies(
    message: UplinkMessage[Any],
    answered: Sequence[tuple[str, Answer]],
    rejected_entries: Sequence[RejectedEntry],
    max_payload_bytes: int = limits.MAX_PAYLOAD_FLOOR_BYTES,
) -> list[Reply]:
    """Return the receipts for one entry or an array of entries, in the form in which they were sent.

    ``answered`` holds the valid id and the answer of each entry that could be read, ``rejected_entries`` the others.
    """
    if not is_array(message.payload):
        return [
            short_receipt(message.user, answer.code, ref)
            if answer.detail is None
            else receipt(message.user, answer_receipt(ref, answer))
            for ref, answer in answered
        ]
    refused = [
        RejectedEntry(ref=ref, detail=answer.detail or Detail.MALFORMED)
        for ref, answer in answered
        if answer.code == ReceiptCode.REJECTED
    ]
    refs = {
        code: [ref for ref, answer in answered if answer.code == code]
        for code in (ReceiptCode.STORED, ReceiptCode.DUPLICATE)
    }
    return [
        receipt(message.user, part)
        for code, entries in ((ReceiptCode.STORED, [*rejected_entries, *refused]), (ReceiptCode.DUPLICATE, []))
        for part in split_receipts(refs[code], entries, max_payload_bytes, code=code)
    ]
