"""Tables of the accounts behind an account, and of requests that wait for a second person."""

from __future__ import annotations

import uuid

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import datetime, id_column, maybe_time_column, time_column


class StaffOrigin(SQLModel, table=True):
    """An account that opened, reset or promoted another one; never deleted."""

    __tablename__ = "staff_origin"

    staff_id: uuid.UUID = Field(primary_key=True, foreign_key="staff.staff_id", ondelete="CASCADE")
    by_staff_id: uuid.UUID = Field(primary_key=True, foreign_key="staff.staff_id", ondelete="CASCADE")
    # Time of the first such action.
    since_at: datetime = time_column()


class StaffRequest(SQLModel, table=True):
    """A request to open, reset or promote an account, carried out after a second person's approval."""

    __tablename__ = "staff_request"
    __table_args__ = (
        # At most one pending request for an account.
        Index("staff_request_standing", "email", unique=True, postgresql_where=text("state = 'asked'")),
    )

    request_id: uuid.UUID = id_column()
    # open (also: another scope), reset, role
    kind: str = Field(max_length=10)
    email: str = Field(max_length=254)
    display_name: str = Field(max_length=80)
    role: str = Field(max_length=20)
    # For a reset: empty if the number stays.
    phone: str | None = Field(default=None, max_length=16)
    employed_by_factory: bool = False
    programme_id: uuid.UUID | None = Field(default=None, foreign_key="programme.programme_id", ondelete="CASCADE")
    site_id: uuid.UUID | None = Field(default=None, foreign_key="site.site_id", ondelete="CASCADE")
    # The account; empty until the request has created it.
    staff_id: uuid.UUID | None = Field(default=None, foreign_key="staff.staff_id", index=True, ondelete="CASCADE")
    # asked, done, withdrawn
    state: str = Field(default="asked", max_length=10)
    asked_by: uuid.UUID = Field(foreign_key="staff.staff_id")
    asked_at: datetime = time_column(index=True)
    approved_by: uuid.UUID | None = Field(default=None, foreign_key="staff.staff_id")
    ended_at: datetime | None = maybe_time_column()
