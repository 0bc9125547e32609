"""Tables of the audit log: its entries, and the end of each chain of them."""

from __future__ import annotations

import uuid

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import bigint_column, bytes_column, datetime, id_column, time_column


class AuditEntry(SQLModel, table=True):
    """One entry: who did or was refused what, and when; random ids only. A trigger rejects changes and deletions."""

    __tablename__ = "audit"
    __table_args__ = (UniqueConstraint("chain_id", "seq"),)

    audit_id: uuid.UUID = id_column()
    # The family's id, or one of the few chains of entries without a family; see rules.chain_of.
    chain_id: uuid.UUID
    # From 1 without gaps, under the chain's row lock.
    seq: int = bigint_column()
    at: datetime = time_column(index=True)
    # guardian, staff, watch, operator (the command line), system, stranger (whoever has not logged in)
    actor_kind: str = Field(max_length=10)
    actor_id: str = Field(default="", max_length=40)
    action: str = Field(max_length=40)
    # done or refused
    outcome: str = Field(default="done", max_length=10)
    # The error's code where it was refused.
    reason: str = Field(default="", max_length=40)
    # No foreign keys: the log outlives the rows it names.
    family_id: uuid.UUID | None = Field(default=None, index=True)
    subject_id: str = Field(default="", max_length=40)
    # SHA-256 of the entry before (of the chain's own id for the first) and this one's canonical form.
    hash: bytes = bytes_column()
    # Of a refusal: the route that was asked, without ids; and how many alike this entry stands for.
    asked: str = Field(default="", max_length=120, sa_column_kwargs={"server_default": ""})
    times: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class AuditChain(SQLModel, table=True):
    """How long a chain is and how it ends; its row lock orders the entries."""

    __tablename__ = "audit_chain"

    chain_id: uuid.UUID = Field(primary_key=True)
    length: int = bigint_column(default=0)
    head: bytes = bytes_column()
