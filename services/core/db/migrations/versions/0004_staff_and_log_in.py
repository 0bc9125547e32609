"""Limits, log-in and staff."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "limit_bucket",
        sa.Column("bucket_key", sa.LargeBinary(), nullable=False),
        sa.Column("tokens", sa.Float(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("filled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("full_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("bucket_key", name=op.f("pk_limit_bucket")),
        prefixes=["UNLOGGED"],
    )
    op.create_index(op.f("ix_limit_bucket_full_at"), "limit_bucket", ["full_at"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_limit_bucket_full_at"), table_name="limit_bucket")
    op.drop_table("limit_bucket")
