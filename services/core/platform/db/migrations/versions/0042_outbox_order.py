"""Indexes for a long outbox: after a storm of hellos a claim read and sorted every waiting row."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("outbox_order", "outbox", ["priority", "available_at", "outbox_id"])
    op.create_index("outbox_of_target", "outbox", ["target"])
    op.create_index(
        "outbox_claimed", "outbox", ["claimed_until"], postgresql_where=sa.text("claimed_until IS NOT NULL")
    )


def downgrade() -> None:
    for name in ("outbox_claimed", "outbox_of_target", "outbox_order"):
        op.drop_index(name, table_name="outbox")
