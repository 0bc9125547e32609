"""Sessions have a label: the name that a phone gave itself at log-in."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # With a default in the database: code from before this column goes on adding sessions.
    op.add_column("session", sa.Column("label", sa.String(40), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("session", "label")
