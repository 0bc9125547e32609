"""Tables of guardians' and staff's accounts and sessions."""

from __future__ import annotations

import uuid

from sqlmodel import Field, SQLModel

from services.core.db.columns import bytes_column, datetime, id_column, maybe_time_column, time_column


class Guardian(SQLModel, table=True):
    """A parent or another guardian, known by a phone number."""

    __tablename__ = "guardian"

    guardian_id: uuid.UUID = id_column()
    phone: str = Field(unique=True, max_length=16)
    display_name: str = Field(default="", max_length=40)
    locale: str = Field(default="en", max_length=12)
    # On shift until then: children see on their watches that an answer will take its time.
    busy_until_at: datetime | None = maybe_time_column()
    created_at: datetime = time_column()


class LoginChallenge(SQLModel, table=True):
    """A one-time code on its way to a phone; the code itself is kept as a keyed hash only."""

    __tablename__ = "login_challenge"

    challenge_id: uuid.UUID = id_column()
    phone: str = Field(max_length=16, index=True)
    code_hash: bytes = bytes_column()
    tries: int = 0
    created_at: datetime = time_column(index=True)
    expires_at: datetime = time_column()
    # Used, or voided by a newer one.
    ended_at: datetime | None = maybe_time_column()


class Session(SQLModel, table=True):
    """One logged-in phone."""

    __tablename__ = "session"

    session_id: uuid.UUID = id_column()
    guardian_id: uuid.UUID = Field(foreign_key="guardian.guardian_id", index=True, ondelete="CASCADE")
    created_at: datetime = time_column()
    last_used_at: datetime = time_column()
    ended_at: datetime | None = maybe_time_column()
    end_reason: str | None = Field(default=None, max_length=20)


class RefreshToken(SQLModel, table=True):
    """One link in a session's chain of refresh tokens; a used one that comes again ends the session."""

    __tablename__ = "refresh_token"

    token_hash: bytes = bytes_column(primary_key=True)
    session_id: uuid.UUID = Field(foreign_key="session.session_id", index=True, ondelete="CASCADE")
    issued_at: datetime = time_column()
    expires_at: datetime = time_column()
    used_at: datetime | None = maybe_time_column()


class Staff(SQLModel, table=True):
    """A person who works for the programme."""

    __tablename__ = "staff"

    staff_id: uuid.UUID = id_column()
    email: str = Field(unique=True, max_length=254)
    display_name: str = Field(max_length=80)
    role: str = Field(max_length=20)
    password_hash: str = Field(max_length=200)
    created_at: datetime = time_column()
    ended_at: datetime | None = maybe_time_column()
