"""Table of questions that a guardian put off."""

from __future__ import annotations

import uuid

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import datetime, id_column, time_column


class QuestionPutOff(SQLModel, table=True):
    """A guardian answered "not now" to a question; the latest such answer."""

    __tablename__ = "question_put_off"
    __table_args__ = (
        UniqueConstraint("guardian_id", "family_id", "subject", "child_id", postgresql_nulls_not_distinct=True),
    )

    put_off_id: uuid.UUID = id_column()
    guardian_id: uuid.UUID = Field(foreign_key="guardian.guardian_id", ondelete="CASCADE")
    family_id: uuid.UUID = Field(foreign_key="family.family_id", index=True, ondelete="CASCADE")
    # See rules.Subject.
    subject: str = Field(max_length=20)
    # Only where the question is about one child.
    child_id: uuid.UUID | None = Field(default=None, foreign_key="child.child_id", ondelete="CASCADE")
    put_off_at: datetime = time_column()
