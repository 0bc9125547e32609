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
from services.core.devices.presence.actions import clock_of_watch, record_seen
from services.core.devices.watches.queries import standing_identity
from services.core.devices.watches.tables import WatchIdentity
from services.core.devices.watches.timestamps import happened_at
from services.core.people.households.child_key import data_key
from services.core.people.households.tables import Child
from services.core.platform.blobs.store import BlobStore
from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.idempotency.actions import Answer, known_answer, rejected, remember

NOT_PAIRED = rejected("not_paired")


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
class _Whole:
    """A clip whose bytes are all here, before they are stored."""

    child: Child
    key: bytes
    sound: bytes


async def receive_voice(
    database: Database, blobs: BlobStore, username: str, sent: VoiceUpload
) -> Answer | MissingChunks:
    """Take the end of a clip; ``stored`` is answered only when sound and message are committed.

    Bytes are stored between two transactions, so that no row is locked while a disk or a network works. Raises
    BlobStoreAwayError: the watch keeps the clip and comes again.
    """
    async with database.begin() as work:
        identity = await standing_identity(work, username, lock=True)
        if identity is None:
            return NOT_PAIRED
        await record_seen(work, identity)
        looked = await _look(work, identity, sent)
    if not isinstance(looked, _Whole):
        return looked
    blob_id, digest = await store_audio(database, blobs, looked.child.child_id, looked.key, looked.sound)
    stored = StoredAudio(blob_id, len(looked.sound), digest, claimed_codec=sent.codec, claimed_ms=sent.duration_ms)
    async with database.begin() as work:
        identity = await standing_identity(work, username, lock=True)
        if identity is None:
            return NOT_PAIRED
        when = happened_at(clock_of_watch(identity), work.now, tst=sent.tst, boot=sent.boot, mono_s=sent.mono_s)
        answer = await receive_from_child(
            work, identity, WatchMessage(sent.ref, sent.to, voice_body(digest), sent.fingerprint, when, clip=stored)
        )  # fmt: skip
        await delete_chunks(work, username, sent.ref)
        return answer


async def _look(work: UnitOfWork, identity: WatchIdentity, sent: VoiceUpload) -> Answer | MissingChunks | _Whole:
    """Return what can be answered at once, or the clip."""
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
    return _Whole(child, data_key(work, child), clip)
