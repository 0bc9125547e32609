"""Tables of consents and agreements, append-only except for the time of withdrawal."""

from __future__ import annotations

import uuid

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import datetime, id_column, maybe_time_column, time_column


class Consent(SQLModel, table=True):
    """A guardian's consent to one version of one part."""

    __tablename__ = "consent"
    __table_args__ = (
        # At most one standing consent for each part, so that a repeated request finds the first one.
        Index(
            "consent_standing", "guardian_id", "family_id", "part", unique=True,
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )  # fmt: skip

    consent_id: uuid.UUID = id_column()
    guardian_id: uuid.UUID = Field(foreign_key="guardian.guardian_id", ondelete="CASCADE")
    family_id: uuid.UUID = Field(foreign_key="family.family_id", index=True, ondelete="CASCADE")
    part: str = Field(max_length=20)
    text_version: str = Field(max_length=20)
    locale: str = Field(max_length=12)
    # Version of the privacy notice in force; empty for consents from before it, and of families that left their site.
    notice_version: str | None = Field(default=None, max_length=20)
    how: str = Field(max_length=10)
    # The proof of a consent given outside the app.
    witness: str | None = Field(default=None, max_length=40)
    form_number: str | None = Field(default=None, max_length=40)
    given_at: datetime = time_column()
    withdrawn_at: datetime | None = maybe_time_column()


class ChildAgreement(SQLModel, table=True):
    """A child's own word, required from a legal age on, recorded by a guardian; a refusal is withdrawn at once."""

    __tablename__ = "child_agreement"
    __table_args__ = (
        Index("child_agreement_standing", "child_id", unique=True, postgresql_where=text("withdrawn_at IS NULL")),
    )

    agreement_id: uuid.UUID = id_column()
    child_id: uuid.UUID = Field(foreign_key="child.child_id", ondelete="CASCADE")
    family_id: uuid.UUID = Field(foreign_key="family.family_id", index=True, ondelete="CASCADE")
    # False: the child said no.
    agreed: bool = Field(default=True, sa_column_kwargs={"server_default": text("true")})
    # Version of the text for children; empty: no text was shown, or it was from before the text.
    text_version: str | None = Field(default=None, max_length=20)
    recorded_by: uuid.UUID | None = Field(default=None, foreign_key="guardian.guardian_id", ondelete="SET NULL")
    how: str = Field(max_length=10)
    witness: str | None = Field(default=None, max_length=40)
    form_number: str | None = Field(default=None, max_length=40)
    given_at: datetime = time_column()
    withdrawn_at: datetime | None = maybe_time_column()
