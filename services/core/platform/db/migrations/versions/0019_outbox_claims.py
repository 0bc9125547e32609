"""Outbox rows are claimed for a time, and urgent ones first."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox", sa.Column("priority", sa.SmallInteger(), nullable=False, server_default="2"))
    op.alter_column("outbox", "priority", server_default=None)
    op.add_column("outbox", sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True))
    op.drop_index("outbox_due", table_name="outbox")
    op.create_index("outbox_due", "outbox", ["kind", "priority", "available_at"], unique=False)


def downgrade() -> None:
    op.drop_index("outbox_due", table_name="outbox")
    op.create_index("outbox_due", "outbox", ["kind", "available_at"], unique=False)
    op.drop_column("outbox", "claimed_until")
    op.drop_column("outbox", "priority")
