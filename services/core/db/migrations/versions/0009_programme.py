"""The programme: its end, trainings, SIM cards, notices, surveys, conversation starters."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "family_ending",
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["family_id"], ["family.family_id"], name=op.f("fk_family_ending_family_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("family_id", name=op.f("pk_family_ending")),
    )
    op.create_index(op.f("ix_family_ending_told_at"), "family_ending", ["told_at"], unique=False)
    op.create_table(
        "training_attended",
        sa.Column("enrolment_id", sa.Uuid(), nullable=False),
        sa.Column("training", sa.String(length=30), nullable=False),
        sa.Column("attended_on", sa.Date(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["enrolment_id"],
            ["enrolment.enrolment_id"],
            name=op.f("fk_training_attended_enrolment_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("enrolment_id", "training", name=op.f("pk_training_attended")),
    )
    op.add_column("enrolment", sa.Column("end_reason", sa.String(length=20), nullable=True))
    op.add_column("programme", sa.Column("ends_on", sa.Date(), nullable=True))


def downgrade() -> None:
    op.drop_column("programme", "ends_on")
    op.drop_column("enrolment", "end_reason")
    op.drop_table("training_attended")
    op.drop_index(op.f("ix_family_ending_told_at"), table_name="family_ending")
    op.drop_table("family_ending")
