"""Tables of usage: reports of watches, days counted from facts, published weeks, and files made of them."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import (
    bigint_column,
    bytes_column,
    datetime,
    id_column,
    json_column,
    maybe_time_column,
    time_column,
)


class UsageReport(SQLModel, table=True):
    """Counters of one period of a watch, as it reported them; an empty one was not measured."""

    __tablename__ = "usage_report"
    __table_args__ = (Index("usage_report_of_family", "family_id", "started_at"),)

    report_id: uuid.UUID = id_column()
    watch_id: uuid.UUID = Field(foreign_key="watch.watch_id", index=True, ondelete="CASCADE")
    family_id: uuid.UUID = Field(foreign_key="family.family_id", ondelete="CASCADE")
    # On the server's clock; None when it cannot be dated: such a report counts for no day.
    started_at: datetime | None = maybe_time_column()
    ended_at: datetime | None = maybe_time_column()
    received_at: datetime = time_column()
    # Health of the watch: stored for every watch.
    reboots: int | None = None
    battery_min_pct: int | None = None
    signal_min_dbm: int | None = None
    offline_s: int | None = None
    bytes_up: int | None = bigint_column(default=None, nullable=True)
    bytes_down: int | None = bigint_column(default=None, nullable=True)
    # The family's use of it: stored only with consent to measurement.
    worn_s: int | None = None
    screen_on_s: int | None = None
    recordings: int | None = None
    plays: int | None = None
    calls_in: int | None = None
    calls_out: int | None = None
    call_s: int | None = None


class WatchDay(SQLModel, table=True):
    """Health of one family's watch on one day of the site's time zone; no usage indicator reads it."""

    __tablename__ = "watch_day"

    family_id: uuid.UUID = Field(primary_key=True, foreign_key="family.family_id", ondelete="CASCADE")
    watch_id: uuid.UUID = Field(primary_key=True, foreign_key="watch.watch_id", index=True, ondelete="CASCADE")
    day: date = Field(primary_key=True)
    # Bit h is set when the watch was heard between h and h+1 o'clock.
    hours: int = 0
    reboots: int = 0
    battery_min_pct: int | None = None
    signal_min_dbm: int | None = None
    offline_s: int = 0


class FamilyDay(SQLModel, table=True):
    """How one family that consented to measurement used its watches on one day of the site's time zone."""

    __tablename__ = "family_day"

    family_id: uuid.UUID = Field(primary_key=True, foreign_key="family.family_id", ondelete="CASCADE")
    day: date = Field(primary_key=True, index=True)
    to_child: int = 0
    to_family: int = 0
    voice_s: int = 0
    delivered: int = 0
    delivered_5_min: int = 0
    delivered_24_h: int = 0
    played_7_d: int = 0
    calls: int = 0
    call_s: int = 0
    worn_s: int = 0
    reminders: int = 0
    reminders_followed: int = 0
    recordings: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    # Waits that began on this day, as [counted seconds, was answered].
    child_waits: list[Any] = json_column(default_factory=list)
    parent_waits: list[Any] = json_column(default_factory=list)


class QuietSince(SQLModel, table=True):
    """Quiet times of a child's watch and since when: recounting a day must give the same row."""

    __tablename__ = "quiet_since"

    child_id: uuid.UUID = Field(primary_key=True, foreign_key="child.child_id", ondelete="CASCADE")
    since_at: datetime = time_column(primary_key=True)
    quiet: list[Any] = json_column(default_factory=list)
    timezone: str = Field(max_length=40)


class UsagePopulation(SQLModel, table=True):
    """A family of one quarter's population, and the site and cohort it belonged to when the quarter was fixed."""

    __tablename__ = "usage_population"

    # The Monday of the quarter's first week.
    quarter: date = Field(primary_key=True)
    family_id: uuid.UUID = Field(primary_key=True, foreign_key="family.family_id", ondelete="CASCADE")
    programme_id: uuid.UUID = Field(foreign_key="programme.programme_id", index=True, ondelete="CASCADE")
    site_id: uuid.UUID = Field(foreign_key="site.site_id", ondelete="CASCADE")
    cohort_id: uuid.UUID = Field(foreign_key="cohort.cohort_id", ondelete="CASCADE")


