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
    """A parent or another guardian, identified by a phone number."""

    __tablename__ = "guardian"

    guardian_id: uuid.UUID = id_column()
    phone: str = Field(unique=True, max_length=16)
    display_name: str = Field(default="", max_length=40)
    locale: str = Field(default="en", max_length=12)
    # Second factor for log-ins from new phones, hashed under the master key.
    pin_hash: bytes | None = bytes_column(default=None, nullable=True)
    # True until the first log-in, and again after staff moved the account to a new number: no second step is required.
    awaits_first_log_in: bool = True
    # First use of a code sent to this number; empty: delivery of SMS to the number is unconfirmed.
    phone_confirmed_at: datetime | None = maybe_time_column()
    # Until then no new phone logs in with this number: the owner has blocked them from an old phone.
    new_phones_blocked_until_at: datetime | None = maybe_time_column()
    # End of the current shift: until then watches show children that an answer will take longer.
    busy_until_at: datetime | None = maybe_time_column()
    created_at: datetime = time_column()


class GuardianDevice(SQLModel, table=True):
    """A phone or tablet that a guardian logged in with, identified by a token stored on it."""

    __tablename__ = "guardian_device"

    device_id: uuid.UUID = id_column()
    guardian_id: uuid.UUID = Field(foreign_key="guardian.guardian_id", index=True, ondelete="CASCADE")
    token_hash: bytes = bytes_column(unique=True)
    created_at: datetime = time_column()
    last_used_at: datetime = time_column()
    # Empty until the device has passed a second step in addition to the SMS code.
    trusted_at: datetime | None = maybe_time_column()


class LoginChallenge(SQLModel, table=True):
    """A one-time code sent to a phone; only a keyed hash of the code is stored."""

    __tablename__ = "login_challenge"

    challenge_id: uuid.UUID = id_column()
    phone: str = Field(max_length=16, index=True)
    code_hash: bytes = bytes_column()
    # Hash of the secret that the requesting device must present, and hash of the requesting device or address.
    secret_hash: bytes = bytes_column()
    asked_by: bytes = bytes_column()
    tries: int = 0
    created_at: datetime = time_column(index=True)
    expires_at: datetime = time_column()
    # Set when used, or voided by a newer code.
    ended_at: datetime | None = maybe_time_column()


class Session(SQLModel, table=True):
    """One logged-in phone of a guardian."""

    __tablename__ = "session"

    session_id: uuid.UUID = id_column()
    guardian_id: uuid.UUID = Field(foreign_key="guardian.guardian_id", index=True, ondelete="CASCADE")
    device_id: uuid.UUID | None = Field(
        default=None, foreign_key="guardian_device.device_id", index=True, ondelete="SET NULL"
    )
    # The name of the phone, as the phone gave it at log-in; not verified.
    label: str = Field(default="", max_length=40, sa_column_kwargs={"server_default": ""})
    # Opened by the code alone from an unknown device: no access until the second step.
    limited: bool = False
    # The latest proof that the guardian and not only the phone is there: a PIN, a second step, a fresh code.
    stepped_up_at: datetime | None = maybe_time_column()
    created_at: datetime = time_column()
    last_used_at: datetime = time_column()
    ended_at: datetime | None = maybe_time_column()
    end_reason: str | None = Field(default=None, max_length=20)


class ShownLogIn(SQLModel, table=True):
    """The first time that a waiting log-in was shown to a guardian who could approve it."""

    __tablename__ = "shown_log_in"

    session_id: uuid.UUID = Field(primary_key=True, foreign_key="session.session_id", ondelete="CASCADE")
    guardian_id: uuid.UUID = Field(primary_key=True, foreign_key="guardian.guardian_id", index=True, ondelete="CASCADE")
    shown_at: datetime = time_column()


class OpenStream(SQLModel, table=True):
    """An open event stream of any process; a higher number is a later stream."""

    __tablename__ = "open_stream"

    stream_no: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    session_id: uuid.UUID = Field(foreign_key="session.session_id", index=True, ondelete="CASCADE")
    guardian_id: uuid.UUID = Field(foreign_key="guardian.guardian_id", index=True, ondelete="CASCADE")
    opened_at: datetime = time_column(index=True)


class RefreshToken(SQLModel, table=True):
    """One link in a session's chain of refresh tokens; reuse of a used token ends the session."""

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
    # Destination of first passwords; required for accounts that can approve.
    phone: str | None = Field(default=None, max_length=16)
    employed_by_factory: bool = False
    password_hash: str = Field(max_length=200)
    # Expiry of a first password, which works once; empty after the colleague has chosen a password.
    first_password_ends_at: datetime | None = maybe_time_column()
    # The authenticator app's secret, sealed; not accepted until confirmed with a first code.
    sealed_totp: bytes | None = bytes_column(default=None, nullable=True)
    totp_confirmed_at: datetime | None = maybe_time_column()
    # The latest 30-second step whose code was used: each code works once (RFC 6238 section 5.2).
    totp_used_step: int | None = bigint_column(default=None, nullable=True)
    # Time of creation or of the last change of role or scope; the account can approve 7 days later ...
    appointed_at: datetime = time_column()
    # ... or at once, if the command line set it before the first family was enrolled.
    is_founding: bool = False
    # Last reset by another person; and whether two colleagues reset it while the phone number stayed.
    reset_at: datetime | None = maybe_time_column()
    reset_by_two: bool = False
    created_at: datetime = time_column()
    ended_at: datetime | None = maybe_time_column()


class StaffRecoveryCode(SQLModel, table=True):
    """A one-time code that replaces the authenticator app's code."""

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
