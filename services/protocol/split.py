"""Split messages into payloads that fit the max_payload_bytes of a watch."""

from collections.abc import Sequence
from typing import TypeVar

from services.protocol import limits
from services.protocol.codec import encode
from services.protocol.downlink import Config, Contact, Contacts, ItemText, Receipt, RejectedEntry
from services.protocol.fields import WireMessage
from services.protocol.words import ReceiptCode

E = TypeVar("E", bound=WireMessage | str)
P = TypeVar("P", Contacts, Config, ItemText)


def split_contacts(version: int, contacts: Sequence[Contact], max_payload_bytes: int) -> list[Contacts]:
    """Return the whole list as messages that each fit; at least one, so that an empty list is sent.

    Raises ValueError for more contacts than 50 or a watch that takes less than 1,024 bytes.
    """
    _check_room(max_payload_bytes)
    if len(contacts) > limits.ARRAY_MAX_ITEMS:
        raise ValueError("at most 50 contacts")
    empty = Contacts(version=version, part=limits.PARTS_MAX, parts=limits.PARTS_MAX, contacts=[])
    room = max_payload_bytes - len(encode(empty))
    return _numbered([empty.model_copy(update={"contacts": pack}) for pack in _packs(contacts, room)])


def split_config(config: Config, max_payload_bytes: int) -> list[Config]:
    """Return the settings as messages that each fit: plain settings in every part, quiet times spread over the parts.

    Raises ValueError for a watch that takes less than 1,024 bytes.
    """
    _check_room(max_payload_bytes)
    empty = config.model_copy(update={"part": limits.PARTS_MAX, "parts": limits.PARTS_MAX, "quiet": []})
    room = max_payload_bytes - len(encode(empty))
    return _numbered([empty.model_copy(update={"quiet": pack}) for pack in _packs(config.quiet, room)])


def split_text(item: ItemText, max_payload_bytes: int) -> list[ItemText]:
    """Return a text as messages that each fit, cut between characters; joined in order of `part` they are the text.

    Raises ValueError for a watch that takes less than 1,024 bytes.
    """
    _check_room(max_payload_bytes)
    if len(encode(item)) <= max_payload_bytes:
        return [item]
    empty = item.model_copy(update={"part": limits.PARTS_MAX, "parts": limits.PARTS_MAX, "text": ""})
    room = max_payload_bytes - len(encode(empty))
    pieces: list[str] = [""]
    used = 0
    for character in item.text:
        size = len(encode(empty.model_copy(update={"text": character}))) - len(encode(empty))
        if used + size > room:
            pieces.append("")
            used = 0
        pieces[-1] += character
        used += size
    return _numbered([empty.model_copy(update={"text": piece}) for piece in pieces])


def split_receipts(
    refs: Sequence[str],
    rejected: Sequence[RejectedEntry],
    max_payload_bytes: int,
    code: ReceiptCode = ReceiptCode.STORED,
) -> list[Receipt]:
    """Return the answer to an array as receipts that each fit: every ref once, every rejected entry once.

    A receipt with rejected entries only has code `rejected`. Nothing to tell (no entry had an id) makes none.
    Raises ValueError for a watch that takes less than 1,024 bytes.
    """
    _check_room(max_payload_bytes)
    receipts: list[Receipt] = []
    empty = Receipt(code=ReceiptCode.REJECTED, refs=[], rejected=[])
    room = max_payload_bytes - len(encode(empty))
    entries: list[str | RejectedEntry] = [*refs, *rejected]
    for pack in _packs(entries, room):
        accepted = [entry for entry in pack if isinstance(entry, str)]
        refused = [entry for entry in pack if not isinstance(entry, str)]
        if pack:
            receipts.append(
                Receipt(code=code if accepted else ReceiptCode.REJECTED, refs=accepted, rejected=refused or None)
            )
    return receipts


def missing_receipt(ref: str, missing: Sequence[int]) -> Receipt:
    """Return the receipt `missing` with the first 32 missing chunk numbers, in order."""
    first = sorted(set(missing))[: limits.MISSING_MAX_ITEMS]
    return Receipt(code=ReceiptCode.MISSING, ref=ref, missing=first)


# ---------------------------------------------------------------- inside


def _check_room(max_payload_bytes: int) -> None:
    if max_payload_bytes < limits.MAX_PAYLOAD_FLOOR_BYTES:
        raise ValueError("every watch takes at least 1,024 bytes")


def _packs(entries: Sequence[E], room_bytes: int) -> list[list[E]]:
    """Return greedy packs of entries whose JSON, commas included, fits; at least one pack, which may be empty."""
    packs: list[list[E]] = [[]]
    used_bytes = 0
    for entry in entries:
        size_bytes = len(entry) + 2 if isinstance(entry, str) else len(encode(entry))
        size_bytes += 1  # the comma
        if packs[-1] and (used_bytes + size_bytes > room_bytes or len(packs[-1]) == limits.ARRAY_MAX_ITEMS):
            packs.append([])
            used_bytes = 0
        packs[-1].append(entry)
        used_bytes += size_bytes
    return packs


def _numbered(messages: list[P]) -> list[P]:
    return [
        message.model_copy(update={"part": number, "parts": len(messages)})
        for number, message in enumerate(messages, start=1)
    ]
