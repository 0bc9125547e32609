"""Table of presence: what a paired watch's messages keep changing."""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import datetime, maybe_time_column


class WatchPresence(SQLModel, table=True):
    """When a paired watch was last seen, its battery and its clock: one row for each identity.

    A table of its own, because almost every message changes it. ``watch_identity`` is wide and has five indexes; this
    row is narrow and has no index but its key, so that an update writes the row alone (HOT).
    """

    __tablename__ = "watch_presence"

    username: str = Field(primary_key=True, max_length=32, foreign_key="watch_identity.username", ondelete="CASCADE")
    # Read it with queries.last_seen_at; it lags by up to rules.SEEN_RESOLUTION. Empty before the first message.
    last_seen_at: datetime | None = maybe_time_column()
    # The last battery level of any message, and the one an hour or more before it: a trend.
    battery_pct: int | None = None
    battery_at: datetime | None = maybe_time_column()
    battery_before_pct: int | None = None
    battery_before_at: datetime | None = maybe_time_column()
    # The watch's clock minus ours at the last hello, seconds; empty while the watch does not know the time.
    clock_skew_s: int | None = None
