"""Uplinks of clips: chunks and their end from the child, and the watch that fetches what waits for it."""

from __future__ import annotations

from dataclasses import dataclass

from services.core.conversation.audio_assets.chunks_from_watch import MissingChunks, UploadManifest, store_chunk
from services.core.conversation.audio_assets.playable import Playable
from services.core.conversation.audio_assets.rules import Undeliverable
from services.core.conversation.messages.queries import wire_message
from services.core.conversation.messages.voice import audio_for_watch
from services.core.conversation.messages.voice_from_watch import VoiceUpload, receive_voice
from services.core.devices.presence.actions import record_seen
from services.core.devices.watches.queries import standing_identity
from services.core.devices.watches.tables import WatchIdentity
from services.core.people.households.child_key import data_key
from services.core.people.households.queries import child_by_id
from services.core.platform.db.database import UnitOfWork
from services.core.platform.inbox.actions import find_item, note_fetch
from services.core.platform.inbox.tables import InboxItem
from services.core.platform.outbox.actions import notify_watch
from services.protocol.codec import decode_chunk, decode_json, encode_chunk, fingerprint
from services.protocol.downlink import ItemRemoved, Receipt
from services.protocol.split import missing_receipt
from services.protocol.topics import DownlinkKind, Identity, UplinkKind, downlink
from services.protocol.uplink import Fetch, VoiceEnd
from services.protocol.words import Detail, ReceiptCode
from services.watch_link.handlers.messages import NOT_PAIRED, answer_receipt
from services.watch_link.registry import Frame, handles
from services.watch_link.replies import Reply, receipt, reply
from services.watch_link.wire import chunk_bytes_of

# One fetch is answered with at most so much sound: what a slow connection lets pile up in the broker stays small.
FETCH_MAX_BYTES = 256 * 1024


@handles(UplinkKind.VOICE_CHUNK, who=Identity.PAIRED)
async def keep_chunk(frame: Frame) -> list[Reply]:
    """Keep one chunk of a clip; never answered, the clip's ``end`` is."""
    async with frame.database.begin() as work:
        identity = await standing_identity(work, frame.user.name, lock=True)
        if identity is not None and frame.topic.ref is not None and frame.topic.chunk is not None:
            await record_seen(work, identity)
            sound = decode_chunk(frame.payload, binary=bool(identity.hello.get("binary", True)))
            await store_chunk(work, identity, frame.topic.ref, frame.topic.chunk, sound)
    return []


@handles(UplinkKind.VOICE_END, who=Identity.PAIRED)
async def take_end(frame: Frame) -> list[Reply]:
    """Take the end of a clip: ``stored`` once sound and message are committed, ``missing`` while chunks are."""
    ref = frame.topic.ref or ""
    end = decode_json(frame.payload, VoiceEnd, ref=ref)
    answer = await receive_voice(
        frame.database, frame.blobs, frame.user.name,
        VoiceUpload(
            ref=ref, to=end.to, claim=UploadManifest(end.bytes, end.chunks, end.sha256), fingerprint=fingerprint(end),
            codec=str(end.codec), duration_ms=end.duration_ms, tst=end.tst, boot=end.boot, mono_s=end.mono_s,
        ),
    )  # fmt: skip
    if isinstance(answer, MissingChunks):
        return [receipt(frame.user, missing_receipt(ref, answer.numbers))]
    return [receipt(frame.user, answer_receipt(ref, answer))]


@dataclass(frozen=True)
class _Window:
    """What is to be sent: where the bytes are, and which chunks of how many bytes."""

    clip: Playable
    key: bytes
    first_chunk: int
    count: int
    chunk_bytes: int
    binary: bool


@handles(UplinkKind.FETCH, who=Identity.PAIRED)
async def take_fetch(frame: Frame) -> list[Reply]:
    """Answer ``up/fetch`` with chunks from the watch's own place on, or with ``removed``."""
    asked = decode_json(frame.payload, Fetch)
    async with frame.database.begin() as work:
        identity = await standing_identity(work, frame.user.name, lock=True)
        if identity is None:
            return [receipt(frame.user, answer_receipt(asked.ref, NOT_PAIRED))]
        await record_seen(work, identity)
        item = await find_item(work, identity.child_id, asked.ref)
        if item is None or item.message_id is None:
            gone = ItemRemoved(seq=1 if item is None else item.seq, ref=asked.ref)
            return [reply(frame.user, DownlinkKind.ITEM, gone, asked.ref)]
        window = await _window(work, identity, item, asked)
    if not isinstance(window, _Window):
        return [] if window is None else [_told(frame, asked.ref, window)]
    start = window.first_chunk * window.chunk_bytes
    end = min((window.first_chunk + window.count) * window.chunk_bytes, window.clip.size_bytes)
    sound = await frame.blobs.read(window.clip.blob_id, window.key, start, end)
    return [
        Reply(
            downlink(frame.user, DownlinkKind.ITEM_CHUNK, asked.ref, window.first_chunk + number),
            encode_chunk(sound[place : place + window.chunk_bytes], binary=window.binary),
        )
        for number, place in enumerate(range(0, len(sound), window.chunk_bytes))
    ]


async def _window(
    work: UnitOfWork, identity: WatchIdentity, item: InboxItem, asked: Fetch
) -> _Window | ItemRemoved | Detail | None:
    """Return the chunks to send, why there are none, or None: what comes instead is announced."""
    message = await wire_message(work, item)
    if message.clip_id is None:
        return Detail.UNKNOWN_REF
    clip = await audio_for_watch(work, message.clip_id, identity)
    child = await child_by_id(work, identity.child_id)
    if item.state == "dropped" or isinstance(clip, Undeliverable) or child is None:
        return ItemRemoved(seq=item.seq, ref=asked.ref)
    chunk_bytes = chunk_bytes_of(identity.hello)
    chunks = -(-clip.size_bytes // chunk_bytes) if isinstance(clip, Playable) else 0
    if chunks and asked.first_chunk >= chunks:
        return Detail.OUT_OF_RANGE
    # Without a form, the watch said since that it plays other sound: "removed" would end what is announced once made.
    if not isinstance(clip, Playable) or (item.state == "waiting" and not note_fetch(work, item, asked.first_chunk)):
        await notify_watch(work, identity.username)
        return None
    count = min(asked.count, chunks - asked.first_chunk, max(1, FETCH_MAX_BYTES // chunk_bytes))
    return _Window(
        clip, data_key(work, child), asked.first_chunk, count, chunk_bytes, bool(identity.hello.get("binary", True))
    )


def _told(frame: Frame, ref: str, told: ItemRemoved | Detail) -> Reply:
    if isinstance(told, ItemRemoved):
        return reply(frame.user, DownlinkKind.ITEM, told, ref)
    return receipt(frame.user, Receipt(ref=ref, code=ReceiptCode.REJECTED, detail=told))
