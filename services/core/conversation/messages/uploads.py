"""Resumable uploads: a phone on an unreliable network sends a recording in parts and resumes after an interruption."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, func
from sqlalchemy import select as sql_select
from sqlmodel import col, select

from services.core.conversation.messages.errors import (
    IdempotencyConflictError,
    TooManyUploadsError,
    UploadHashError,
    UploadOffsetError,
    UploadUnfinishedError,
)
from services.core.conversation.messages.tables import Message, PhoneUpload, PhoneUploadPart
from services.core.people.households.child_key import data_key
from services.core.people.households.errors import NotFoundError
from services.core.people.households.tables import Child
from services.core.platform.audio.errors import ClipTooLargeError
from services.core.platform.audio.rules import CLIP_MAX_BYTES
from services.core.platform.crypto.vault import seal, unseal
from services.core.platform.db.database import UnitOfWork

UPLOAD_KEPT_FOR = timedelta(days=1)
UPLOADS_MAX = 20


async def begin_upload(
    work: UnitOfWork, child: Child, guardian_id: uuid.UUID, client_key: str, size_bytes: int, sha256: str
) -> PhoneUpload:
    """Begin an upload of ``size_bytes`` with the given SHA-256 (hex); a retry returns the same upload.

    Raises ClipTooLargeError before any byte is sent, IdempotencyConflictError, TooManyUploadsError beyond 20 without a
    message. The parts of those that have one are deleted.
    """
    if size_bytes > CLIP_MAX_BYTES:
        raise ClipTooLargeError
    await work.run(sql_select(func.pg_advisory_xact_lock(func.hashtextextended(f"uploads/{guardian_id}", 0))))
    result = await work.session.exec(select(PhoneUpload).where(col(PhoneUpload.guardian_id) == guardian_id))
    own = result.all()
    known = next((upload for upload in own if upload.client_key == client_key), None)
    if known is not None:
        if (known.child_id, known.size_bytes, known.sha256) != (child.child_id, size_bytes, sha256):
            raise IdempotencyConflictError
        return known
    sent = await _sent_of(work, guardian_id, own)
    if len(own) - len(sent) >= UPLOADS_MAX:
        raise TooManyUploadsError
    await _forget_parts(work, sent)
    upload = PhoneUpload(
        child_id=child.child_id, guardian_id=guardian_id, client_key=client_key, size_bytes=size_bytes, sha256=sha256,
        created_at=work.now, expires_at=work.now + UPLOAD_KEPT_FOR,
    )  # fmt: skip
    work.add(upload)
    await work.flush()
    return upload


async def _sent_of(work: UnitOfWork, guardian_id: uuid.UUID, own: Sequence[PhoneUpload]) -> list[uuid.UUID]:
    """Return those uploads whose message exists. They stay for a day, so that a retry finds the message."""
    keys = {upload.client_key: upload.upload_id for upload in own}
    sent_keys = await work.session.exec(
        select(Message.client_key).where(col(Message.guardian_id) == guardian_id, col(Message.client_key).in_(keys))
    )
    return [keys[key] for key in sent_keys if key is not None]


async def _forget_parts(work: UnitOfWork, upload_ids: Sequence[uuid.UUID]) -> None:
    """Delete the parts of these uploads, except of one that is being assembled once more at this moment."""
    free = select(PhoneUpload.upload_id).where(col(PhoneUpload.upload_id).in_(upload_ids))
    result = await work.session.exec(free.with_for_update(skip_locked=True))
    await work.run(delete(PhoneUploadPart).where(col(PhoneUploadPart.upload_id).in_(list(result))))


async def find_upload(
    work: UnitOfWork, child: Child, guardian_id: uuid.UUID, upload_id: uuid.UUID, *, lock: bool = False
) -> PhoneUpload:
    """Return the guardian's own upload for this child; raises NotFoundError."""
    statement = select(PhoneUpload).where(
        col(PhoneUpload.upload_id) == upload_id,
        col(PhoneUpload.child_id) == child.child_id,
        col(PhoneUpload.guardian_id) == guardian_id,
    )
    result = await work.session.exec(statement.with_for_update(key_share=True) if lock else statement)
    upload = result.first()
    if upload is None:
        raise NotFoundError
    return upload


async def add_part(work: UnitOfWork, child: Child, upload: PhoneUpload, offset: int, part: bytes) -> None:
    """Append a part to a locked upload; raises UploadOffsetError, and ClipTooLargeError beyond the announced size."""
    if offset != upload.offset:
        raise UploadOffsetError(upload.offset)
    if offset + len(part) > upload.size_bytes:
        raise ClipTooLargeError
    if part:
        sealed = seal(data_key(work, child), part, f"upload/{upload.upload_id}/{offset}")
        work.add(PhoneUploadPart(upload_id=upload.upload_id, offset=offset, sealed_sound=sealed))
    upload.offset += len(part)
    work.add(upload)


async def assemble_upload(work: UnitOfWork, child: Child, upload: PhoneUpload) -> bytes:
    """Return the complete recording of a locked upload; raises UploadUnfinishedError.

    On UploadHashError every part is deleted, because the damaged part is unknown. The caller commits that deletion.
    """
    if upload.offset != upload.size_bytes:
        raise UploadUnfinishedError(upload.offset)
    result = await work.session.exec(
        select(PhoneUploadPart)
        .where(col(PhoneUploadPart.upload_id) == upload.upload_id)
        .order_by(col(PhoneUploadPart.offset))
    )
    key = data_key(work, child)
    clip = b"".join(unseal(key, part.sealed_sound, f"upload/{upload.upload_id}/{part.offset}") for part in result.all())
    if hashlib.sha256(clip).hexdigest() != upload.sha256:
        await work.run(delete(PhoneUploadPart).where(col(PhoneUploadPart.upload_id) == upload.upload_id))
        upload.offset = 0
        work.add(upload)
        work.keep_refusal()
        raise UploadHashError(0)
    return clip


async def purge_one_upload(work: UnitOfWork) -> bool:
    """Delete one upload older than a day, complete or not; return whether one was deleted. Safe to repeat."""
    result = await work.session.exec(
        select(PhoneUpload).where(col(PhoneUpload.expires_at) <= work.now).limit(1).with_for_update(skip_locked=True)
    )
    upload = result.first()
    if upload is None:
        return False
    await work.session.delete(upload)
    return True
