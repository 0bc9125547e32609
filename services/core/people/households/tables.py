"""Tables of families: the family, its children, its guardians' rights, invitations, enrolment."""

from __future__ import annotations

import uuid
from datetime import date

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import (
    bigint_column,
    bytes_column,
    datetime,
    id_column,
    maybe_time_column,
    time_column,
)


class Family(SQLModel, table=True):
    """A family; its row lock orders the family's events."""

    __tablename__ = "family"

    family_id: uuid.UUID = id_column()
    # The code printed on the hand-out list; never a name.
    family_code: str = Field(unique=True, max_length=20)
    # Last event number assigned; see events.actions.
    event_seq: int = bigint_column(default=0)
    created_at: datetime = time_column()
    # Erasure has begun: the family has no members, and its rows are about to be deleted.
    erased_at: datetime | None = maybe_time_column()


class Child(SQLModel, table=True):
    """A child; its row lock orders the child's conversation and inbox."""

    __tablename__ = "child"

    child_id: uuid.UUID = id_column()
    family_id: uuid.UUID = Field(foreign_key="family.family_id", index=True, ondelete="CASCADE")
    name: str = Field(max_length=40)
    birth_year: int | None = None
    # Replaces the year where the child's own consent will be required; sealed with the child's key.
    sealed_birth_date: bytes | None = bytes_column(default=None, nullable=True)
    # AES-256 data key of the child's content, wrapped by the master key; destroying it erases the content.
    wrapped_key: bytes = bytes_column()
    # Last numbers assigned, always under this row's lock, so that a later number never commits first.
    message_seq: int = bigint_column(default=0)
    inbox_seq: int = bigint_column(default=0)
    created_at: datetime = time_column()
    # Erasure has begun: the key is destroyed, the rows are about to be deleted, and queries exclude the child.
    erased_at: datetime | None = maybe_time_column()


class Membership(SQLModel, table=True):
    """A guardian's membership in a family, with rights."""

    __tablename__ = "membership"
    __table_args__ = (
        Index("membership_standing", "family_id", "guardian_id", unique=True,
              postgresql_where=text("removed_at IS NULL")),
        # At most one primary guardian at a time.
        Index("membership_primary", "family_id", unique=True,
              postgresql_where=text("removed_at IS NULL AND is_primary")),
    )  # fmt: skip

    membership_id: uuid.UUID = id_column()
    family_id: uuid.UUID = Field(foreign_key="family.family_id", ondelete="CASCADE")
    guardian_id: uuid.UUID = Field(foreign_key="guardian.guardian_id", index=True, ondelete="CASCADE")
    relation: str = Field(max_length=20)
    is_primary: bool = False
    may_message: bool = True
    may_locate: bool = False
    may_manage: bool = False
    # While the first guardian contests a right of this guardian, may_locate has no effect.
    locate_paused: bool = False
    # The guardian's number is hidden from other guardians and left out of every watch's list.
    number_hidden: bool = False
    joined_at: datetime = time_column()
    removed_at: datetime | None = maybe_time_column()


class Invitation(SQLModel, table=True):
    """A guardian's invitation of another phone to the family."""

    __tablename__ = "invitation"
    __table_args__ = (
        Index("invitation_standing", "family_id", "phone", unique=True,
              postgresql_where=text("ended_at IS NULL")),
    )  # fmt: skip

    invitation_id: uuid.UUID = id_column()
    family_id: uuid.UUID = Field(foreign_key="family.family_id", ondelete="CASCADE")
    phone: str = Field(max_length=16, index=True)
    display_name: str = Field(default="", max_length=40)
    relation: str = Field(max_length=20)
    may_message: bool = True
    may_locate: bool = False
    may_manage: bool = False
    invited_by: uuid.UUID = Field(foreign_key="guardian.guardian_id", ondelete="CASCADE")
    created_at: datetime = time_column()
    expires_at: datetime = time_column()
    # Accepted, declined, revoked or expired; end_reason says which.
    ended_at: datetime | None = maybe_time_column()
    end_reason: str | None = Field(default=None, max_length=12)


