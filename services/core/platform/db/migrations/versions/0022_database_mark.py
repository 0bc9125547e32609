"""The mark of the database from which lists were last announced to watches."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "database_mark",
        sa.Column("mark", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("mark", name=op.f("pk_database_mark")),
    )


def downgrade() -> None:
    op.drop_table("database_mark")
