"""Presence in a table of its own: last seen, battery and clock of a paired watch."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_COLUMNS: dict[str, sa.types.TypeEngine[Any]] = {
    "last_seen_at": sa.DateTime(timezone=True),
    "battery_pct": sa.Integer(),
    "battery_at": sa.DateTime(timezone=True),
    "battery_before_pct": sa.Integer(),
    "battery_before_at": sa.DateTime(timezone=True),
    "clock_skew_s": sa.Integer(),
}
_NAMES = ", ".join(_COLUMNS)


def upgrade() -> None:
    op.create_table(
        "watch_presence",
        sa.Column("username", sa.String(length=32), nullable=False),
        *(sa.Column(name, kind, nullable=True) for name, kind in _COLUMNS.items()),
        sa.ForeignKeyConstraint(
            ["username"], ["watch_identity.username"], name=op.f("fk_watch_presence_username"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("username", name=op.f("pk_watch_presence")),
    )
    op.execute(
        f"INSERT INTO watch_presence (username, {_NAMES}) SELECT username, {_NAMES} FROM watch_identity"  # noqa: S608 - names of this file
    )
    op.drop_index(op.f("ix_watch_identity_last_seen_at"), table_name="watch_identity")
    for name in _COLUMNS:
        op.drop_column("watch_identity", name)


def downgrade() -> None:
    for name, kind in _COLUMNS.items():
        op.add_column("watch_identity", sa.Column(name, kind, nullable=True))
    values = ", ".join(f"{name} = p.{name}" for name in _COLUMNS)
    op.execute(
        f"UPDATE watch_identity SET {values} FROM watch_presence p "  # noqa: S608 - names of this file
        "WHERE p.username = watch_identity.username"
    )
    op.create_index(op.f("ix_watch_identity_last_seen_at"), "watch_identity", ["last_seen_at"], unique=False)
    op.drop_table("watch_presence")
