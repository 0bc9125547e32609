"""Fixes with an impossible date are counted; a network answer and its copies are one witness."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("watch_identity", sa.Column("misdated_fixes", sa.Integer(), nullable=False, server_default="0"))
    op.alter_column("watch_identity", "misdated_fixes", server_default=None)
    op.add_column("latest_checkin", sa.Column("witnessed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("latest_checkin", sa.Column("suspect_source", sa.String(length=32), nullable=True))


def downgrade() -> None:
    op.drop_column("latest_checkin", "suspect_source")
    op.drop_column("latest_checkin", "witnessed_at")
    op.drop_column("watch_identity", "misdated_fixes")
