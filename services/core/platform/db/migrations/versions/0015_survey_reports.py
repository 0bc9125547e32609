"""Reports of surveys stand once they are published; a week of usage keeps what stays hidden."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "usage_week",
        sa.Column("dark", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    )
    op.add_column("survey", sa.Column("published_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "survey_report",
        sa.Column("survey_id", sa.Uuid(), nullable=False),
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("comparisons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["survey_id"], ["survey.survey_id"], name=op.f("fk_survey_report_survey_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("survey_id", "scope_id", name=op.f("pk_survey_report")),
    )


def downgrade() -> None:
    op.drop_table("survey_report")
    op.drop_column("survey", "published_at")
    op.drop_column("usage_week", "dark")
