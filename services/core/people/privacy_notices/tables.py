"""Table of privacy notices: what each site stated, one row a version; rows are only added."""

from __future__ import annotations

import uuid
from typing import Any

from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import datetime, json_column, time_column


class PrivacyNotice(SQLModel, table=True):
    """One version of a site's privacy notice; a field that was not yet filled in is empty."""

    __tablename__ = "privacy_notice"

    site_id: uuid.UUID = Field(primary_key=True, foreign_key="site.site_id", ondelete="CASCADE")
    version: int = Field(primary_key=True)
    controller_name: str = Field(default="", max_length=120)
    controller_address: str = Field(default="", max_length=240)
    controller_contact: str = Field(default="", max_length=120)
    authority_name: str = Field(default="", max_length=120)
    authority_contact: str = Field(default="", max_length=120)
    # The person in charge of children's data.
    officer_name: str = Field(default="", max_length=120)
    officer_contact: str = Field(default="", max_length=120)
    # [{"name", "country" (ISO 3166-1), "purpose"}]
    processors: list[Any] = json_column(default_factory=list)
    # Number of the filing with the authority; sites in China only.
    filing_number: str = Field(default="", max_length=60)
    made_at: datetime = time_column()
