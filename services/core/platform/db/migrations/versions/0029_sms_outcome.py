"""What providers did with text messages, without numbers, texts or people."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sms_outcome",
        sa.Column("message_id", sa.String(30), nullable=False),
        sa.Column("provider", sa.String(10), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(80), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("message_id", "provider", name="pk_sms_outcome"),
    )
    op.create_index("ix_sms_outcome_happened_at", "sms_outcome", ["happened_at"])


def downgrade() -> None:
    op.drop_table("sms_outcome")
