"""Tables of watches: the device, its identities at the broker, the settings it is sent."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlalchemy.orm import relationship
from sqlmodel import Field, Relationship, SQLModel

from services.core.platform.db.columns import (
    bytes_column,
    datetime,
    id_column,
    json_column,
    maybe_time_column,
    time_column,
)


class Watch(SQLModel, table=True):
    """A watch as a device, with its factory identity ``f-<serial>``."""

    __tablename__ = "watch"

    watch_id: uuid.UUID = id_column()
    serial: str = Field(unique=True, max_length=20)
    imei: str | None = Field(default=None, unique=True, max_length=15)
    model: str = Field(max_length=40)
    site_id: uuid.UUID = Field(foreign_key="site.site_id", index=True, ondelete="RESTRICT")
    # registered, handed_out, lost, returned, broken. It is paired when it has a standing identity.
    state: str = Field(default="registered", max_length=12)
    handed_out_to: uuid.UUID | None = Field(default=None, foreign_key="family.family_id", ondelete="SET NULL")
    # Hash of the factory secret in the broker's own format; only the watch stores the secret.
    factory_password_hash: str = Field(max_length=200)
    # Keyed hash of the same secret, unique: salted hashes would not reveal that two watches share a secret.
    factory_secret_mark: bytes | None = bytes_column(default=None, nullable=True, unique=True)
    iccid: str | None = Field(default=None, max_length=22)
    sim_holder: str | None = Field(default=None, max_length=40)
    sim_expires_on: date | None = None
    # The SIM's own number (E.164) and what its plan holds a month.
    sim_number: str | None = Field(default=None, max_length=16)
    sim_quota_mb: int | None = None
    registered_at: datetime = time_column()
    # Packets that the protocol forbids (retain flag, QoS 2, too large, malformed), each of which ended a connection.
    refused_packets: int = 0


class WatchGiven(SQLModel, table=True):
    """A watch was given to a family: by whom, when, and from which state, so that the last one can be undone."""

    __tablename__ = "watch_given"
    __table_args__ = (Index("given_by_actor", "actor_kind", "actor_id", "given_at"),)

    given_id: uuid.UUID = id_column()
    watch_id: uuid.UUID = Field(foreign_key="watch.watch_id", index=True, ondelete="CASCADE")
    family_id: uuid.UUID = Field(foreign_key="family.family_id", index=True, ondelete="CASCADE")
    actor_kind: str = Field(max_length=10)
    actor_id: str = Field(max_length=40)
    previous_state: str = Field(max_length=12)
    given_at: datetime = time_column()
    undone_at: datetime | None = maybe_time_column()


class SimMonth(SQLModel, table=True):
    """Usage of a watch's SIM in one month, as on the operator's bill."""

    __tablename__ = "sim_month"

    watch_id: uuid.UUID = Field(primary_key=True, foreign_key="watch.watch_id", ondelete="CASCADE")
    # Its first day.
    month: date = Field(primary_key=True)
    used_mb: int


class WatchPresence(SQLModel, table=True):
    """When a paired watch was last seen, its battery and its clock: one row for each identity.

    A table of its own, because almost every message changes it. ``watch_identity`` is wide and has five indexes; this
    row is narrow and has no index but its key, so that an update writes the row alone (HOT).
    """

    __tablename__ = "watch_presence"

    username: str = Field(primary_key=True, max_length=32, foreign_key="watch_identity.username", ondelete="CASCADE")
    # Read by presence.queries.last_seen_at; late by up to presence.rules.SEEN_RESOLUTION. Empty: no message yet.
    last_seen_at: datetime | None = maybe_time_column()
    # The last battery level of any message, and the one an hour or more before it: a trend.
    battery_pct: int | None = None
    battery_at: datetime | None = maybe_time_column()
    battery_before_pct: int | None = None
    battery_before_at: datetime | None = maybe_time_column()
    # The watch's clock minus ours at the last hello, seconds; empty while the watch does not know the time.
    clock_skew_s: int | None = None
    # Since when the watch has been on its way to the child: since its pairing. Empty: it arrived, or was paired before
    # the backend kept this. Read by presence.queries.journey.
    on_its_way_since_at: datetime | None = maybe_time_column()
    # While it is on its way: its last message before a long silence, and the seconds worn that were reported since.
    silent_on_the_way_since_at: datetime | None = maybe_time_column()
    worn_on_arrival_s: int | None = None


class WatchIdentity(SQLModel, table=True):
    """The identity that one pairing issued: MQTT user, client id and prefix; and the state of its connection."""

    __tablename__ = "watch_identity"
    __table_args__ = (
        # One watch per child and one child per watch at a time.
        Index("identity_of_watch", "watch_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("identity_of_child", "child_id", unique=True, postgresql_where=text("ended_at IS NULL")),
    )

    username: str = Field(primary_key=True, max_length=32)
    watch_id: uuid.UUID = Field(foreign_key="watch.watch_id", ondelete="CASCADE")
    child_id: uuid.UUID = Field(foreign_key="child.child_id", ondelete="CASCADE")
    family_id: uuid.UUID = Field(foreign_key="family.family_id", index=True, ondelete="CASCADE")
    password_hash: str = Field(max_length=200)
    issued_at: datetime = time_column()
    # When the broker had installed it; credentials are sent only then, so that the first log-in succeeds.
    installed_at: datetime | None = maybe_time_column()
    ended_at: datetime | None = maybe_time_column()

    # Presence: follows from hello, will, silence and asleep.
    online: bool = False
    connection_nonce: str = Field(default="", max_length=36)
    last_hello_at: datetime | None = maybe_time_column()
    asleep_until_at: datetime | None = maybe_time_column()
    # Why it is not online: will, off (it was switched off), kicked (by the broker), closed (its connection ended),
    # silence; empty while it is.
    gone_by: str = Field(default="", max_length=10)
    # Since when it has been online, asleep or offline.
    presence_since_at: datetime | None = maybe_time_column()
    # Its hello promised a message at least this often.
    keepalive_s: int = 1200
    # Boot count at the first hello: an undated record of an earlier boot may belong to the previous child.
    first_boot: int | None = Field(default=None, sa_type=BigInteger)
    # Fixes under this pairing with an impossible date: a broken clock, or a GPS module that missed a week rollover.
    misdated_fixes: int = 0
    # Content of the last hello: firmware, battery_pct, plays, chunk_bytes, max_payload_bytes ...
    hello: dict[str, Any] = json_column(default_factory=dict)

    # Versions on the watch by its acknowledgement or hello, and the versions sent and not yet acknowledged.
    contacts_acked_version: int = 0
    contacts_sent_version: int = 0
    contacts_sent_at: datetime | None = maybe_time_column()
    config_acked_version: int = 0
    config_sent_version: int = 0
    config_sent_at: datetime | None = maybe_time_column()
    # Number of repeated announcements, which decides the wait before the next one; see inbox.rules.
    repeats: int = 0

    # Nearly every message changes it. It is never loaded implicitly: queries.WITH_PRESENCE joins it.
    presence: WatchPresence = Relationship(
        sa_relationship=relationship(
            WatchPresence, uselist=False, lazy="raise_on_sql", cascade="save-update, merge, expunge",
            passive_deletes="all",
        )
    )  # fmt: skip


class WatchSettings(SQLModel, table=True):
    """The settings of a child's watch, with their version."""

    __tablename__ = "watch_settings"

    child_id: uuid.UUID = Field(primary_key=True, foreign_key="child.child_id", ondelete="CASCADE")
    version: int = 1
    checkin_interval_s: int = 1800
    location: bool = False
    quiet: list[Any] = json_column(default_factory=list)
    timezone: str = Field(max_length=40)
    language: str = Field(max_length=12)
    volume_pct: int = 70
    # UTC offset of the time zone in this version; None: never sent. A new offset makes a new version.
    utc_offset_s: int | None = None
    changed_at: datetime = time_column()


