"""The boot of a pairing's first hello."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("watch_identity", sa.Column("first_boot", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("watch_identity", "first_boot")
