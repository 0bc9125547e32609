"""Tables of places: check-ins, the latest of each child, safe zones and what happened at their edges, SOS places.

Where anybody was is sealed with the child's own key; what stands in plain says when and how well, never where.
"""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import (
    bytes_column,
    datetime,
    id_column,
    json_column,
    maybe_time_column,
    time_column,
)


class Checkin(SQLModel, table=True):
    """A fix that was stored. Partitioned by the watch's raw time: a unique key must hold what it is cut by.

    Written and pruned by statements (checkins.store, checkins.partitions), never as an object.
    """

    __tablename__ = "checkin"
    __table_args__ = (
        Index("checkin_of_child", "child_id", "happened_at"),
        # Rows come roughly in order of time: a few bytes a megabyte find the old ones.
        Index("checkin_by_time", "happened_at", postgresql_using="brin"),
        {"postgresql_partition_by": "RANGE (tst)"},
    )

    username: str = Field(primary_key=True, max_length=32)
    # The watch's id; what has none is named by its instant: empty, or by its content where it has no time either.
    ref: str = Field(primary_key=True, max_length=36)
    # Unix seconds as the watch said them, 0: it did not know.
    tst: int = Field(primary_key=True, sa_type=BigInteger)
    child_id: uuid.UUID = Field(foreign_key="child.child_id", ondelete="CASCADE")
    happened_at: datetime = time_column()
    received_at: datetime = time_column()
    # Digest of what was sent, under the child's key: a plain one could be tried against every place in town.
    content_mark: bytes = bytes_column()
    quality: str = Field(max_length=4)
    # Words with spaces between.
    reasons: str = Field(max_length=160)
    accuracy_m: float | None = None
    source: str | None = Field(default=None, max_length=32)
    sealed_place: bytes = bytes_column()


class LatestCheckin(SQLModel, table=True):
    """The newest good fix of a child, and one that was too far away to be believed: a row per child."""

    __tablename__ = "latest_checkin"

    child_id: uuid.UUID = Field(primary_key=True, foreign_key="child.child_id", ondelete="CASCADE")
    happened_at: datetime = time_column(index=True)
    received_at: datetime = time_column()
    accuracy_m: float
    source: str | None = Field(default=None, max_length=32)
    sealed_place: bytes = bytes_column()
    # When the answer behind it last counted as a witness: copies from a cache do not.
    witnessed_at: datetime | None = maybe_time_column()
    suspect_at: datetime | None = maybe_time_column()
    suspect_accuracy_m: float | None = None
    suspect_source: str | None = Field(default=None, max_length=32)
    sealed_suspect: bytes | None = bytes_column(default=None, nullable=True)


class SafeZone(SQLModel, table=True):
    """A place a family gave a name, and where the child is as seen from it."""

    __tablename__ = "safe_zone"

    zone_id: uuid.UUID = id_column()
    child_id: uuid.UUID = Field(foreign_key="child.child_id", index=True, ondelete="CASCADE")
    # Name and shape, sealed with the child's key.
    sealed_body: bytes = bytes_column()
    # [{"days": [1, 2], "from": "08:00", "to": "16:30"}]; none: its edge is watched always.
    hours: list[Any] = json_column(default_factory=list)
    # unknown, inside, outside
    stand: str = Field(default="unknown", max_length=8)
    outside_fixes: int = 0
    since_at: datetime | None = maybe_time_column()
    created_by: uuid.UUID | None = Field(default=None, foreign_key="guardian.guardian_id", ondelete="SET NULL")
    created_at: datetime = time_column()
    changed_at: datetime = time_column()


class SosPlace(SQLModel, table=True):
    """Where the watch was when the child called with an SOS; it goes with its alert."""

    __tablename__ = "sos_place"

    alert_id: uuid.UUID = Field(primary_key=True, foreign_key="alert.alert_id", ondelete="CASCADE")
    child_id: uuid.UUID = Field(foreign_key="child.child_id", index=True, ondelete="CASCADE")
    # By the watch's own time, if it knew it, and by ours.
    happened_at: datetime | None = maybe_time_column()
    received_at: datetime = time_column()
    accuracy_m: float | None = None
    source: str | None = Field(default=None, max_length=32)
    sealed_place: bytes = bytes_column()


class ZonePassage(SQLModel, table=True):
    """A child entered or left a zone; kept as long as the fixes that showed it."""

    __tablename__ = "zone_passage"
    __table_args__ = (Index("zone_passage_of_child", "child_id", "happened_at"),)

    passage_id: uuid.UUID = id_column()
    zone_id: uuid.UUID = Field(foreign_key="safe_zone.zone_id", index=True, ondelete="CASCADE")
    child_id: uuid.UUID = Field(foreign_key="child.child_id", ondelete="CASCADE")
    # entered, left
    kind: str = Field(max_length=8)
    happened_at: datetime = time_column(index=True)
    received_at: datetime = time_column()
    # Whether guardians were told of it as an alarm: within the zone's hours, and just now.
    alarmed: bool = False