class WatchCommand(SQLModel, table=True):
    """A command of a guardian to the child's watch, carried out once and never late."""

    __tablename__ = "watch_command"
    __table_args__ = (
        UniqueConstraint("username", "ref"),
        Index("command_of_child", "child_id", "asked_at"),
        Index("command_open", "expires_at", postgresql_where=text("state IN ('waiting', 'sent', 'delivered')")),
    )

    command_id: uuid.UUID = id_column()
    child_id: uuid.UUID = Field(foreign_key="child.child_id", ondelete="CASCADE")
    family_id: uuid.UUID = Field(foreign_key="family.family_id", index=True, ondelete="CASCADE")
    username: str = Field(max_length=32, foreign_key="watch_identity.username", ondelete="CASCADE")
    # The command's id in the watch protocol.
    ref: str = Field(max_length=36)
    # See command_rules.CommandKind.
    kind: str = Field(max_length=10)
    # The guardian (empty: the account was deleted) and the guardian's contact id, which the watch shows to the child.
    asked_by: uuid.UUID | None = Field(default=None, foreign_key="guardian.guardian_id", ondelete="SET NULL")
    by_wire_id: str | None = Field(default=None, max_length=12)
    # waiting, sent, delivered, done, failed, expired; see command_rules.
    state: str = Field(default="waiting", max_length=10)
    detail: str | None = Field(default=None, max_length=32)
    ttl_s: int
    asked_at: datetime = time_column()
    expires_at: datetime = time_column()
    sent_at: datetime | None = maybe_time_column()
    changed_at: datetime = time_column()


class LowBattery(SQLModel, table=True):
    """Since when the battery of a paired watch has been low; the row is deleted once it is charged."""

    __tablename__ = "low_battery"

    username: str = Field(primary_key=True, max_length=32, foreign_key="watch_identity.username", ondelete="CASCADE")
    since_at: datetime = time_column()
