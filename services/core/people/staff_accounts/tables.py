"""Tables of who opened which account of staff, and of requests that wait for a second person."""

from __future__ import annotations

import uuid

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import datetime, id_column, maybe_time_column, time_column


class StaffOrigin(SQLModel, table=True):
    """An account that opened, reset or promoted another one; kept for good."""

    __tablename__ = "staff_origin"

    staff_id: uuid.UUID = Field(primary_key=True, foreign_key="staff.staff_id", ondelete="CASCADE")
    by_staff_id: uuid.UUID = Field(primary_key=True, foreign_key="staff.staff_id", ondelete="CASCADE")
    # The first time.
    since_at: datetime = time_column()


class StaffRequest(SQLModel, table=True):
    """An account to be opened, reset or promoted, once a second person has approved it."""

    __tablename__ = "staff_request"
    __table_args__ = (
        # One at a time for an account.
        Index("staff_request_standing", "email", unique=True, postgresql_where=text("state = 'asked'")),
    )

    request_id: uuid.UUID = id_column()
    # open (also: another scope), reset, role
    kind: str = Field(max_length=10)
    email: str = Field(max_length=254)
    display_name: str = Field(max_length=80)
    role: str = Field(max_length=20)
    # Of a reset: empty unless the number changes.
    phone: str | None = Field(default=None, max_length=16)
    employed_by_factory: bool = False
    programme_id: uuid.UUID | None = Field(default=None, foreign_key="programme.programme_id", ondelete="CASCADE")
    site_id: uuid.UUID | None = Field(default=None, foreign_key="site.site_id", ondelete="CASCADE")
    # The account, once there is one.
    staff_id: uuid.UUID | None = Field(default=None, foreign_key="staff.staff_id", index=True, ondelete="CASCADE")
    # asked, done, withdrawn
    state: str = Field(default="asked", max_length=10)
    asked_by: uuid.UUID = Field(foreign_key="staff.staff_id")
    asked_at: datetime = time_column(index=True)
    approved_by: uuid.UUID | None = Field(default=None, foreign_key="staff.staff_id")
    ended_at: datetime | None = maybe_time_column()
