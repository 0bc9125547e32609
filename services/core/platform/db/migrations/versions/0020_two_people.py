"""Which accounts of staff count as a second person: phone, first password, appointment, reset, origin, requests."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("staff", sa.Column("phone", sa.String(length=16), nullable=True))
    op.add_column("staff", sa.Column("first_password_ends_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("staff", sa.Column("reset_at", sa.DateTime(timezone=True), nullable=True))
    for name in ("employed_by_factory", "is_founding", "reset_by_two"):
        op.add_column("staff", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
        op.alter_column("staff", name, server_default=None)
    op.add_column("staff", sa.Column("appointed_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE staff SET appointed_at = created_at")
    op.alter_column("staff", "appointed_at", nullable=False)
    op.create_table(
        "staff_origin",
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("by_staff_id", sa.Uuid(), nullable=False),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.staff_id"], name=op.f("fk_staff_origin_staff_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["by_staff_id"], ["staff.staff_id"], name=op.f("fk_staff_origin_by_staff_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("staff_id", "by_staff_id", name=op.f("pk_staff_origin")),
    )
    op.create_table(
        "staff_request",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("display_name", sa.String(length=80), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("phone", sa.String(length=16), nullable=True),
        sa.Column("employed_by_factory", sa.Boolean(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=True),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.programme_id"], name=op.f("fk_staff_request_programme_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.site_id"], name=op.f("fk_staff_request_site_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.staff_id"], name=op.f("fk_staff_request_staff_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["asked_by"], ["staff.staff_id"], name=op.f("fk_staff_request_asked_by")),
        sa.ForeignKeyConstraint(["approved_by"], ["staff.staff_id"], name=op.f("fk_staff_request_approved_by")),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_staff_request")),
    )  # fmt: skip
    op.create_index(op.f("ix_staff_request_staff_id"), "staff_request", ["staff_id"])
    op.create_index(op.f("ix_staff_request_asked_at"), "staff_request", ["asked_at"])
    op.create_index(
        "staff_request_standing", "staff_request", ["email"], unique=True,
        postgresql_where=sa.text("state = 'asked'"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_table("staff_request")
    op.drop_table("staff_origin")
    for name in (
        "appointed_at", "reset_by_two", "is_founding", "employed_by_factory", "reset_at", "first_password_ends_at",
        "phone",
    ):  # fmt: skip
        op.drop_column("staff", name)
