"""Tables of erasures, contested rights and exports."""

from __future__ import annotations

import uuid

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import bytes_column, datetime, id_column, maybe_time_column, time_column


class ErasureLedgerRow(SQLModel, table=True):
    """The ledger's copy in the database. It only grows, and outlives what it refers to."""

    __tablename__ = "erasure_ledger"

    erasure_id: uuid.UUID = id_column()
    # child or family
    what: str = Field(max_length=10)
    subject_id: uuid.UUID
    family_id: uuid.UUID
    written_at: datetime = time_column()


class Erasure(SQLModel, table=True):
    """Progress of an erasure: the key is destroyed once this row exists; the rows follow."""

    __tablename__ = "erasure"
    __table_args__ = (Index("erasure_to_finish", "asked_at", postgresql_where=text("rows_gone_at IS NULL")),)

    erasure_id: uuid.UUID = id_column()
    what: str = Field(max_length=10)
    # No foreign keys: the record outlives the rows it names.
    subject_id: uuid.UUID
    family_id: uuid.UUID = Field(index=True)
    asked_by: uuid.UUID | None = None
    asked_at: datetime = time_column()
    rows_gone_at: datetime | None = maybe_time_column()


class Contest(SQLModel, table=True):
    """A guardian contests a right of another guardian: visible to all guardians, settled by staff."""

    __tablename__ = "contest"
    __table_args__ = (
        Index("contest_open", "family_id", "raised_by", "about_id", "right", unique=True,
              postgresql_where=text("state = 'open'")),
    )  # fmt: skip

    contest_id: uuid.UUID = id_column()
    family_id: uuid.UUID = Field(foreign_key="family.family_id", index=True, ondelete="CASCADE")
    raised_by: uuid.UUID = Field(foreign_key="guardian.guardian_id", ondelete="CASCADE")
    about_id: uuid.UUID = Field(foreign_key="guardian.guardian_id", ondelete="CASCADE")
    # message, locate or manage
    right: str = Field(max_length=10)
    # open, withdrawn, upheld (staff took the right away), dismissed
    state: str = Field(default="open", max_length=10)
    raised_at: datetime = time_column()
    ended_at: datetime | None = maybe_time_column()


class Export(SQLModel, table=True):
    """A guardian's copy: being built or waiting to be fetched; sealed with a key of its own."""

    __tablename__ = "export"
    __table_args__ = (
        # One running export a guardian.
        Index("export_running", "guardian_id", unique=True, postgresql_where=text("state IN ('waiting', 'running')")),
    )

    export_id: uuid.UUID = id_column()
    family_id: uuid.UUID = Field(foreign_key="family.family_id", index=True, ondelete="CASCADE")
    guardian_id: uuid.UUID = Field(foreign_key="guardian.guardian_id", ondelete="CASCADE")
    # waiting, running, ready, expired, failed
    state: str = Field(default="waiting", max_length=10)
    percent: int = 0
    # Empty once the file is due for deletion.
    wrapped_key: bytes = bytes_column()
    size_bytes: int = 0
    asked_at: datetime = time_column()
    ready_at: datetime | None = maybe_time_column()
    expires_at: datetime | None = maybe_time_column()
    # One process builds it at a time; a killed process loses its claim when the time runs out.
    claimed_until: datetime | None = maybe_time_column()
    tries: int = 0
