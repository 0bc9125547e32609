"""A child speaks: chunks became a clip, the clip becomes a message. Nothing is decoded before it is committed."""

from __future__ import annotations

from dataclasses import dataclass

from services.core.conversation.audio_assets.chunks_from_watch import (
    MissingChunks,
    UploadManifest,
    assemble_chunks,
    delete_chunks,
)
from services.core.conversation.audio_assets.storing import StoredAudio, store_audio
from services.core.conversation.messages.actions import WatchMessage, receive_from_child
from services.core.conversation.messages.rules import voice_body
from services.core.devices.contacts.queries import recipients_of
from services.core.devices.presence.queries import clock_of_watch
from services.core.devices.watches.tables import WatchIdentity
from services.core.devices.watches.timestamps import happened_at
from services.core.people.households.child_key import data_key
from services.core.people.households.tables import Child
from services.core.platform.blobs.store import BlobStore
from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.idempotency.actions import Answer, known_answer, rejected, remember


@dataclass(frozen=True)
class VoiceUpload:
    """What the ``end`` of a clip says; ``codec`` and ``duration_ms`` are advice, what it weighs is checked."""

    ref: str
    to: str
    claim: UploadManifest
    fingerprint: str
    codec: str
    duration_ms: int | None
    tst: int = 0
    boot: int | None = None
    mono_s: int | None = None


@dataclass(frozen=True)
class WholeClip:
    """A clip whose bytes are all here, before they are stored."""

    child: Child
    key: bytes
    sound: bytes


async def store_voice(database: Database, blobs: BlobStore, clip: WholeClip, sent: VoiceUpload) -> StoredAudio:
    """Store the bytes of a clip outside any transaction. Raises BlobStoreAwayError: the watch keeps the clip."""
    blob_id, digest = await store_audio(database, blobs, clip.child.child_id, clip.key, clip.sound)
    return StoredAudio(blob_id, len(clip.sound), digest, claimed_codec=sent.codec, claimed_ms=sent.duration_ms)


async def receive_voice(work: UnitOfWork, identity: WatchIdentity, sent: VoiceUpload, stored: StoredAudio) -> Answer:
    """Make stored audio a message of the child and return its answer. The caller holds the identity locked.

    Bytes are stored between this transaction and the one of :func:`assemble_voice`, so that no row is locked while a
    disk or a network works. A repeat gets ``duplicate``; the same id with other content ``rejected id_conflict``.
    """
    at = happened_at(clock_of_watch(identity), work.now, tst=sent.tst, boot=sent.boot, mono_s=sent.mono_s)
    answer = await receive_from_child(
        work, identity,
        WatchMessage(sent.ref, sent.to, voice_body(stored.sha256), sent.fingerprint, at, clip=stored),
    )  # fmt: skip
    await delete_chunks(work, identity.username, sent.ref)
    return answer


async def assemble_voice(
    work: UnitOfWork, identity: WatchIdentity, sent: VoiceUpload
) -> Answer | MissingChunks | WholeClip:
    """Return what can be answered at once, or the clip whose bytes are to be stored."""
    answer = await known_answer(work, identity.username, sent.ref, sent.fingerprint)
    if answer is not None:
        return answer
    if not await recipients_of(work, identity.child_id, sent.to):
        # Refused before its chunks are looked at: they need not come again for nobody.
        await delete_chunks(work, identity.username, sent.ref)
        return await remember(
            work, identity.username, sent.ref, kind="voice", fingerprint=sent.fingerprint,
            answer=rejected("recipient_removed"),
        )  # fmt: skip
    clip = await assemble_chunks(work, identity, sent.ref, sent.claim)
    if isinstance(clip, MissingChunks):
        return clip
    child = await work.session.get_one(Child, identity.child_id)
    return WholeClip(child, data_key(work, child), clip)
