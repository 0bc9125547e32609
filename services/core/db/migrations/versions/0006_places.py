"""Places: check-ins cut by month, the latest of each child, safe zones."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "checkin",
        sa.Column("username", sa.String(length=32), nullable=False),
        sa.Column("ref", sa.String(length=36), nullable=False),
        sa.Column("tst", sa.BigInteger(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content_mark", sa.LargeBinary(), nullable=False),
        sa.Column("quality", sa.String(length=4), nullable=False),
        sa.Column("reasons", sa.String(length=160), nullable=False),
        sa.Column("accuracy_m", sa.Float(), nullable=True),
        sa.Column("source", sa.String(length=32), nullable=True),
        sa.Column("sealed_place", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["child_id"], ["child.child_id"], name=op.f("fk_checkin_child_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("username", "ref", "tst", name=op.f("pk_checkin")),
        postgresql_partition_by="RANGE (tst)",
    )
    op.create_index("checkin_of_child", "checkin", ["child_id", "happened_at"], unique=False)
    op.create_index("checkin_by_time", "checkin", ["happened_at"], unique=False, postgresql_using="brin")
    # Takes what no month takes. Apart from the declared tables, as are the months, which the worker makes ahead.
    op.execute("CREATE SCHEMA checkin_months")
    op.execute("CREATE TABLE checkin_months.checkin_default PARTITION OF checkin DEFAULT")
    op.create_table(
        "latest_checkin",
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accuracy_m", sa.Float(), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=True),
        sa.Column("sealed_place", sa.LargeBinary(), nullable=False),
        sa.Column("suspect_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("suspect_accuracy_m", sa.Float(), nullable=True),
        sa.Column("sealed_suspect", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.child_id"], name=op.f("fk_latest_checkin_child_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("child_id", name=op.f("pk_latest_checkin")),
    )
    op.create_index(op.f("ix_latest_checkin_happened_at"), "latest_checkin", ["happened_at"], unique=False)
    op.create_table(
        "safe_zone",
        sa.Column("zone_id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("sealed_body", sa.LargeBinary(), nullable=False),
        sa.Column("hours", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("stand", sa.String(length=8), nullable=False),
        sa.Column("outside_fixes", sa.Integer(), nullable=False),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.child_id"], name=op.f("fk_safe_zone_child_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["guardian.guardian_id"], name=op.f("fk_safe_zone_created_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("zone_id", name=op.f("pk_safe_zone")),
    )
    op.create_index(op.f("ix_safe_zone_child_id"), "safe_zone", ["child_id"], unique=False)
    op.create_table(
        "zone_passage",
        sa.Column("passage_id", sa.Uuid(), nullable=False),
        sa.Column("zone_id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("alarmed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.child_id"], name=op.f("fk_zone_passage_child_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["zone_id"], ["safe_zone.zone_id"], name=op.f("fk_zone_passage_zone_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("passage_id", name=op.f("pk_zone_passage")),
    )
    op.create_index("zone_passage_of_child", "zone_passage", ["child_id", "happened_at"], unique=False)
    op.create_index(op.f("ix_zone_passage_happened_at"), "zone_passage", ["happened_at"], unique=False)
    op.create_index(op.f("ix_zone_passage_zone_id"), "zone_passage", ["zone_id"], unique=False)


def downgrade() -> None:
    op.drop_table("zone_passage")
    op.drop_table("safe_zone")
    op.drop_table("latest_checkin")
    op.execute("DROP SCHEMA checkin_months CASCADE")
    op.drop_table("checkin")
