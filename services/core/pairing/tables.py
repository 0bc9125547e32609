"""Tables of pairing: codes, pairings, wipe orders, attempts."""

from __future__ import annotations

import uuid

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import bytes_column, datetime, id_column, maybe_time_column, time_column


class PairingCode(SQLModel, table=True):
    """A code that a watch shows; single use, short lived."""

    __tablename__ = "pairing_code"
    __table_args__ = (
        # A code names one watch while it is live.
        Index("pairing_code_live", "code_hash", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("pairing_code_of_watch", "watch_id", "created_at"),
    )

    pairing_code_id: uuid.UUID = id_column()
    watch_id: uuid.UUID = Field(foreign_key="watch.watch_id", ondelete="CASCADE")
    # Keyed hash for the look-up, and the encrypted code for a repeated request of the watch.
    code_hash: bytes = bytes_column()
    sealed_code: bytes = bytes_column()
    created_at: datetime = time_column()
    expires_at: datetime = time_column()
    # Used, replaced or expired.
    ended_at: datetime | None = maybe_time_column()
    pairing_id: uuid.UUID | None = Field(default=None, foreign_key="pairing.pairing_id", ondelete="SET NULL")


class Pairing(SQLModel, table=True):
    """One pairing of a watch with a child by a guardian, from its code to its end."""

    __tablename__ = "pairing"

    pairing_id: uuid.UUID = id_column()
    watch_id: uuid.UUID = Field(foreign_key="watch.watch_id", index=True, ondelete="CASCADE")
    child_id: uuid.UUID = Field(foreign_key="child.child_id", index=True, ondelete="CASCADE")
    family_id: uuid.UUID = Field(foreign_key="family.family_id", ondelete="CASCADE")
    guardian_id: uuid.UUID = Field(foreign_key="guardian.guardian_id", ondelete="CASCADE")
    username: str = Field(unique=True, max_length=32)
    # The password for the watch, encrypted; deleted at the first hello or when the pairing ends.
    sealed_password: bytes | None = bytes_column(default=None, nullable=True)
    issued_at: datetime = time_column()
    confirmed_at: datetime | None = maybe_time_column()
    ended_at: datetime | None = maybe_time_column()
    # One of: unpaired, replaced, unconfirmed, lost, returned, erased.
    end_reason: str | None = Field(default=None, max_length=12)


class WipeOrder(SQLModel, table=True):
    """A user name of an ended pairing, with whose data the watch has to wipe itself."""

    __tablename__ = "wipe_order"

    username: str = Field(primary_key=True, max_length=32)
    watch_id: uuid.UUID = Field(foreign_key="watch.watch_id", index=True, ondelete="CASCADE")
    # No foreign keys: the order outlives an erased child and family.
    child_id: uuid.UUID = Field(index=True)
    family_id: uuid.UUID = Field(index=True)
    ordered_at: datetime = time_column()
    # When the watch was sent the order, and when its behaviour showed that it wiped itself.
    told_at: datetime | None = maybe_time_column()
    confirmed_at: datetime | None = maybe_time_column()


class PairingAttempt(SQLModel, table=True):
    """A wrong code that a guardian entered; counted to limit guessing."""

    __tablename__ = "pairing_attempt"
    __table_args__ = (Index("pairing_attempt_recent", "guardian_id", "at"),)

    pairing_attempt_id: uuid.UUID = id_column()
    guardian_id: uuid.UUID = Field(foreign_key="guardian.guardian_id", ondelete="CASCADE")
    at: datetime = time_column()


class DatabaseMark(SQLModel, table=True):
    """Which database server and which tables the lists of watches were last announced from; see after_restore."""

    __tablename__ = "database_mark"

    mark: str = Field(primary_key=True, max_length=80)
