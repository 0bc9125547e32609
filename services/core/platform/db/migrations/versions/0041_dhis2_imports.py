"""Imports of public numbers into DHIS2, with the summaries of its answers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dhis2_import",
        sa.Column("import_id", sa.Uuid(), primary_key=True),
        sa.Column(
            "programme_id", sa.Uuid(), sa.ForeignKey("programme.programme_id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("site_id", sa.Uuid(), sa.ForeignKey("site.site_id", ondelete="CASCADE"), nullable=True),
        sa.Column("asked_by", sa.Uuid(), sa.ForeignKey("staff.staff_id", ondelete="SET NULL"), nullable=True),
        sa.Column("mapping", JSONB(), nullable=False),
        sa.Column("check_only", sa.Boolean(), nullable=False),
        sa.Column("last_week", sa.Date(), nullable=True),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("phase", sa.String(10), nullable=False),
        sa.Column("batches_done", sa.Integer(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("values", sa.Integer(), nullable=False),
        sa.Column("left_out", JSONB(), nullable=False),
        sa.Column("checked", JSONB(), nullable=False),
        sa.Column("imported", JSONB(), nullable=False),
        sa.Column("problem", sa.String(20), nullable=True),
        sa.Column("message", sa.String(200), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
    )
    op.create_index("ix_dhis2_import_programme_id", "dhis2_import", ["programme_id"])
    op.create_index(
        "dhis2_import_running", "dhis2_import", ["programme_id"], unique=True,
        postgresql_where=sa.text("state IN ('waiting', 'running')"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_table("dhis2_import")
