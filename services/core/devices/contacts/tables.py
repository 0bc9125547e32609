"""Tables of the contact list."""

from __future__ import annotations

import uuid

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import datetime, id_column, maybe_time_column, time_column


class ContactList(SQLModel, table=True):
    """The version of a child's contact list; its row lock orders changes."""

    __tablename__ = "contact_list"

    child_id: uuid.UUID = Field(primary_key=True, foreign_key="child.child_id", ondelete="CASCADE")
    version: int = 1
    # Last number used in a contact id; numbers are never reused, so that an old watch cannot reach a new person.
    last_number: int = 0
    changed_at: datetime = time_column()


class Contact(SQLModel, table=True):
    """One contact: a guardian of the family, or a phone number that the child can call."""

    __tablename__ = "contact"
    __table_args__ = (
        UniqueConstraint("child_id", "wire_id"),
        Index("contact_of_guardian", "child_id", "guardian_id", unique=True,
              postgresql_where=text("removed_at IS NULL AND guardian_id IS NOT NULL")),
    )  # fmt: skip

    contact_id: uuid.UUID = id_column()
    child_id: uuid.UUID = Field(foreign_key="child.child_id", index=True, ondelete="CASCADE")
    # Contact id in the watch protocol: g-1 (a guardian), c-2 (a phone).
    wire_id: str = Field(max_length=12)
    guardian_id: uuid.UUID | None = Field(default=None, foreign_key="guardian.guardian_id", ondelete="CASCADE")
    name: str = Field(max_length=40)
    relation: str = Field(max_length=20)
    number: str | None = Field(default=None, max_length=16)
    may_message: bool = False
    may_call: bool = False
    position: int = 0
    emergency: bool = False
    # proposed until a managing guardian approves it; only approved contacts are sent to the watch.
    state: str = Field(default="proposed", max_length=10)
    proposed_by: uuid.UUID | None = Field(default=None, foreign_key="guardian.guardian_id", ondelete="SET NULL")
    approved_by: uuid.UUID | None = Field(default=None, foreign_key="guardian.guardian_id", ondelete="SET NULL")
    created_at: datetime = time_column()
    removed_at: datetime | None = maybe_time_column()


class ContactAgreement(SQLModel, table=True):
    """The agreement of a phone contact, who lives with the child, to get text messages about calls for help.

    Append-only except for its end. A guardian who manages the family recorded it, with the proof of a consent.
    """

    __tablename__ = "contact_agreement"
    __table_args__ = (
        Index("contact_agreement_standing", "contact_id", unique=True, postgresql_where=text("ended_at IS NULL")),
    )

    agreement_id: uuid.UUID = id_column()
    contact_id: uuid.UUID = Field(foreign_key="contact.contact_id", ondelete="CASCADE")
    child_id: uuid.UUID = Field(foreign_key="child.child_id", index=True, ondelete="CASCADE")
    recorded_by: uuid.UUID | None = Field(default=None, foreign_key="guardian.guardian_id", ondelete="SET NULL")
    # spoken or paper
    how: str = Field(max_length=10)
    witness: str | None = Field(default=None, max_length=40)
    form_number: str | None = Field(default=None, max_length=40)
    given_at: datetime = time_column()
    ended_at: datetime | None = maybe_time_column()
