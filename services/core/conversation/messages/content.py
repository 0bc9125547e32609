"""Seal message bodies with the child's key, and allocate sequence numbers under the child's row lock."""

from __future__ import annotations

import hashlib
import hmac
import uuid

from sqlmodel import col, select

from services.core.conversation.messages.rules import Body
from services.core.conversation.messages.tables import Message
from services.core.people.households.child_key import data_key
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


def next_message_seq(work: UnitOfWork, child: Child) -> int:
    """Return the next sequence number of the conversation; the caller holds the child's row lock."""
    child.message_seq += 1
    work.add(child)
    return child.message_seq


def seal_body(work: UnitOfWork, child: Child, message_id: uuid.UUID, content: str) -> bytes:
    """Return the content sealed under the child's data key and bound to this message."""
    return seal(data_key(work, child), content.encode(), f"message/{message_id}")


def content_mark(work: UnitOfWork, child: Child, body: Body) -> str:
    """Return the digest that identifies a retry of a body, keyed with the child's data key.

    An unkeyed digest would let a reader of the database recognise a known recording, or guess a short text, even
    after the audio was deleted.
    """
    return hmac.new(data_key(work, child), f"message/{body.fingerprint}".encode(), hashlib.sha256).hexdigest()


def open_body(work: UnitOfWork, child: Child, message: Message) -> str:
    """Return the plain content of a message; raises SealBrokenError when the key was erased."""
    return unseal(data_key(work, child), message.sealed_body, f"message/{message.message_id}").decode()
