"""Voice messages from watches: assemble the chunks, store the bytes, create the message; decode after the commit."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final

from services.core.conversation.audio_assets.chunks_from_watch import (
    MissingChunks,
    UploadManifest,
    assemble_chunks,
    delete_chunks,
    deleted_chunks,
    opened_chunks,
)
from services.core.conversation.audio_assets.storing import StoredAudio
from services.core.conversation.messages.from_watch import WatchMessage, store_from_child
from services.core.conversation.messages.rules import voice_body
from services.core.devices.contacts.queries import has_recipient, recipients_of, wire_id_of
from services.core.devices.presence.queries import clock_of_watch
from services.core.devices.watches.tables import WatchIdentity
from services.core.devices.watches.timestamps import happened_at
from services.core.people.households.child_key import key_of_child, unwrapped_key
from services.core.platform.blobs.actions import reservation, reserve
from services.core.platform.blobs.store import BlobStore
from services.core.platform.db.database import UnitOfWork
from services.core.platform.db.together import Write, write_together
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
    """A recording whose bytes have all arrived and are not stored yet; the row of its blob is there."""

    blob_id: uuid.UUID
    key: bytes
    sound: bytes


async def store_voice(blobs: BlobStore, clip: WholeClip, sent: VoiceUpload) -> StoredAudio:
    """Store the bytes of a recording outside any transaction. Raises BlobStoreAwayError: the watch sends it again."""
    await blobs.put(clip.blob_id, clip.key, clip.sound)
    # The digest of the upload was compared with these bytes.
    return StoredAudio(
        clip.blob_id, len(clip.sound), sent.claim.sha256, claimed_codec=sent.codec, claimed_ms=sent.duration_ms
    )


async def receive_voice(work: UnitOfWork, identity: WatchIdentity, sent: VoiceUpload, stored: StoredAudio) -> Answer:
    """Create a message of the child from stored audio and return its receipt. The caller holds the identity locked.

    The bytes are stored between :func:`assemble_voice` and this transaction, so that no row lock waits for a disk or
    a network. An id that another transaction has used meanwhile is a collision: the retry finds its answer.
    """
    at = happened_at(clock_of_watch(identity), work.now, tst=sent.tst, boot=sent.boot, mono_s=sent.mono_s)
    message = WatchMessage(sent.ref, sent.to, voice_body(stored.sha256), sent.fingerprint, at, clip=stored)
    return await store_from_child(work, identity, message, deleted_chunks(identity.username, sent.ref))


# The chunks of an upload that is not answered, of a standing identity, for which there is a recipient; and the child,
# if their number is what the watch states.
_WHOLE: Final = (
    (
        "chunks",
        f"""
 SELECT identity.child_id, child.wrapped_key, clip_chunk.number, clip_chunk.sealed_sound
 FROM watch_identity AS identity JOIN child USING (child_id) JOIN clip_chunk USING (username)
 WHERE identity.username = $1 AND identity.ended_at IS NULL AND clip_chunk.ref = $2 AND clip_chunk.number < $3::int
  AND NOT EXISTS (SELECT FROM uplink WHERE uplink.username = $1 AND uplink.ref = $2)
  AND {has_recipient("identity.child_id", "$4")}""",  # noqa: S608 - every part is a constant
    ),
    ("speaker", "SELECT child_id FROM chunks GROUP BY child_id HAVING count(*) = $3::int"),
)


async def find_whole_voice(work: UnitOfWork, username: str, sent: VoiceUpload) -> WholeClip | None:
    """Return a recording whose chunks are all there, as :func:`assemble_voice` does but without locks.

    None: :func:`assemble_voice` has to say why. What is read here is decided again when the message is stored; only the
    row of the blob is written, which is deleted like any other that no message refers to.
    """
    blob_id = uuid.uuid4()
    whole = Write(_WHOLE, (username, sent.ref, sent.claim.chunks, wire_id_of(sent.to)))
    # Before the hash is compared: it nearly always is what the watch states, and one statement is one commit.
    blob = reservation(work, blob_id, sent.claim.size_bytes, sent.claim.sha256, child="speaker")
    rows = await write_together(work, whole, blob, result="SELECT * FROM chunks ORDER BY number", is_last=True)
    if not rows:
        return None
    child_id, wrapped_key = rows[0][:2]
    key = unwrapped_key(work, child_id, wrapped_key)
    clip = opened_chunks(username, sent.ref, sent.claim, key, [(number, sealed) for _, _, number, sealed in rows])
    return None if clip is None else WholeClip(blob_id, key, clip)


async def assemble_voice(
    work: UnitOfWork, identity: WatchIdentity, sent: VoiceUpload
) -> Answer | MissingChunks | WholeClip:
    """Return the receipt if it is already known, else the recording whose bytes the caller stores after the commit.

    The row of its blob is written with it, so that a crash at any point leaves no object without a row.
    """
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
    key = await key_of_child(work, identity.child_id)
    clip = await assemble_chunks(work, identity, sent.ref, sent.claim, key)
    if isinstance(clip, MissingChunks):
        return clip
    blob_id = await reserve(work, identity.child_id, len(clip), sent.claim.sha256)
    return WholeClip(blob_id, key, clip)
