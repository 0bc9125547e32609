"""Tables of the programme's structure."""

from __future__ import annotations

import uuid
from datetime import date

from sqlalchemy import CheckConstraint, UniqueConstraint, false
from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import datetime, id_column, time_column


class Programme(SQLModel, table=True):
    """A programme that brands pay for and factories host."""

    __tablename__ = "programme"

    programme_id: uuid.UUID = id_column()
    name: str = Field(unique=True, max_length=80)
    created_at: datetime = time_column()
    # Its announced last day; every family is notified and has 30 days from then on, see office.programme_end.
    ends_on: date | None = None
    # Made up by `usage simulate`: reports and pages say so.
    simulated: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class Site(SQLModel, table=True):
    """A factory, school or centre that hosts the programme."""

    __tablename__ = "site"
    __table_args__ = (UniqueConstraint("programme_id", "name"),)

    site_id: uuid.UUID = id_column()
    programme_id: uuid.UUID = Field(foreign_key="programme.programme_id", ondelete="CASCADE")
    name: str = Field(max_length=80)
    # ISO 3166-1 alpha-2, an IANA time zone, a BCP 47 tag.
    country: str = Field(max_length=2)
    timezone: str = Field(max_length=40)
    locale: str = Field(max_length=12)
    kind: str = Field(default="factory", max_length=20)
    # Whether files for brands and the public may name the site.
    named_outside: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    created_at: datetime = time_column()


class Cohort(SQLModel, table=True):
    """About 50 children of one site who start together."""

    __tablename__ = "cohort"
    __table_args__ = (UniqueConstraint("site_id", "name"),)

    cohort_id: uuid.UUID = id_column()
    site_id: uuid.UUID = Field(foreign_key="site.site_id", ondelete="CASCADE")
    name: str = Field(max_length=80)
    starts_on: date | None = None
    ends_on: date | None = None
    created_at: datetime = time_column()


class StaffScope(SQLModel, table=True):
    """One programme or site in a staff member's scope."""

    __tablename__ = "staff_scope"
    __table_args__ = (
        CheckConstraint("(programme_id IS NULL) <> (site_id IS NULL)", name="staff_scope_one_of"),
        UniqueConstraint("staff_id", "programme_id", "site_id", postgresql_nulls_not_distinct=True),
    )

    staff_scope_id: uuid.UUID = id_column()
    staff_id: uuid.UUID = Field(foreign_key="staff.staff_id", index=True, ondelete="CASCADE")
    programme_id: uuid.UUID | None = Field(default=None, foreign_key="programme.programme_id", ondelete="CASCADE")
    site_id: uuid.UUID | None = Field(default=None, foreign_key="site.site_id", ondelete="CASCADE")
