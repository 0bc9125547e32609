"""Tables of guardians' and staff's accounts and sessions."""

from __future__ import annotations

import uuid

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import (
    bigint_column,
    bytes_column,
    datetime,
    id_column,
    maybe_time_column,
    time_column,
)


class Guardian(SQLModel, table=True):
    """A parent or another guardian, known by a phone number."""

    __tablename__ = "guardian"

    guardian_id: uuid.UUID = id_column()
    phone: str = Field(unique=True, max_length=16)
    display_name: str = Field(default="", max_length=40)
    locale: str = Field(default="en", max_length=12)
    # A second proof for log-ins from new phones, hashed under the master key.
    pin_hash: bytes | None = bytes_column(default=None, nullable=True)
    # Until somebody has logged in, and again when staff have moved the account to a new number: no second step.
    awaits_first_log_in: bool = True
    # When a code that was sent to this number was entered; empty: nobody knows whether text messages arrive there.
    phone_confirmed_at: datetime | None = maybe_time_column()
    # On shift until then: children see on their watches that an answer will take its time.
    busy_until_at: datetime | None = maybe_time_column()
    created_at: datetime = time_column()


class GuardianDevice(SQLModel, table=True):
    """A phone or tablet that a guardian logged in with, known again by a token that it keeps."""

    __tablename__ = "guardian_device"

    device_id: uuid.UUID = id_column()
    guardian_id: uuid.UUID = Field(foreign_key="guardian.guardian_id", index=True, ondelete="CASCADE")
    token_hash: bytes = bytes_column(unique=True)
    created_at: datetime = time_column()
    last_used_at: datetime = time_column()
    # Empty until somebody has proved more than that they receive the guardian's text messages.
    trusted_at: datetime | None = maybe_time_column()


class LoginChallenge(SQLModel, table=True):
    """A one-time code on its way to a phone; the code itself is kept as a keyed hash only."""

    __tablename__ = "login_challenge"

    challenge_id: uuid.UUID = id_column()
    phone: str = Field(max_length=16, index=True)
    code_hash: bytes = bytes_column()
    # What the device that asked was told and has to say again, hashed; and which device or address that was, hashed.
    secret_hash: bytes = bytes_column()
    asked_by: bytes = bytes_column()
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
    device_id: uuid.UUID | None = Field(
        default=None, foreign_key="guardian_device.device_id", index=True, ondelete="SET NULL"
    )
    # Logged in by the code alone, from a device that is not known: sees nothing until the second step.
    limited: bool = False
    created_at: datetime = time_column()
    last_used_at: datetime = time_column()
    ended_at: datetime | None = maybe_time_column()
    end_reason: str | None = Field(default=None, max_length=20)


class OpenStream(SQLModel, table=True):
    """An open event stream, of whichever process; a higher number is a later one."""

    __tablename__ = "open_stream"

    stream_no: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    session_id: uuid.UUID = Field(foreign_key="session.session_id", index=True, ondelete="CASCADE")
    guardian_id: uuid.UUID = Field(foreign_key="guardian.guardian_id", index=True, ondelete="CASCADE")
    opened_at: datetime = time_column(index=True)


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
    # Where a first password is sent; needed by accounts that may approve something.
    phone: str | None = Field(default=None, max_length=16)
    employed_by_factory: bool = False
    password_hash: str = Field(max_length=200)
    # Until then the password is a first one, which works once; empty once the colleague has chosen their own.
    first_password_ends_at: datetime | None = maybe_time_column()
    # The secret of the authenticator app, sealed; worth nothing before it was confirmed with a first code.
    sealed_totp: bytes | None = bytes_column(default=None, nullable=True)
    totp_confirmed_at: datetime | None = maybe_time_column()
    # The newest 30 seconds whose code was used: each works once (RFC 6238 section 5.2).
    totp_used_step: int | None = bigint_column(default=None, nullable=True)
    # Opened, or given another role or scope; from then on an account approves nothing for 7 days ...
    appointed_at: datetime = time_column()
    # ... unless the command line did so before the first family was enrolled.
    is_founding: bool = False
    # Reset by somebody else; whether two colleagues did so and the phone stayed.
    reset_at: datetime | None = maybe_time_column()
    reset_by_two: bool = False
    created_at: datetime = time_column()
    ended_at: datetime | None = maybe_time_column()


class StaffRecoveryCode(SQLModel, table=True):
    """A code that works once in place of the authenticator app."""

    __tablename__ = "staff_recovery_code"

    code_hash: bytes = bytes_column(primary_key=True)
    staff_id: uuid.UUID = Field(foreign_key="staff.staff_id", index=True, ondelete="CASCADE")
    used_at: datetime | None = maybe_time_column()


class StaffSession(SQLModel, table=True):
    """One logged-in browser of a staff member."""

    __tablename__ = "staff_session"

    staff_session_id: uuid.UUID = id_column()
    staff_id: uuid.UUID = Field(foreign_key="staff.staff_id", index=True, ondelete="CASCADE")
    created_at: datetime = time_column()
    last_used_at: datetime = time_column()
    ended_at: datetime | None = maybe_time_column()
    end_reason: str | None = Field(default=None, max_length=20)


class StaffRefreshToken(SQLModel, table=True):
    """One link in the chain of a staff session; see RefreshToken."""

    __tablename__ = "staff_refresh_token"

    token_hash: bytes = bytes_column(primary_key=True)
    staff_session_id: uuid.UUID = Field(foreign_key="staff_session.staff_session_id", index=True, ondelete="CASCADE")
    expires_at: datetime = time_column()
    used_at: datetime | None = maybe_time_column()
