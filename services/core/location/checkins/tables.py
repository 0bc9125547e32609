"""Tables of places: check-ins, the latest place of each child, safe zones and their passages, SOS places.

Coordinates are sealed with the child's own key; plain columns hold time and accuracy, never a position.
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
    """A stored fix. Partitioned by the watch's raw time, so every unique key includes that column.

    Written and deleted by statements (checkins.store, checkins.partitions), never as an object.
    """

    __tablename__ = "checkin"
    __table_args__ = (
        Index("checkin_of_child", "child_id", "happened_at"),
        # BRIN: rows arrive roughly in order of time, so a tiny index finds the old ones.
        Index("checkin_by_time", "happened_at", postgresql_using="brin"),
        {"postgresql_partition_by": "RANGE (tst)"},
    )

    username: str = Field(primary_key=True, max_length=32)
    # The watch's id. Without one: empty (the time identifies the fix), or a digest of the content if there is no time.
    ref: str = Field(primary_key=True, max_length=36)
    # Unix seconds as sent by the watch; 0: unknown.
    tst: int = Field(primary_key=True, sa_type=BigInteger)
    child_id: uuid.UUID = Field(foreign_key="child.child_id", ondelete="CASCADE")
    happened_at: datetime = time_column()
    received_at: datetime = time_column()
    # Keyed digest of the content: an unkeyed digest could be matched against every address in town.
    content_mark: bytes = bytes_column()
    quality: str = Field(max_length=4)
    # Reasons, separated by spaces.
    reasons: str = Field(max_length=160)
    accuracy_m: float | None = None
    source: str | None = Field(default=None, max_length=32)
    sealed_place: bytes = bytes_column()


class LatestCheckin(SQLModel, table=True):
    """The newest good fix of a child, and the suspect fix that was too far away; one row per child."""

    __tablename__ = "latest_checkin"

    child_id: uuid.UUID = Field(primary_key=True, foreign_key="child.child_id", ondelete="CASCADE")
    happened_at: datetime = time_column(index=True)
    received_at: datetime = time_column()
    accuracy_m: float
    source: str | None = Field(default=None, max_length=32)
    sealed_place: bytes = bytes_column()
    # When its network answer last counted as evidence; copies from a cache do not count.
    witnessed_at: datetime | None = maybe_time_column()
    suspect_at: datetime | None = maybe_time_column()
    suspect_accuracy_m: float | None = None
    suspect_source: str | None = Field(default=None, max_length=32)
    sealed_suspect: bytes | None = bytes_column(default=None, nullable=True)


class SafeZone(SQLModel, table=True):
    """A safe zone named by a family, and the child's position relative to it."""

    __tablename__ = "safe_zone"

    zone_id: uuid.UUID = id_column()
    child_id: uuid.UUID = Field(foreign_key="child.child_id", index=True, ondelete="CASCADE")
    # Name and shape, sealed with the child's key.
    sealed_body: bytes = bytes_column()
    # [{"days": [1, 2], "from": "08:00", "to": "16:30"}]; empty: alarms at all hours.
    hours: list[Any] = json_column(default_factory=list)
    # unknown, inside, outside
    stand: str = Field(default="unknown", max_length=8)
    outside_fixes: int = 0
    since_at: datetime | None = maybe_time_column()
    created_by: uuid.UUID | None = Field(default=None, foreign_key="guardian.guardian_id", ondelete="SET NULL")
    created_at: datetime = time_column()
    changed_at: datetime = time_column()


class SosPlace(SQLModel, table=True):
    """The watch's position at an SOS of the child; deleted with its alert."""

    __tablename__ = "sos_place"

    alert_id: uuid.UUID = Field(primary_key=True, foreign_key="alert.alert_id", ondelete="CASCADE")
    child_id: uuid.UUID = Field(foreign_key="child.child_id", index=True, ondelete="CASCADE")
    # By the watch's clock if it was set, and by the server's.
    happened_at: datetime | None = maybe_time_column()
    received_at: datetime = time_column()
    accuracy_m: float | None = None
    source: str | None = Field(default=None, max_length=32)
    sealed_place: bytes = bytes_column()


class ZonePassage(SQLModel, table=True):
    """A child entered or left a zone; kept as long as the fixes that caused it."""

    __tablename__ = "zone_passage"
    __table_args__ = (Index("zone_passage_of_child", "child_id", "happened_at"),)

    passage_id: uuid.UUID = id_column()
    zone_id: uuid.UUID = Field(foreign_key="safe_zone.zone_id", index=True, ondelete="CASCADE")
    child_id: uuid.UUID = Field(foreign_key="child.child_id", ondelete="CASCADE")
    # entered, left
    kind: str = Field(max_length=8)
    happened_at: datetime = time_column(index=True)
    received_at: datetime = time_column()
    # Whether guardians were alarmed: within the zone's hours, and soon enough after the passage.
    alarmed: bool = False
