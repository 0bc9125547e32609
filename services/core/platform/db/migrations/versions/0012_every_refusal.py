"""What was asked and how often, for refusals in the log."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The defaults stay: what still runs the version before writes entries without these.
    op.add_column("audit", sa.Column("asked", sa.String(length=120), nullable=False, server_default=""))
    op.add_column("audit", sa.Column("times", sa.Integer(), nullable=False, server_default="1"))


def downgrade() -> None:
    op.drop_column("audit", "times")
    op.drop_column("audit", "asked")
