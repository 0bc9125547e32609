"""Usage: reports of watches, counted days, published weeks; facts know whether they are counted."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "family_day",
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("to_child", sa.Integer(), nullable=False),
        sa.Column("to_family", sa.Integer(), nullable=False),
        sa.Column("voice_s", sa.Integer(), nullable=False),
        sa.Column("delivered", sa.Integer(), nullable=False),
        sa.Column("delivered_5_min", sa.Integer(), nullable=False),
        sa.Column("delivered_24_h", sa.Integer(), nullable=False),
        sa.Column("played_7_d", sa.Integer(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("call_s", sa.Integer(), nullable=False),
        sa.Column("worn_s", sa.Integer(), nullable=False),
        sa.Column("child_waits", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("parent_waits", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["family_id"], ["family.family_id"], name=op.f("fk_family_day_family_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("family_id", "day", name=op.f("pk_family_day")),
    )
    op.create_index(op.f("ix_family_day_day"), "family_day", ["day"], unique=False)
    op.create_table(
        "usage_cell",
        sa.Column("audience", sa.String(length=8), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("indicator", sa.String(length=30), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=True),
        sa.Column("count", sa.Integer(), nullable=True),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("lower_quartile", sa.Float(), nullable=True),
        sa.Column("upper_quartile", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.programme_id"], name=op.f("fk_usage_cell_programme_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(
            "audience", "programme_id", "scope_id", "week", "indicator", name=op.f("pk_usage_cell")
        ),
    )
    op.create_index(
        "usage_cell_indicator",
        "usage_cell",
        ["programme_id", "audience", "indicator", "week", "scope_id"],
        unique=False,
    )
    op.create_index(
        "usage_cell_week", "usage_cell", ["programme_id", "audience", "week", "scope_id", "indicator"], unique=False
    )
    op.create_table(
        "usage_week",
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("quarter", sa.Date(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("members", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.programme_id"], name=op.f("fk_usage_week_programme_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("programme_id", "week", name=op.f("pk_usage_week")),
    )
    op.create_table(
        "quiet_since",
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("quiet", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("timezone", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.child_id"], name=op.f("fk_quiet_since_child_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("child_id", "since_at", name=op.f("pk_quiet_since")),
    )
    op.create_table(
        "usage_population",
        sa.Column("quarter", sa.Date(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("cohort_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cohort_id"], ["cohort.cohort_id"], name=op.f("fk_usage_population_cohort_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["family_id"], ["family.family_id"], name=op.f("fk_usage_population_family_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"],
            ["programme.programme_id"],
            name=op.f("fk_usage_population_programme_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.site_id"], name=op.f("fk_usage_population_site_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("quarter", "family_id", name=op.f("pk_usage_population")),
    )
    op.create_index(op.f("ix_usage_population_programme_id"), "usage_population", ["programme_id"], unique=False)
    op.create_table(
        "usage_report",
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("watch_id", sa.Uuid(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reboots", sa.Integer(), nullable=True),
        sa.Column("battery_min_pct", sa.Integer(), nullable=True),
        sa.Column("signal_min_dbm", sa.Integer(), nullable=True),
        sa.Column("offline_s", sa.Integer(), nullable=True),
        sa.Column("bytes_up", sa.BigInteger(), nullable=True),
        sa.Column("bytes_down", sa.BigInteger(), nullable=True),
        sa.Column("worn_s", sa.Integer(), nullable=True),
        sa.Column("screen_on_s", sa.Integer(), nullable=True),
        sa.Column("recordings", sa.Integer(), nullable=True),
        sa.Column("plays", sa.Integer(), nullable=True),
        sa.Column("calls_in", sa.Integer(), nullable=True),
        sa.Column("calls_out", sa.Integer(), nullable=True),
        sa.Column("call_s", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["family_id"], ["family.family_id"], name=op.f("fk_usage_report_family_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["watch_id"], ["watch.watch_id"], name=op.f("fk_usage_report_watch_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("report_id", name=op.f("pk_usage_report")),
    )
    op.create_index(op.f("ix_usage_report_watch_id"), "usage_report", ["watch_id"], unique=False)
    op.create_index("usage_report_of_family", "usage_report", ["family_id", "started_at"], unique=False)
    op.create_table(
        "watch_day",
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("watch_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("hours", sa.Integer(), nullable=False),
        sa.Column("reboots", sa.Integer(), nullable=False),
        sa.Column("battery_min_pct", sa.Integer(), nullable=True),
        sa.Column("signal_min_dbm", sa.Integer(), nullable=True),
        sa.Column("offline_s", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["family_id"], ["family.family_id"], name=op.f("fk_watch_day_family_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["watch_id"], ["watch.watch_id"], name=op.f("fk_watch_day_watch_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("family_id", "watch_id", "day", name=op.f("pk_watch_day")),
    )
    op.create_index(op.f("ix_watch_day_watch_id"), "watch_day", ["watch_id"], unique=False)
    op.add_column("fact", sa.Column("voice_ms", sa.Integer(), nullable=True))
    op.add_column("fact", sa.Column("counted", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_index("fact_to_count", "fact", ["received_at"], unique=False, postgresql_where=sa.text("NOT counted"))


def downgrade() -> None:
    op.drop_index("fact_to_count", table_name="fact", postgresql_where=sa.text("NOT counted"))
    op.drop_column("fact", "counted")
    op.drop_column("fact", "voice_ms")
    op.drop_index(op.f("ix_watch_day_watch_id"), table_name="watch_day")
    op.drop_table("watch_day")
    op.drop_index("usage_report_of_family", table_name="usage_report")
    op.drop_index(op.f("ix_usage_report_watch_id"), table_name="usage_report")
    op.drop_table("usage_report")
    op.drop_index(op.f("ix_usage_population_programme_id"), table_name="usage_population")
    op.drop_table("usage_population")
    op.drop_table("quiet_since")
    op.drop_table("usage_week")
    op.drop_index("usage_cell_week", table_name="usage_cell")
    op.drop_index("usage_cell_indicator", table_name="usage_cell")
    op.drop_table("usage_cell")
    op.drop_index(op.f("ix_family_day_day"), table_name="family_day")
    op.drop_table("family_day")
