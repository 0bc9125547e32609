"""Tables of audio assets, of their renditions, and of unfinished uploads from watches."""

from __future__ import annotations

import uuid

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import bytes_column, datetime, id_column, maybe_time_column, time_column


class AudioAsset(SQLModel, table=True):
    """One recording as its sender made it; the bytes are a blob, sealed with the child's key."""

    __tablename__ = "clip"

    clip_id: uuid.UUID = id_column()
    child_id: uuid.UUID = Field(foreign_key="child.child_id", index=True, ondelete="CASCADE")
    # None after retention deleted the audio.
    blob_id: uuid.UUID | None = Field(default=None, foreign_key="blob.blob_id", index=True, ondelete="SET NULL")
    size_bytes: int
    sha256: str = Field(max_length=64)
    # Stated by the sender; a hint until the asset is decoded.
    claimed_codec: str | None = Field(default=None, max_length=32)
    claimed_ms: int | None = None
    # raw (not decoded yet), ready, unplayable, gone (deleted by retention)
    state: str = Field(default="raw", max_length=10)
    # Found by decoding.
    media: str | None = Field(default=None, max_length=12)
    channels: int | None = None
    duration_ms: int | None = None
    # 44 bars of the waveform, sealed like the audio.
    sealed_bars: bytes | None = bytes_column(default=None, nullable=True)
    tries: int = 0
    created_at: datetime = time_column()
    gone_at: datetime | None = maybe_time_column()


class Rendition(SQLModel, table=True):
    """An asset in a form that a receiver plays; made once."""

    __tablename__ = "rendition"
    __table_args__ = (UniqueConstraint("clip_id", "form", "max_bytes"),)

    rendition_id: uuid.UUID = id_column()
    clip_id: uuid.UUID = Field(foreign_key="clip.clip_id", ondelete="CASCADE")
    # phone, amr-nb, opus
    form: str = Field(max_length=10)
    # The size limit it was made for; 0: no limit.
    max_bytes: int
    # None: the form cannot be made; `failure` holds the reason.
    blob_id: uuid.UUID | None = Field(default=None, foreign_key="blob.blob_id", index=True, ondelete="SET NULL")
    failure: str | None = Field(default=None, max_length=30)
    size_bytes: int = 0
    sha256: str = Field(default="", max_length=64)
    duration_ms: int = 0
    bit_rate: int = 0
    created_at: datetime = time_column()


class AudioChunk(SQLModel, table=True):
    """One chunk of an unfinished recording from a watch."""

    __tablename__ = "clip_chunk"

    username: str = Field(primary_key=True, max_length=32, foreign_key="watch_identity.username", ondelete="CASCADE")
    ref: str = Field(primary_key=True, max_length=36)
    number: int = Field(primary_key=True)
    size_bytes: int
    sealed_sound: bytes = bytes_column()
    received_at: datetime = time_column(index=True)


class AudioUpload(SQLModel, table=True):
    """An unfinished upload from a watch: the running total of its chunks."""

    __tablename__ = "audio_upload"
    __table_args__ = (Index("audio_upload_oldest", "username", "received_at"),)

    username: str = Field(primary_key=True, max_length=32, foreign_key="watch_identity.username", ondelete="CASCADE")
    ref: str = Field(primary_key=True, max_length=36)
    size_bytes: int
    # Time of the last chunk.
    received_at: datetime = time_column(index=True)


class AudioUploadTotal(SQLModel, table=True):
    """The running total of all unfinished uploads of a watch."""

    __tablename__ = "audio_upload_total"

    username: str = Field(primary_key=True, max_length=32, foreign_key="watch_identity.username", ondelete="CASCADE")
    size_bytes: int
