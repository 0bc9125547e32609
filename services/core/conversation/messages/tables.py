"""Tables of messages and their state at each recipient."""

from __future__ import annotations

import uuid

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import (
    bigint_column,
    bytes_column,
    datetime,
    id_column,
    maybe_time_column,
    time_column,
)


class Message(SQLModel, table=True):
    """One message of a child's conversation, in either direction."""

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("child_id", "seq"),
        Index("message_client_key", "guardian_id", "client_key", unique=True,
              postgresql_where=text("client_key IS NOT NULL")),
        Index("message_of_watch", "username", "ref", unique=True, postgresql_where=text("username IS NOT NULL")),
        # Used by retention.
        Index("message_voice", "received_at", postgresql_where=text("kind = 'voice'")),
        # The first screen asks which recordings of a child end soon.
        Index("message_voice_of_child", "child_id", "received_at", postgresql_where=text("kind = 'voice'")),
    )  # fmt: skip

    message_id: uuid.UUID = id_column()
    child_id: uuid.UUID = Field(foreign_key="child.child_id", ondelete="CASCADE")
    # The server's order of the conversation, allocated under the child's row lock.
    seq: int = bigint_column()
    # to_child or to_family
    direction: str = Field(max_length=10)
    kind: str = Field(max_length=10)
    # The author: a guardian (with the request's Idempotency-Key), or a watch identity (with the id made by the watch).
    guardian_id: uuid.UUID | None = Field(default=None, foreign_key="guardian.guardian_id", ondelete="SET NULL")
    client_key: str | None = Field(default=None, max_length=100)
    username: str | None = Field(default=None, foreign_key="watch_identity.username", ondelete="SET NULL")
    # On the wire: the item's ref (to the child), or the watch's own id (from the child).
    ref: str = Field(max_length=36, index=True)
    # Identifies a retry under the same key: a digest of the body, keyed with the child's data key.
    fingerprint: str = Field(max_length=64)
    # Text, emoji word or hash of the recording, sealed with the child's data key.
    sealed_body: bytes = bytes_column()
    # Voice messages only.
    clip_id: uuid.UUID | None = Field(default=None, foreign_key="clip.clip_id", index=True, ondelete="CASCADE")
    # The sender's time if its clock was set, and the server's time.
    sent_at: datetime | None = maybe_time_column()
    received_at: datetime = time_column()
    # A message undelivered at this time expires, and its sender is notified.
    expires_at: datetime = time_column()


class MessageRecipient(SQLModel, table=True):
    """State of a message at one recipient: the child, or one guardian."""

    __tablename__ = "message_recipient"
    __table_args__ = (
        Index("recipient_once", "message_id", "guardian_id", unique=True, postgresql_nulls_not_distinct=True),
        Index("recipient_undelivered", "state", postgresql_where=text("state IN ('queued', 'stored')")),
        # A guardian's unread messages, and states that a watch was not told or has not confirmed: few rows at any time.
        Index("recipient_unread", "guardian_id", postgresql_where=text("state IN ('stored', 'delivered')")),
        Index("recipient_untold", "guardian_id", postgresql_where=text(
            "guardian_id IS NOT NULL AND state IN ('delivered', 'played', 'expired', 'rejected')"
            " AND seen_state IS DISTINCT FROM state AND told_state IS DISTINCT FROM state"
        )),
        Index("recipient_unconfirmed", "guardian_id", postgresql_where=text(
            "told_state IS NOT NULL AND seen_state IS DISTINCT FROM told_state"
        )),
    )  # fmt: skip

    recipient_id: uuid.UUID = id_column()
    message_id: uuid.UUID = Field(foreign_key="message.message_id", ondelete="CASCADE")
    # None: the recipient is the child.
    guardian_id: uuid.UUID | None = Field(default=None, foreign_key="guardian.guardian_id", ondelete="CASCADE")
    contact_wire_id: str | None = Field(default=None, max_length=12)
    state: str = Field(max_length=10)
    # Reason of a rejection.
    detail: str | None = Field(default=None, max_length=30)
    changed_at: datetime = time_column()
    delivered_at: datetime | None = maybe_time_column()
    played_at: datetime | None = maybe_time_column()
    # Messages from the child: the state that the watch confirmed as shown, and the time of the last announcement.
    seen_state: str | None = Field(default=None, max_length=10)
    told_state: str | None = Field(default=None, max_length=10)
    told_at: datetime | None = maybe_time_column()


class KeptMessage(SQLModel, table=True):
    """A guardian keeps a voice message: it is exempt from retention while such a row exists."""

    __tablename__ = "kept_message"

    message_id: uuid.UUID = Field(primary_key=True, foreign_key="message.message_id", ondelete="CASCADE")
    guardian_id: uuid.UUID = Field(primary_key=True, foreign_key="guardian.guardian_id", ondelete="CASCADE")
    kept_at: datetime = time_column()


class PhoneUpload(SQLModel, table=True):
    """A voice message that a phone uploads in parts, because its network is unreliable."""

    __tablename__ = "phone_upload"
    __table_args__ = (UniqueConstraint("guardian_id", "client_key"),)

    upload_id: uuid.UUID = id_column()
    child_id: uuid.UUID = Field(foreign_key="child.child_id", ondelete="CASCADE")
    guardian_id: uuid.UUID = Field(foreign_key="guardian.guardian_id", ondelete="CASCADE")
    client_key: str = Field(max_length=100)
    size_bytes: int
    sha256: str = Field(max_length=64)
    # Number of bytes received: the next part begins at this offset.
    offset: int = 0
    created_at: datetime = time_column()
    expires_at: datetime = time_column(index=True)


class PhoneUploadPart(SQLModel, table=True):
    """One part of an upload, sealed with the child's data key."""

    __tablename__ = "phone_upload_part"

    upload_id: uuid.UUID = Field(primary_key=True, foreign_key="phone_upload.upload_id", ondelete="CASCADE")
    offset: int = Field(primary_key=True)
    sealed_sound: bytes = bytes_column()
