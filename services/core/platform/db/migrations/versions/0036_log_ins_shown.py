"""When a waiting log-in was shown to a guardian who could approve it, and until when a guardian refuses new phones."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("guardian", sa.Column("new_phones_blocked_until_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "shown_log_in",
        sa.Column("session_id", sa.Uuid(), sa.ForeignKey("session.session_id", ondelete="CASCADE"), nullable=False),
        sa.Column("guardian_id", sa.Uuid(), sa.ForeignKey("guardian.guardian_id", ondelete="CASCADE"), nullable=False),
        sa.Column("shown_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("session_id", "guardian_id"),
    )
    op.create_index("ix_shown_log_in_guardian_id", "shown_log_in", ["guardian_id"])


def downgrade() -> None:
    op.drop_table("shown_log_in")
    op.drop_column("guardian", "new_phones_blocked_until_at")
