"""Tables of the audit log: entries, and the length and last hash of each chain."""

from __future__ import annotations

import uuid

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from services.core.platform.db.columns import bigint_column, bytes_column, datetime, id_column, time_column


class AuditEntry(SQLModel, table=True):
    """One done or refused action, its actor and time; random ids only. A trigger rejects updates and deletions."""

    __tablename__ = "audit"
    __table_args__ = (UniqueConstraint("chain_id", "seq"),)

    audit_id: uuid.UUID = id_column()
    # The family's id, or a common chain for entries without a family; see rules.chain_of.
    chain_id: uuid.UUID
    # From 1 without gaps, allocated under the chain's row lock.
    seq: int = bigint_column()
    at: datetime = time_column(index=True)
    # guardian, staff, watch, operator (command line), system, stranger (not authenticated)
    actor_kind: str = Field(max_length=10)
    actor_id: str = Field(default="", max_length=40)
    action: str = Field(max_length=40)
    # done or refused
    outcome: str = Field(default="done", max_length=10)
    # The error code of a refusal.
    reason: str = Field(default="", max_length=40)
    # No foreign keys: the log outlives the rows it refers to.
    family_id: uuid.UUID | None = Field(default=None, index=True)
    subject_id: str = Field(default="", max_length=40)
    # SHA-256 of the previous entry's hash (for the first, of the chain's id) and this entry's canonical form.
    hash: bytes = bytes_column()
    # For refusals: the requested route without ids, and the number of equal refusals that the entry stands for.
    asked: str = Field(default="", max_length=120, sa_column_kwargs={"server_default": ""})
    times: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class AuditChain(SQLModel, table=True):
    """Length and last hash of a chain; its row lock orders the entries."""

    __tablename__ = "audit_chain"

    chain_id: uuid.UUID = Field(primary_key=True)
    length: int = bigint_column(default=0)
    head: bytes = bytes_column()
