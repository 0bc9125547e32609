"""What the backend saw of watches that are traced."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "watch_trace",
        sa.Column("trace_id", sa.Uuid(), primary_key=True),
        sa.Column("watch_id", sa.Uuid(), sa.ForeignKey("watch.watch_id", ondelete="CASCADE"), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("watch_id"),
    )
    op.create_table(
        "watch_trace_line",
        sa.Column("line_id", sa.BigInteger(), primary_key=True, autoincrement=True),
        sa.Column("watch_id", sa.Uuid(), sa.ForeignKey("watch.watch_id", ondelete="CASCADE"), nullable=False),
        sa.Column("child_id", sa.Uuid(), sa.ForeignKey("child.child_id", ondelete="CASCADE"), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.String(10), nullable=False),
        sa.Column("detail", sa.String(60), nullable=False),
    )
    op.create_index("trace_of_watch", "watch_trace_line", ["watch_id", "line_id"])
    op.create_index("ix_watch_trace_line_at", "watch_trace_line", ["at"])
    op.create_index("ix_watch_trace_line_child_id", "watch_trace_line", ["child_id"])


def downgrade() -> None:
    op.drop_table("watch_trace_line")
    op.drop_table("watch_trace")