class UsageWeek(SQLModel, table=True):
    """One published week of one programme; once it exists, its cells never change."""

    __tablename__ = "usage_week"

    programme_id: uuid.UUID = Field(primary_key=True, foreign_key="programme.programme_id", ondelete="CASCADE")
    week: date = Field(primary_key=True)
    quarter: date
    published_at: datetime = time_column()
    # Families in each scope's population, by scope id: the next week's membership is compared with it.
    members: dict[str, Any] = json_column(default_factory=dict)
    # Scopes that stay hidden for the rest of the quarter, by audience and reason.
    dark: dict[str, Any] = json_column(default_factory=dict, sa_column_kwargs={"server_default": text("'{}'")})


class UsageCell(SQLModel, table=True):
    """One published number after disclosure control; a suppressed one has neither value nor count."""

    __tablename__ = "usage_cell"
    # The key serves a scope's year; these indexes serve one week of everything, and a year of one indicator in all
    # scopes, each in the order in which it is read.
    __table_args__ = (
        Index("usage_cell_week", "programme_id", "audience", "week", "scope_id", "indicator"),
        Index("usage_cell_indicator", "programme_id", "audience", "indicator", "week", "scope_id"),
    )

    # staff or public
    audience: str = Field(primary_key=True, max_length=8)
    programme_id: uuid.UUID = Field(primary_key=True, foreign_key="programme.programme_id", ondelete="CASCADE")
    # The programme itself, one of its sites, or one of their cohorts.
    scope_id: uuid.UUID = Field(primary_key=True)
    week: date = Field(primary_key=True)
    indicator: str = Field(primary_key=True, max_length=30)
    version: int = 1
    # Families, rounded to 5.
    n: int | None = None
    # Of n, rounded to 5; shares of families only.
    count: int | None = None
    value: float | None = None
    lower_quartile: float | None = None
    upper_quartile: float | None = None


class UsageHeadline(SQLModel, table=True):
    """The figures of one site on a report's first page, as published with one week, for one audience."""

    __tablename__ = "usage_headline"

    # staff or public
    audience: str = Field(primary_key=True, max_length=8)
    programme_id: uuid.UUID = Field(primary_key=True, foreign_key="programme.programme_id", ondelete="CASCADE")
    site_id: uuid.UUID = Field(primary_key=True)
    week: date = Field(primary_key=True)
    quarter: date
    # The quarter whose population the figures are of, and how many families that had: exact, and never published.
    shown_quarter: date
    members: int
    # Multiples of 5; None: too few families.
    families: int | None = None
    children: int | None = None
    watches: int | None = None
    # Voice messages both ways since the site's first published week: the sum of weeks rounded to 5.
    recordings: int = bigint_column(default=0)


class UsageExport(SQLModel, table=True):
    """A file of published numbers that a staff member requested, being rendered or waiting to be fetched."""

    __tablename__ = "usage_export"
    __table_args__ = (
        # One running export a staff member.
        Index("usage_export_running", "staff_id", unique=True,
              postgresql_where=text("state IN ('waiting', 'running')")),
    )  # fmt: skip

    usage_export_id: uuid.UUID = id_column()
    staff_id: uuid.UUID = Field(foreign_key="staff.staff_id", index=True, ondelete="CASCADE")
    programme_id: uuid.UUID = Field(foreign_key="programme.programme_id", ondelete="CASCADE")
    # None: about the whole programme.
    site_id: uuid.UUID | None = Field(default=None, foreign_key="site.site_id", ondelete="CASCADE", nullable=True)
    # csv, xlsx, report or dhis2
    kind: str = Field(max_length=10)
    # Recipient: staff, factory or brand.
    recipient: str = Field(max_length=10)
    locale: str = Field(max_length=12)
    # dhis2 only: the other system's ids of our indicators and scopes, and whether to validate only.
    mapping: dict[str, Any] = json_column(default_factory=dict)
    # waiting, running, ready, expired, failed
    state: str = Field(default="waiting", max_length=10)
    percent: int = 0
    # Empty once the file is due for deletion.
    wrapped_key: bytes = bytes_column()
    size_bytes: int = 0
    asked_at: datetime = time_column()
    ready_at: datetime | None = maybe_time_column()
    expires_at: datetime | None = maybe_time_column()
    # One process renders it at a time; a killed process loses its claim when the time runs out.
    claimed_until: datetime | None = maybe_time_column()
    tries: int = 0


class UsageExportFile(SQLModel, table=True):
    """The sealed file of an export, in a row of its own: reading the progress does not load it."""

    __tablename__ = "usage_export_file"

    usage_export_id: uuid.UUID = Field(primary_key=True, foreign_key="usage_export.usage_export_id", ondelete="CASCADE")
    sealed: bytes = bytes_column()
