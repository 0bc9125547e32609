"""Seal message bodies with the child's key, and lock the child's conversation."""

from __future__ import annotations

import hashlib
import hmac
import uuid

from sqlmodel import col, select

from services.core.conversation.messages.rules import Body
from services.core.people.households.tables import Child
from services.core.platform.crypto.vault import seal, unseal
from services.core.platform.db.database import UnitOfWork


async def lock_child(work: UnitOfWork, child_id: uuid.UUID) -> Child:
    """Return the child with its row locked: other transactions cannot write to this conversation until the commit.

    FOR NO KEY UPDATE does not block rows elsewhere that reference the child (events, facts). A FOR UPDATE lock caused
    a one-second deadlock when a message was sent while the watch acknowledged another one (observed).
    """
    result = await work.session.exec(
        select(Child)
        .where(col(Child.child_id) == child_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return result.one()


def seal_body(key: bytes, message_id: uuid.UUID, content: str) -> bytes:
    """Return the content sealed under the child's data key and bound to this message."""
    return seal(key, content.encode(), f"message/{message_id}")


def content_mark(key: bytes, body: Body) -> str:
    """Return the digest that identifies a retry of a body, keyed with the child's data key.

    An unkeyed digest would let a reader of the database recognise a known recording, or guess a short text, even
    after the audio was deleted.
    """
    return hmac.new(key, f"message/{body.fingerprint}".encode(), hashlib.sha256).hexdigest()


def open_body(key: bytes, message_id: uuid.UUID, sealed_body: bytes) -> str:
    """Return the plain content of a message sealed under the child's data key; raises SealBrokenError."""
    return unseal(key, sealed_body, f"message/{message_id}").decode()
