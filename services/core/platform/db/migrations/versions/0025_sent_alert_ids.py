"""The ids of alerts as watches sent them, where they cannot be used as ids."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("alert", sa.Column("sent_ref", sa.String(length=36), nullable=True))


def downgrade() -> None:
    op.drop_column("alert", "sent_ref")
