"""Packets that the protocol forbids are counted for their watch."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("watch", sa.Column("refused_packets", sa.Integer(), nullable=False, server_default="0"))
    op.alter_column("watch", "refused_packets", server_default=None)


def downgrade() -> None:
    op.drop_column("watch", "refused_packets")
