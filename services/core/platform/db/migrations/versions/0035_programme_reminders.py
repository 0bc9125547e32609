"""Which reminder of a programme's end a family had last."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("family_ending", sa.Column("reminded_days", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("family_ending", "reminded_days")
