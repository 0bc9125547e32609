"""Voice messages from watches: assemble the chunks, store the bytes, create the message; decode after the commit."""

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
    """The ``end`` of an upload. ``codec`` and ``duration_ms`` are hints; size and hash are verified."""

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
    """A recording whose bytes have all arrived and are not stored yet."""

    child: Child
    key: bytes
    sound: bytes


async def store_voice(database: Database, blobs: BlobStore, clip: WholeClip, sent: VoiceUpload) -> StoredAudio:
    """Store the bytes of a recording outside any transaction. Raises BlobStoreAwayError: the watch sends it again."""
    blob_id, digest = await store_audio(database, blobs, clip.child.child_id, clip.key, clip.sound)
    return StoredAudio(blob_id, len(clip.sound), digest, claimed_codec=sent.codec, claimed_ms=sent.duration_ms)


async def receive_voice(work: UnitOfWork, identity: WatchIdentity, sent: VoiceUpload, stored: StoredAudio) -> Answer:
    """Create a message of the child from stored audio and return its receipt. The caller holds the identity locked.

    The bytes are stored between :func:`assemble_voice` and this transaction, so that no row lock waits for a disk or
    a network. The same upload again: ``duplicate``; the same id with other content: ``rejected id_conflict``.
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
    """Return the receipt if it is already known, else the recording whose bytes the caller stores."""
    answer = await known_answer(work, identity.username, sent.ref, sent.fingerprint)
    if answer is not None:
        return answer
    if not await recipients_of(work, identity.child_id, sent.to):
        # Rejected before its chunks are checked: without a recipient, missing chunks need not be sent again.
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
