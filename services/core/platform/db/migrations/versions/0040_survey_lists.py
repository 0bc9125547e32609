"""How many lists of answers a survey has taken."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("survey", sa.Column("lists_imported", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("survey", "lists_imported")
