"""Uplinks of voice messages: chunks and their end from the child, and fetches of what waits for the watch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.core.conversation.audio_assets.chunks_from_watch import (
    MissingChunks,
    ReceivedChunk,
    UploadManifest,
    store_chunks,
)
from services.core.conversation.audio_assets.playable import Playable
from services.core.conversation.audio_assets.rules import Undeliverable
from services.core.conversation.audio_assets.storing import StoredAudio
from services.core.conversation.messages.for_watch import ItemForWatch, find_fetched, lock_item
from services.core.conversation.messages.voice_from_watch import (
    VoiceUpload,
    WholeClip,
    assemble_voice,
    find_whole_voice,
    receive_voice,
    store_voice,
)
from services.core.devices.watches.tables import WatchIdentity
from services.core.platform.db.database import UnitOfWork
from services.core.platform.inbox.actions import note_fetch, note_fetch_unlocked
from services.core.platform.outbox.actions import notify_watch
from services.protocol.codec import decode_chunk, decode_json, encode_chunk, fingerprint, receipt_for_error
from services.protocol.downlink import ItemRemoved, Receipt
from services.protocol.errors import ProtocolError
from services.protocol.split import missing_receipt
from services.protocol.topics import DownlinkKind, UplinkKind, downlink, uplink
from services.protocol.uplink import Fetch, VoiceEnd
from services.protocol.words import Detail, ReceiptCode
from services.watch_link.answers import answer_to_ref, answer_to_topic, no_answer
from services.watch_link.backend import Backend
from services.watch_link.registry import UplinkMessage, handles, handles_batch
from services.watch_link.replies import Reply, receipt, reply
from services.watch_link.wire import chunk_bytes_of

# The answer to one fetch holds at most this many bytes of sound, which bounds what a slow connection leaves queued in
# the broker.
FETCH_MAX_BYTES = 256 * 1024


@handles_batch(UplinkKind.VOICE_CHUNK, lambda _topic, payload: payload, no_answer)
async def receive_chunks(
    work: UnitOfWork, received: Sequence[tuple[WatchIdentity, UplinkMessage[bytes]]]
) -> list[list[Reply]]:  # fmt: skip
    """Store chunks of clips; a good one is never answered, the ``end`` of its clip is."""
    chunks: list[ReceivedChunk] = []
    replies: list[list[Reply]] = []
    for identity, message in received:
        topic = message.topic
        try:
            # Whether chunks are binary or base64 text is known from the hello of the watch.
            sound = decode_chunk(message.content, binary=bool(identity.hello.get("binary", True)))
        except ProtocolError as error:
            named = uplink(message.user, topic.kind, topic.ref, topic.chunk)
            replies.append([receipt(message.user, receipt_for_error(error, named))])
            continue
        replies.append([])
        if topic.ref is not None and topic.chunk is not None:
            chunks.append(ReceivedChunk(identity.username, topic.ref, topic.chunk, sound))
    await store_chunks(work, {identity.username: identity for identity, _ in received}, chunks)
    return replies


@dataclass(frozen=True)
class _Whole:
    """An upload that is complete, and its bytes, which are not stored yet."""

    sent: VoiceUpload
    clip: WholeClip


@dataclass(frozen=True)
class _Stored:
    """An upload whose bytes are stored."""

    sent: VoiceUpload
    audio: StoredAudio


async def _find_whole(backend: Backend, message: UplinkMessage[VoiceEnd]) -> _Whole | None:
    """The way of nearly every ``end``: all chunks are there, and nothing needs a lock yet."""
    sent = _sent(message)
    async with backend.database.begin() as work:
        clip = await find_whole_voice(work, message.user.name, sent)
    return None if clip is None else _Whole(sent, clip)


async def _store_sound(backend: Backend, _: UplinkMessage[VoiceEnd], whole: _Whole) -> _Stored:
    """The step between the row of the blob and the message: no row is locked while a disk or a network works."""
    return _Stored(whole.sent, await store_voice(backend.blobs, whole.clip, whole.sent))


async def _receive_stored(
    work: UnitOfWork, identity: WatchIdentity, message: UplinkMessage[VoiceEnd], stored: _Stored
) -> list[Reply]:
    return answer_to_topic(message, await receive_voice(work, identity, stored.sent, stored.audio))


@handles(
    UplinkKind.VOICE_END,
    lambda topic, payload: decode_json(payload, VoiceEnd, ref=topic.ref),
    answer_to_topic,
    outside=_store_sound,
    finish=_receive_stored,
    shortcut=_find_whole,
    after=UplinkKind.VOICE_CHUNK,
)
async def receive_end(
    work: UnitOfWork, identity: WatchIdentity, message: UplinkMessage[VoiceEnd]
) -> list[Reply] | _Whole:
    """Record the end of a clip: ``stored`` once sound and message are committed, ``missing`` while chunks are."""
    sent = _sent(message)
    result = await assemble_voice(work, identity, sent)
    if isinstance(result, WholeClip):
        return _Whole(sent, result)
    if isinstance(result, MissingChunks):
        return [receipt(message.user, missing_receipt(message.topic.ref or "", result.numbers))]
    return answer_to_topic(message, result)


def _sent(message: UplinkMessage[VoiceEnd]) -> VoiceUpload:
    end = message.content
    return VoiceUpload(
        ref=message.topic.ref or "", to=end.to, claim=UploadManifest(end.bytes, end.chunks, end.sha256),
        fingerprint=fingerprint(end), codec=str(end.codec), duration_ms=end.duration_ms, tst=end.tst, boot=end.boot,
        mono_s=end.mono_s,
    )  # fmt: skip


@dataclass(frozen=True)
class _Window:
    """The chunks to send: where the bytes are, and which chunks of how many bytes."""

    clip: Playable
    key: bytes
    first_chunk: int
    count: int
    chunk_bytes: int
    binary: bool


async def _read_window(backend: Backend, message: UplinkMessage[Fetch], window: _Window) -> list[Reply]:
    """The step after the transaction of ``fetch``: read the bytes and return the chunks."""
    start = window.first_chunk * window.chunk_bytes
    end = min((window.first_chunk + window.count) * window.chunk_bytes, window.clip.size_bytes)
    sound = await backend.blobs.read(window.clip.blob_id, window.key, start, end)
    return [
        Reply(
            downlink(message.user, DownlinkKind.ITEM_CHUNK, message.content.ref, window.first_chunk + number),
            encode_chunk(sound[place : place + window.chunk_bytes], binary=window.binary),
        )
        for number, place in enumerate(range(0, len(sound), window.chunk_bytes))
    ]


async def _find_window(backend: Backend, message: UplinkMessage[Fetch]) -> _Window | None:
    """The way of nearly every fetch: the item waits for this watch, and nothing but its progress is recorded."""
    fetch = message.content
    async with backend.database.begin() as work:
        fetched = await find_fetched(work, message.user.name, fetch.ref)
        if fetched is None:
            return None
        window = _window(fetched.found, fetched.hello, fetch)
        lease = None if backend.lease is None else (backend.lease.name, backend.lease.token)
        if isinstance(window, _Window) and await note_fetch_unlocked(
            work, fetched.found.item, fetch.first_chunk, message.user.name, lease
        ):
            return window
    return None


@handles(
    UplinkKind.FETCH,
    lambda _topic, payload: decode_json(payload, Fetch),
    answer_to_ref,
    outside=_read_window,
    shortcut=_find_window,
)
async def receive_fetch(
    work: UnitOfWork, identity: WatchIdentity, message: UplinkMessage[Fetch]
) -> list[Reply] | _Window:
    """Answer ``up/fetch`` with chunks from the watch's own position on, or with ``removed``."""
    fetch = message.content
    found = await lock_item(work, identity.child_id, fetch.ref, identity.hello)
    if found is None or found.message is None:
        gone = ItemRemoved(seq=1 if found is None else found.item.seq, ref=fetch.ref)
        return [reply(message.user, DownlinkKind.ITEM, gone, fetch.ref)]
    match _window(found, identity.hello, fetch):
        case _Window() as window:
            if found.item.state != "waiting" or await note_fetch(work, found.item, fetch.first_chunk):
                return window
        case ItemRemoved() as removed:
            return [reply(message.user, DownlinkKind.ITEM, removed, fetch.ref)]
        case Detail() as detail:
            return [receipt(message.user, Receipt(ref=fetch.ref, code=ReceiptCode.REJECTED, detail=detail))]
    # The item is announced anew, or another one instead.
    await notify_watch(work, identity.username)
    return []


def _window(found: ItemForWatch, hello: Mapping[str, Any], fetch: Fetch) -> _Window | ItemRemoved | Detail | None:
    """Return the chunks to send, or why there are none, or None: another announcement follows instead."""
    audio = None if found.message is None else found.message.audio
    if audio is None:
        return Detail.UNKNOWN_REF
    if found.item.state == "dropped" or isinstance(audio, Undeliverable) or found.key is None:
        return ItemRemoved(seq=found.item.seq, ref=fetch.ref)
    if not isinstance(audio, Playable):
        # Without a rendition: since the announcement the watch has stated another codec. "removed" would end the item,
        # which is announced again once its rendition exists.
        return None
    chunk_bytes = chunk_bytes_of(hello)
    chunks = -(-audio.size_bytes // chunk_bytes)
    if chunks and fetch.first_chunk >= chunks:
        return Detail.OUT_OF_RANGE
    count = min(fetch.count, chunks - fetch.first_chunk, max(1, FETCH_MAX_BYTES // chunk_bytes))
    return _Window(audio, found.key, fetch.first_chunk, count, chunk_bytes, bool(hello.get("binary", True)))
