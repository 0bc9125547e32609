"""Changes of a guardian's own phone number, which wait for 24 hours."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "number_change",
        sa.Column("change_id", sa.Uuid(), primary_key=True),
        sa.Column("guardian_id", sa.Uuid(), sa.ForeignKey("guardian.guardian_id", ondelete="CASCADE"), nullable=False),
        sa.Column("session_id", sa.Uuid(), sa.ForeignKey("session.session_id", ondelete="SET NULL"), nullable=True),
        sa.Column("old_phone", sa.String(16), nullable=False),
        sa.Column("new_phone", sa.String(16), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
    )
    for column in ("guardian_id", "session_id", "state"):
        op.create_index(f"ix_number_change_{column}", "number_change", [column])


def downgrade() -> None:
    op.drop_table("number_change")
