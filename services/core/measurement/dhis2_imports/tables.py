"""Table of imports into DHIS2."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import datetime, id_column, json_column, maybe_time_column, time_column


class Dhis2Import(SQLModel, table=True):
    """An import of public numbers into DHIS2: first checked there, then stored there, a batch at a time.

    It stays with its summaries as long as its programme. None of it is about a family.
    """

    __tablename__ = "dhis2_import"
    __table_args__ = (
        # One at a time for a programme: two would count each other's values as updates.
        Index("dhis2_import_running", "programme_id", unique=True,
              postgresql_where=text("state IN ('waiting', 'running')")),
    )  # fmt: skip

    import_id: uuid.UUID = id_column()
    programme_id: uuid.UUID = Field(foreign_key="programme.programme_id", index=True, ondelete="CASCADE")
    # None: of the whole programme and its sites; else of a site and its cohorts.
    site_id: uuid.UUID | None = Field(default=None, foreign_key="site.site_id", ondelete="CASCADE", nullable=True)
    # None: the command line, or an account that was deleted.
    asked_by: uuid.UUID | None = Field(default=None, foreign_key="staff.staff_id", ondelete="SET NULL", nullable=True)
    # DHIS2's ids: data_elements by indicator, org_units by scope.
    mapping: dict[str, Any] = json_column(default_factory=dict)
    check_only: bool = True
    # The last week of it: a week that is published later changes no batch of this import.
    last_week: date | None = None
    # waiting, running, checked (nothing was to be stored), done, partly (DHIS2 ignored values), conflicts (nothing was
    # stored), failed
    state: str = Field(default="waiting", max_length=10)
    # check, import
    phase: str = Field(default="check", max_length=10)
    batches_done: int = 0
    percent: int = 0
    values: int = 0
    # Values that are not sent: suppressed ones, indicators and scopes without an id.
    left_out: dict[str, Any] = json_column(default_factory=dict)
    # rules.Summary of each phase; rules.Problem and the words of DHIS2 where there is one.
    checked: dict[str, Any] = json_column(default_factory=dict)
    imported: dict[str, Any] = json_column(default_factory=dict)
    problem: str | None = Field(default=None, max_length=20)
    message: str = Field(default="", max_length=200)
    asked_at: datetime = time_column()
    changed_at: datetime = time_column()
    ended_at: datetime | None = maybe_time_column()
    # One process sends at a time; a killed one loses its claim. While it waits for DHIS2: the time of the next try.
    claimed_until: datetime | None = maybe_time_column()
    # Since the last progress.
    tries: int = 0
