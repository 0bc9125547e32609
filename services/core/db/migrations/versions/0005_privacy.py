"""Privacy: what proves consent, the child's own word."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("consent", sa.Column("witness", sa.String(length=40), nullable=True))
    op.add_column("consent", sa.Column("form_number", sa.String(length=40), nullable=True))
    op.add_column("child", sa.Column("sealed_birth_date", sa.LargeBinary(), nullable=True))
    op.create_table(
        "child_agreement",
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("how", sa.String(length=10), nullable=False),
        sa.Column("witness", sa.String(length=40), nullable=True),
        sa.Column("form_number", sa.String(length=40), nullable=True),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.child_id"], name=op.f("fk_child_agreement_child_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["family_id"], ["family.family_id"], name=op.f("fk_child_agreement_family_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"], ["guardian.guardian_id"], name=op.f("fk_child_agreement_recorded_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("agreement_id", name=op.f("pk_child_agreement")),
    )
    op.create_index(op.f("ix_child_agreement_family_id"), "child_agreement", ["family_id"], unique=False)
    op.create_index(
        "child_agreement_standing", "child_agreement", ["child_id"], unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_table("child_agreement")
    op.drop_column("child", "sealed_birth_date")
    op.drop_column("consent", "form_number")
    op.drop_column("consent", "witness")
