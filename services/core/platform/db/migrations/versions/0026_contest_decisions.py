"""Contested rights are settled by two people; a contest of the first guardian pauses locating."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("membership", sa.Column("locate_paused", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.alter_column("membership", "locate_paused", server_default=None)
    op.execute(
        "UPDATE membership SET locate_paused = true FROM contest JOIN membership AS first"
        " ON first.family_id = contest.family_id AND first.guardian_id = contest.raised_by"
        " AND first.is_primary AND first.removed_at IS NULL"
        " WHERE contest.state = 'open' AND membership.family_id = contest.family_id"
        " AND membership.guardian_id = contest.about_id AND membership.removed_at IS NULL"
    )
    op.create_table(
        "contest_decision",
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("contest_id", sa.Uuid(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("upholds", sa.Boolean(), nullable=False),
        sa.Column("document", sa.String(length=20), nullable=False),
        sa.Column("number_hash", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["contest_id"], ["contest.contest_id"], name=op.f("fk_contest_decision_contest_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["family_id"], ["family.family_id"], name=op.f("fk_contest_decision_family_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.site_id"], name=op.f("fk_contest_decision_site_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["asked_by"], ["staff.staff_id"], name=op.f("fk_contest_decision_asked_by")),
        sa.ForeignKeyConstraint(["approved_by"], ["staff.staff_id"], name=op.f("fk_contest_decision_approved_by")),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_contest_decision")),
    )
    op.create_index(op.f("ix_contest_decision_family_id"), "contest_decision", ["family_id"])
    op.create_index(op.f("ix_contest_decision_site_id"), "contest_decision", ["site_id"])
    op.create_index(
        "contest_decision_standing", "contest_decision", ["contest_id"], unique=True,
        postgresql_where=sa.text("state IN ('asked', 'waiting')"),
    )  # fmt: skip
    op.create_index(
        "contest_decision_due", "contest_decision", ["due_at"], postgresql_where=sa.text("state = 'waiting'")
    )


def downgrade() -> None:
    op.drop_table("contest_decision")
    op.drop_column("membership", "locate_paused")
