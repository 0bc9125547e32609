"""Figures of a report's first page, recordings a day, simulated programmes, sites that may be named outside."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # With defaults in the database: code from before these columns goes on adding rows.
    op.add_column("family_day", sa.Column("recordings", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("programme", sa.Column("simulated", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("site", sa.Column("named_outside", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "usage_headline",
        sa.Column("audience", sa.String(8), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("quarter", sa.Date(), nullable=False),
        sa.Column("shown_quarter", sa.Date(), nullable=False),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.Column("families", sa.Integer(), nullable=True),
        sa.Column("children", sa.Integer(), nullable=True),
        sa.Column("watches", sa.Integer(), nullable=True),
        sa.Column("recordings", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["programme_id"], ["programme.programme_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("audience", "programme_id", "site_id", "week"),
    )


def downgrade() -> None:
    op.drop_table("usage_headline")
    op.drop_column("site", "named_outside")
    op.drop_column("programme", "simulated")
    op.drop_column("family_day", "recordings")