class Enrolment(SQLModel, table=True):
    """A family's participation at a site; before consent, this row is the only data stored about it."""

    __tablename__ = "enrolment"
    __table_args__ = (
        Index("enrolment_standing", "family_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("enrolment_of_family", "family_id", "enrolled_at"),
        Index("enrolment_phone", "guardian_phone"),
    )

    enrolment_id: uuid.UUID = id_column()
    family_id: uuid.UUID = Field(foreign_key="family.family_id", ondelete="CASCADE")
    site_id: uuid.UUID = Field(foreign_key="site.site_id", ondelete="CASCADE")
    cohort_id: uuid.UUID = Field(foreign_key="cohort.cohort_id", ondelete="CASCADE")
    # The holder of this phone becomes the primary guardian at the first log-in.
    guardian_phone: str = Field(max_length=16)
    # Number of the signed paper form, if the office recorded it; compared when the account is to change.
    form_number: str | None = Field(default=None, max_length=40)
    enrolled_at: datetime = time_column()
    ended_at: datetime | None = maybe_time_column()
    # One of rules.END_REASONS.
    end_reason: str | None = Field(default=None, max_length=20)


class TrainingAttended(SQLModel, table=True):
    """A training attended by a guardian of an enrolled family."""

    __tablename__ = "training_attended"

    enrolment_id: uuid.UUID = Field(primary_key=True, foreign_key="enrolment.enrolment_id", ondelete="CASCADE")
    # One of rules.TRAININGS.
    training: str = Field(primary_key=True, max_length=30)
    attended_on: date
    noted_at: datetime = time_column()


class FamilyEnding(SQLModel, table=True):
    """The notification of a family about its programme's end; the erasure is due 30 days later at the earliest."""

    __tablename__ = "family_ending"

    family_id: uuid.UUID = Field(primary_key=True, foreign_key="family.family_id", ondelete="CASCADE")
    told_at: datetime = time_column(index=True)
    # The last reminder before the last day: 30, 7 or 1 days; empty: none yet.
    reminded_days: int | None = None


class Notice(SQLModel, table=True):
    """A notice of the office to a cohort or to one family; the app shows it without a reply function."""

    __tablename__ = "notice"
    __table_args__ = (
        CheckConstraint("(cohort_id IS NULL) <> (family_id IS NULL)", name="notice_one_of"),
        Index("notice_of_cohort", "cohort_id", "created_at"),
        Index("notice_of_family", "family_id", "created_at"),
    )

    notice_id: uuid.UUID = id_column()
    cohort_id: uuid.UUID | None = Field(default=None, foreign_key="cohort.cohort_id", ondelete="CASCADE")
    family_id: uuid.UUID | None = Field(default=None, foreign_key="family.family_id", ondelete="CASCADE")
    # news (with a text written by the office), get_in_touch (without text)
    kind: str = Field(max_length=16)
    text: str = Field(default="", max_length=500)
    created_at: datetime = time_column()


class HelpRequest(SQLModel, table=True):
    """A guardian's help request: its kind and the child, nothing else."""

    __tablename__ = "help_request"
    __table_args__ = (
        # A repeated request finds the open one.
        Index("help_open", "child_id", "kind", unique=True, postgresql_where=text("done_at IS NULL")),
    )

    help_id: uuid.UUID = id_column()
    family_id: uuid.UUID = Field(foreign_key="family.family_id", index=True, ondelete="CASCADE")
    child_id: uuid.UUID = Field(foreign_key="child.child_id", ondelete="CASCADE")
    # broken, lost, worried
    kind: str = Field(max_length=10)
    asked_at: datetime = time_column()
    done_at: datetime | None = maybe_time_column()


class Recovery(SQLModel, table=True):
    """A new number or a new primary guardian: approved by two staff members, carried out after two days."""

    __tablename__ = "recovery"
    __table_args__ = (
        # At most one open recovery for a family.
        Index("recovery_standing", "family_id", unique=True, postgresql_where=text("state IN ('asked', 'waiting')")),
        Index("recovery_due", "due_at", postgresql_where=text("state = 'waiting'")),
    )

    recovery_id: uuid.UUID = id_column()
    family_id: uuid.UUID = Field(foreign_key="family.family_id", ondelete="CASCADE")
    site_id: uuid.UUID = Field(foreign_key="site.site_id", index=True, ondelete="CASCADE")
    # phone: the guardian gets a new number. primary: the holder of the new number becomes the primary guardian.
    kind: str = Field(max_length=10)
    guardian_id: uuid.UUID = Field(foreign_key="guardian.guardian_id", ondelete="CASCADE")
    # Emptied at the end: an unused number is personal data without a purpose.
    new_phone: str = Field(max_length=16)
    # The document that both staff members saw (paper.Document), and a keyed hash of its number: the second one must
    # enter the number independently, and a passport number must not be stored. Empty after the end.
    document: str = Field(max_length=20)
    number_hash: bytes = bytes_column()
    # asked, waiting (approved by two), contested, withdrawn, done, failed
    state: str = Field(default="asked", max_length=10)
    asked_by: uuid.UUID = Field(foreign_key="staff.staff_id")
    asked_at: datetime = time_column()
    approved_by: uuid.UUID | None = Field(default=None, foreign_key="staff.staff_id")
    due_at: datetime | None = maybe_time_column()
    ended_at: datetime | None = maybe_time_column()


class HandOut(SQLModel, table=True):
    """An hour or two in which a site's families receive their watches, with its own code budget and slips."""

    __tablename__ = "hand_out"

    hand_out_id: uuid.UUID = id_column()
    site_id: uuid.UUID = Field(foreign_key="site.site_id", index=True, ondelete="CASCADE")
    opened_by: uuid.UUID = Field(foreign_key="staff.staff_id")
    # Hash of the code on the wall, which authorises code requests from the hand-out's budget.
    code_hash: bytes = bytes_column(unique=True)
    families: int
    codes_left: int
    opened_at: datetime = time_column()
    closes_at: datetime = time_column()


class LogInSlip(SQLModel, table=True):
    """A printed code that logs in one family's guardian while the hand-out is open; only a keyed hash is stored."""

    __tablename__ = "log_in_slip"
    __table_args__ = (UniqueConstraint("hand_out_id", "family_id"),)

    slip_id: uuid.UUID = id_column()
    hand_out_id: uuid.UUID = Field(foreign_key="hand_out.hand_out_id", ondelete="CASCADE")
    family_id: uuid.UUID = Field(foreign_key="family.family_id", index=True, ondelete="CASCADE")
    code_hash: bytes = bytes_column(unique=True)
    printed_at: datetime = time_column()
    used_at: datetime | None = maybe_time_column()


class BreakGlass(SQLModel, table=True):
    """Access to a guardian's name and number for a child's safety: two staff members, one hour, notified guardian."""

    __tablename__ = "break_glass"
    __table_args__ = (Index("break_glass_to_tell", "tell_at", postgresql_where=text("told_at IS NULL")),)

    break_glass_id: uuid.UUID = id_column()
    family_id: uuid.UUID = Field(foreign_key="family.family_id", index=True, ondelete="CASCADE")
    site_id: uuid.UUID = Field(foreign_key="site.site_id", index=True, ondelete="CASCADE")
    reason: str = Field(max_length=500)
    # 0: the guardian is notified at once. A delay needs a second approval.
    tell_after_days: int = 0
    asked_by: uuid.UUID = Field(foreign_key="staff.staff_id")
    asked_at: datetime = time_column()
    approved_by: uuid.UUID | None = Field(default=None, foreign_key="staff.staff_id")
    delay_approved_by: uuid.UUID | None = Field(default=None, foreign_key="staff.staff_id")
    opened_at: datetime | None = maybe_time_column()
    closes_at: datetime | None = maybe_time_column()
    tell_at: datetime | None = maybe_time_column()
    told_at: datetime | None = maybe_time_column()
