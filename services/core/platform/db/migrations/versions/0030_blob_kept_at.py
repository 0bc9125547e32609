"""Backups find the recordings of the last seconds by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("blob_kept_at", "blob", ["changed_at"], postgresql_where=sa.text("state = 'kept'"))


def downgrade() -> None:
    op.drop_index("blob_kept_at", "blob")
