"""Column kinds that every room's tables share."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

# Named by rule, so that a later migration can name what it changes.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}

# Rows are not validated by pydantic when they are made or loaded, so that no process needs the tables' validators.
SQLModel.model_config["defer_build"] = True


def new_id() -> uuid.UUID:
    """Return a random id (122 random bits), the key of every row that anyone outside can name."""
    return uuid.uuid4()


def id_column(**options: Any) -> Any:  # noqa: ANN401 - SQLModel's Field is typed so
    """Return a primary key of random ids."""
    return Field(default_factory=new_id, primary_key=True, **options)


def time_column(**options: Any) -> Any:  # noqa: ANN401
    """Return a column of aware UTC times."""
    return Field(sa_type=DateTime(timezone=True), **options)


def maybe_time_column(**options: Any) -> Any:  # noqa: ANN401
    """Return a column of aware UTC times that may be empty."""
    return Field(default=None, sa_type=DateTime(timezone=True), nullable=True, **options)


def json_column(**options: Any) -> Any:  # noqa: ANN401
    """Return a JSONB column."""
    return Field(sa_type=JSONB, **options)


def bytes_column(**options: Any) -> Any:  # noqa: ANN401
    """Return a bytea column."""
    return Field(sa_type=LargeBinary, **options)


def bigint_column(**options: Any) -> Any:  # noqa: ANN401
    """Return a 64-bit counter."""
    return Field(sa_type=BigInteger, **options)


__all__ = [
    "bigint_column", "bytes_column", "datetime", "id_column", "json_column", "maybe_time_column", "new_id",
    "time_column",
]  # fmt: skip
