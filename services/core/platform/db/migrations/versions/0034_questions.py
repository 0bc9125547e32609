"""Questions that guardians put off, and the own word of a child with its text and a no."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "question_put_off",
        sa.Column("put_off_id", sa.Uuid(), nullable=False),
        sa.Column("guardian_id", sa.Uuid(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(20), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=True),
        sa.Column("put_off_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("put_off_id", name="pk_question_put_off"),
        sa.ForeignKeyConstraint(
            ["guardian_id"], ["guardian.guardian_id"], name="fk_question_put_off_guardian_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["family_id"], ["family.family_id"], name="fk_question_put_off_family_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.child_id"], name="fk_question_put_off_child_id", ondelete="CASCADE"
        ),
        sa.UniqueConstraint(
            "guardian_id", "family_id", "subject", "child_id", name="uq_question_put_off_guardian_id_family_id_subject_child_id",
            postgresql_nulls_not_distinct=True,
        ),
    )  # fmt: skip
    op.create_index("ix_question_put_off_family_id", "question_put_off", ["family_id"])
    op.add_column("child_agreement", sa.Column("agreed", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("child_agreement", sa.Column("text_version", sa.String(20), nullable=True))


def downgrade() -> None:
    op.drop_column("child_agreement", "text_version")
    op.drop_column("child_agreement", "agreed")
    op.drop_table("question_put_off")
