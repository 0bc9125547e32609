"""The one way in for uplinks of every transport: from a topic and its bytes to a commit and the replies."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from services.core.devices.presence.actions import record_seen
from services.core.devices.watches.queries import lock_standing_identities
from services.core.devices.watches.tables import WatchIdentity
from services.core.platform.db.database import UnitOfWork
from services.protocol import limits
from services.protocol.codec import (
    Batch,
    decode_locations,
    decode_usage,
    find_ref,
    is_array,
    printable_topic,
    receipt_for_error,
)
from services.protocol.downlink import Receipt
from services.protocol.errors import ProtocolError
from services.protocol.topics import (
    Identity,
    MalformedTopic,
    UnknownKind,
    Uplink,
    UplinkKind,
    User,
    parse_uplink,
    uplink,
)
from services.protocol.words import Detail, ReceiptCode
from services.watch_link.answers import NOT_PAIRED
from services.watch_link.backend import Backend
from services.watch_link.handlers import DECLARATIONS
from services.watch_link.registry import BatchedKind, FactoryKind, PairedKind, UplinkMessage, sender_of
from services.watch_link.replies import Reply, receipt, retry_receipt
from services.watch_link.tracing import trace_replies


async def receive(backend: Backend, topic: str, payload: bytes, refusal: Detail | None = None) -> list[Reply]:
    """Handle one uplink up to its commit and return the replies. Bad input is answered, never raised.

    ``refusal`` is a reason of the transport to reject a well-formed topic (a retained message). A repeat of an id is
    answered as the handler of its kind documents. Raises what the database and the blob store raise.
    """
    parsed = parse_uplink(topic)
    replies = await _receive(backend, parsed, topic, payload, refusal)
    trace_replies(backend.trace, parsed, replies)
    return replies


async def _receive(
    backend: Backend,
    parsed: Uplink | UnknownKind | MalformedTopic,
    topic: str,
    payload: bytes,
    refusal: Detail | None,
) -> list[Reply]:
    match parsed:
        case MalformedTopic():
            return [] if parsed.user is None else [_rejected(parsed.user, Detail.MALFORMED, topic)]
        case UnknownKind():
            # A kind of a later protocol: the watch keeps the message until a backend that knows the kind is there.
            ref = parsed.ref or find_ref(payload)
            return [receipt(parsed.user, retry_receipt(ref, limits.RETRY_AFTER_DEFAULT_S, printable_topic(topic)))]
        case Uplink():
            return await _receive_known(backend, parsed, topic, payload, refusal)


async def _receive_known(
    backend: Backend, topic: Uplink, topic_name: str, payload: bytes, refusal: Detail | None
) -> list[Reply]:
    declared = DECLARATIONS[topic.kind]
    if topic.user.identity is not sender_of(declared):
        detail = Detail.NOT_PAIRED if topic.user.identity is Identity.FACTORY else Detail.MALFORMED
        return [_rejected(topic.user, detail, topic_name, topic.ref or find_ref(payload))]
    if refusal is not None:
        return [_rejected(topic.user, refusal, topic_name, topic.ref)]
    if isinstance(declared, BatchedKind):
        return (await _receive_batch(backend, declared, [(topic, payload)]))[0]
    try:
        message = UplinkMessage(topic, payload, declared.decode(topic, payload))
        if isinstance(declared, FactoryKind):
            return await declared.handle(backend, message)
        return await _receive_paired(backend, declared, message)
    except ProtocolError as error:
        return [receipt(topic.user, receipt_for_error(error, topic_name))]


def may_join_batch(topic: Uplink, refusal: Detail | None) -> bool:
    """Return whether an uplink may share a commit with others of its kind."""
    declared = DECLARATIONS[topic.kind]
    return refusal is None and isinstance(declared, BatchedKind) and topic.user.identity is sender_of(declared)


async def receive_batch(
    backend: Backend, declared: BatchedKind, uplinks: Sequence[tuple[Uplink, bytes]]
) -> list[list[Reply]]:
    """Handle uplinks of one batched kind under one commit and return the replies to each, in their order.

    An uplink that cannot be decoded, or whose watch is not paired, is answered and costs no other uplink anything.
    """
    replies = await _receive_batch(backend, declared, uplinks)
    for (topic, _), of_one in zip(uplinks, replies, strict=True):
        trace_replies(backend.trace, topic, of_one)
    return replies


async def _receive_batch(
    backend: Backend, declared: BatchedKind, uplinks: Sequence[tuple[Uplink, bytes]]
) -> list[list[Reply]]:
    replies: list[list[Reply]] = [[] for _ in uplinks]
    messages: dict[int, UplinkMessage[Any]] = {}
    for number, (topic, payload) in enumerate(uplinks):
        try:
            messages[number] = UplinkMessage(topic, payload, declared.decode(topic, payload))
        except ProtocolError as error:
            replies[number] = [receipt(topic.user, receipt_for_error(error, _name_of(topic)))]
    if not messages:
        return replies
    async with backend.database.begin() as work:
        identities = await _identities(
            backend, work, {message.user.name for message in messages.values()}, heard=declared.is_sign_of_life
        )
        paired = {number: message for number, message in messages.items() if message.user.name in identities}
        if paired:
            handled = await declared.handle(
                work, [(identities[message.user.name], message) for message in paired.values()]
            )
            replies = [*replies]
            for number, of_message in zip(paired, handled, strict=True):
                replies[number] = of_message
    for number, message in messages.items():
        if number not in paired:
            replies[number] = declared.refuse(message, NOT_PAIRED)
    return replies


def _name_of(topic: Uplink) -> str:
    return uplink(topic.user, topic.kind, topic.ref, topic.chunk)


async def _receive_paired(backend: Backend, declared: PairedKind, message: UplinkMessage[Any]) -> list[Reply]:
    """Handle one uplink of a paired watch: a transaction, a step outside if the kind has one, and the rest."""
    result = None if declared.shortcut is None else await declared.shortcut(backend, message)
    if result is None:
        async with backend.database.begin() as work:
            identities = await _identities(backend, work, [message.user.name], heard=declared.is_sign_of_life)
            if message.user.name not in identities:
                return declared.refuse(message, NOT_PAIRED)
            result = await declared.handle(work, identities[message.user.name], message)
    if declared.outside is not None and not isinstance(result, list):
        result = await declared.outside(backend, message, result)
    if declared.finish is not None and not isinstance(result, list):
        async with backend.database.begin() as work:
            identities = await _identities(backend, work, [message.user.name], heard=declared.is_sign_of_life)
            if message.user.name not in identities:
                return declared.refuse(message, NOT_PAIRED)
            result = await declared.finish(work, identities[message.user.name], message, result)
    replies: list[Reply] = result
    return replies


async def _identities(
    backend: Backend, work: UnitOfWork, usernames: Collection[str], *, heard: bool
) -> dict[str, WatchIdentity]:
    """The preamble of every uplink: check the lease, lock the standing identities, record that watches were heard."""
    identities = await lock_standing_identities(work, usernames, backend.lease)
    if heard:
        for identity in identities.values():
            await record_seen(work, identity)
    return identities


# Kinds whose sender keeps the message until it is answered. Hello, status and ack have no receipt; of a location only
# what has an id has one; a chunk is made good by the answer to the end of its clip.
_KEPT_UNTIL_ANSWERED = frozenset(
    {
        UplinkKind.VOICE_END, UplinkKind.TEXT, UplinkKind.FETCH, UplinkKind.RECEIPT, UplinkKind.LOCATION,
        UplinkKind.ALERT, UplinkKind.USAGE,
    }
)  # fmt: skip
# Twenty ids of 36 characters fit a payload of 1,024 bytes.
_RETRY_REFS_MAX = 20
_ARRAYS: dict[UplinkKind, Callable[[bytes], Batch[Any]]] = {
    UplinkKind.LOCATION: decode_locations,
    UplinkKind.USAGE: decode_usage,
}


def is_kept_by_watch(topic: str, payload: bytes) -> bool:
    """Return whether an uplink that is answered `retry` is sent again, so that it may be acknowledged unhandled."""
    parsed = parse_uplink(topic)
    if not isinstance(parsed, Uplink):
        return True
    if parsed.kind is UplinkKind.LOCATION:
        # Without an id (the OwnTracks app) there is no receipt, and the fix does not come again.
        return bool(_refs(parsed, payload))
    return parsed.kind in _KEPT_UNTIL_ANSWERED


def retry_replies(topic: str, payload: bytes, retry_after_s: int) -> list[Reply]:
    """Return the receipt `retry` for an uplink that is not handled now; a chunk has none: the end of its clip has.

    The watch keeps what is answered `retry` and sends it again, so that the transport may acknowledge the message.
    """
    parsed = parse_uplink(topic)
    if parsed.user is None or (isinstance(parsed, Uplink) and parsed.kind is UplinkKind.VOICE_CHUNK):
        return []
    if isinstance(parsed, Uplink) and is_array(payload) and (refs := _refs(parsed, payload)):
        # An array is answered as an array, in receipts that the smallest watch reads.
        return [
            receipt(
                parsed.user,
                Receipt(
                    code=ReceiptCode.RETRY, refs=refs[place : place + _RETRY_REFS_MAX], retry_after_s=retry_after_s
                ),
            )
            for place in range(0, len(refs), _RETRY_REFS_MAX)
        ]  # fmt: skip
    ref = find_ref(payload) if isinstance(parsed, MalformedTopic) else parsed.ref or find_ref(payload)
    return [receipt(parsed.user, retry_receipt(ref, retry_after_s, printable_topic(topic)))]


def _refs(topic: Uplink, payload: bytes) -> list[str]:
    """Return the ids of the entries of an uplink that may be an array; none where it cannot be read."""
    decode = _ARRAYS.get(topic.kind)
    if decode is None:
        return []
    try:
        entries = decode(payload).entries
    except ProtocolError:
        return []
    ids = [getattr(entry, "id", None) for entry in entries]
    return [id_ for id_ in ids if isinstance(id_, str)]


def _rejected(user: User, detail: Detail, topic: str, ref: str | None = None) -> Reply:
    named = printable_topic(topic) if ref is None else None
    return receipt(user, Receipt(code=ReceiptCode.REJECTED, ref=ref, topic=named, detail=detail))
