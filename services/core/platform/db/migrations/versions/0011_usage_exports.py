"""Files of published numbers that staff ask for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "usage_export",
        sa.Column("usage_export_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("recipient", sa.String(length=10), nullable=False),
        sa.Column("locale", sa.String(length=12), nullable=False),
        sa.Column("mapping", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.programme_id"], name=op.f("fk_usage_export_programme_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.site_id"], name=op.f("fk_usage_export_site_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.staff_id"], name=op.f("fk_usage_export_staff_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("usage_export_id", name=op.f("pk_usage_export")),
    )
    op.create_index(op.f("ix_usage_export_staff_id"), "usage_export", ["staff_id"], unique=False)
    op.create_index(
        "usage_export_running", "usage_export", ["staff_id"], unique=True,
        postgresql_where=sa.text("state IN ('waiting', 'running')"),
    )  # fmt: skip
    op.create_table(
        "usage_export_file",
        sa.Column("usage_export_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["usage_export_id"], ["usage_export.usage_export_id"],
            name=op.f("fk_usage_export_file_usage_export_id"), ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("usage_export_id", name=op.f("pk_usage_export_file")),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_table("usage_export_file")
    op.drop_index("usage_export_running", table_name="usage_export")
    op.drop_index(op.f("ix_usage_export_staff_id"), table_name="usage_export")
    op.drop_table("usage_export")
