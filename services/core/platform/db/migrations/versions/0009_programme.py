"""The programme: its end, trainings, SIM cards, notices, surveys, conversation starters."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0006"
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
        "nudge_wanted",
        sa.Column("guardian_id", sa.Uuid(), nullable=False),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["guardian_id"], ["guardian.guardian_id"], name=op.f("fk_nudge_wanted_guardian_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("guardian_id", name=op.f("pk_nudge_wanted")),
    )
    op.create_table(
        "survey",
        sa.Column("survey_id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.programme_id"], name=op.f("fk_survey_programme_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("survey_id", name=op.f("pk_survey")),
        sa.UniqueConstraint("programme_id", "name", name=op.f("uq_survey_programme_id_name")),
    )
    op.create_table(
        "help_request",
        sa.Column("help_id", sa.Uuid(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.child_id"], name=op.f("fk_help_request_child_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["family_id"], ["family.family_id"], name=op.f("fk_help_request_family_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("help_id", name=op.f("pk_help_request")),
    )
    op.create_index(
        "help_open", "help_request", ["child_id", "kind"], unique=True, postgresql_where=sa.text("done_at IS NULL")
    )
    op.create_index(op.f("ix_help_request_family_id"), "help_request", ["family_id"], unique=False)
    op.create_table(
        "nudge",
        sa.Column("nudge_id", sa.Uuid(), nullable=False),
        sa.Column("guardian_id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("local_day", sa.Date(), nullable=False),
        sa.Column("nudged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["child_id"], ["child.child_id"], name=op.f("fk_nudge_child_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["guardian_id"], ["guardian.guardian_id"], name=op.f("fk_nudge_guardian_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("nudge_id", name=op.f("pk_nudge")),
        sa.UniqueConstraint("guardian_id", "local_day", name=op.f("uq_nudge_guardian_id_local_day")),
    )
    op.create_index(op.f("ix_nudge_child_id"), "nudge", ["child_id"], unique=False)
    op.create_index(
        "nudge_to_judge", "nudge", ["nudged_at"], unique=False, postgresql_where=sa.text("judged_at IS NULL")
    )
    op.create_table(
        "survey_question",
        sa.Column("survey_id", sa.Uuid(), nullable=False),
        sa.Column("question", sa.String(length=30), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("least", sa.Float(), nullable=True),
        sa.Column("most", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["survey_id"], ["survey.survey_id"], name=op.f("fk_survey_question_survey_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("survey_id", "question", name=op.f("pk_survey_question")),
    )
    op.create_table(
        "notice",
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("cohort_id", sa.Uuid(), nullable=True),
        sa.Column("family_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(cohort_id IS NULL) <> (family_id IS NULL)", name=op.f("ck_notice_notice_one_of")),
        sa.ForeignKeyConstraint(
            ["cohort_id"], ["cohort.cohort_id"], name=op.f("fk_notice_cohort_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["family_id"], ["family.family_id"], name=op.f("fk_notice_family_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("notice_id", name=op.f("pk_notice")),
    )
    op.create_index("notice_of_cohort", "notice", ["cohort_id", "created_at"], unique=False)
    op.create_index("notice_of_family", "notice", ["family_id", "created_at"], unique=False)
    op.create_table(
        "sim_month",
        sa.Column("watch_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("used_mb", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["watch_id"], ["watch.watch_id"], name=op.f("fk_sim_month_watch_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("watch_id", "month", name=op.f("pk_sim_month")),
    )
    op.create_table(
        "survey_answer",
        sa.Column("survey_id", sa.Uuid(), nullable=False),
        sa.Column("question", sa.String(length=30), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("wave", sa.String(length=10), nullable=False),
        sa.Column("answer", sa.Float(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["family_id"], ["family.family_id"], name=op.f("fk_survey_answer_family_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["survey_id", "question"],
            ["survey_question.survey_id", "survey_question.question"],
            name=op.f("fk_survey_answer_survey_id_question"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("survey_id", "question", "family_id", "wave", name=op.f("pk_survey_answer")),
    )
    op.create_index(op.f("ix_survey_answer_family_id"), "survey_answer", ["family_id"], unique=False)
    op.create_table(
        "watch_given",
        sa.Column("given_id", sa.Uuid(), nullable=False),
        sa.Column("watch_id", sa.Uuid(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("actor_kind", sa.String(length=10), nullable=False),
        sa.Column("actor_id", sa.String(length=40), nullable=False),
        sa.Column("previous_state", sa.String(length=12), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["family_id"], ["family.family_id"], name=op.f("fk_watch_given_family_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["watch_id"], ["watch.watch_id"], name=op.f("fk_watch_given_watch_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("given_id", name=op.f("pk_watch_given")),
    )
    op.create_index("given_by_actor", "watch_given", ["actor_kind", "actor_id", "given_at"], unique=False)
    op.create_index(op.f("ix_watch_given_family_id"), "watch_given", ["family_id"], unique=False)
    op.create_index(op.f("ix_watch_given_watch_id"), "watch_given", ["watch_id"], unique=False)
    op.create_table(
        "low_battery",
        sa.Column("username", sa.String(length=32), nullable=False),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["username"], ["watch_identity.username"], name=op.f("fk_low_battery_username"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("username", name=op.f("pk_low_battery")),
    )
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
    op.add_column("watch", sa.Column("sim_number", sa.String(length=16), nullable=True))
    op.add_column("watch", sa.Column("sim_quota_mb", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("watch", "sim_quota_mb")
    op.drop_column("watch", "sim_number")
    op.drop_column("programme", "ends_on")
    op.drop_column("enrolment", "end_reason")
    op.drop_table("training_attended")
    op.drop_table("low_battery")
    op.drop_index(op.f("ix_watch_given_watch_id"), table_name="watch_given")
    op.drop_index(op.f("ix_watch_given_family_id"), table_name="watch_given")
    op.drop_index("given_by_actor", table_name="watch_given")
    op.drop_table("watch_given")
    op.drop_index(op.f("ix_survey_answer_family_id"), table_name="survey_answer")
    op.drop_table("survey_answer")
    op.drop_table("sim_month")
    op.drop_index("notice_of_family", table_name="notice")
    op.drop_index("notice_of_cohort", table_name="notice")
    op.drop_table("notice")
    op.drop_table("survey_question")
    op.drop_index("nudge_to_judge", table_name="nudge", postgresql_where=sa.text("judged_at IS NULL"))
    op.drop_index(op.f("ix_nudge_child_id"), table_name="nudge")
    op.drop_table("nudge")
    op.drop_index(op.f("ix_help_request_family_id"), table_name="help_request")
    op.drop_index("help_open", table_name="help_request", postgresql_where=sa.text("done_at IS NULL"))
    op.drop_table("help_request")
    op.drop_table("survey")
    op.drop_table("nudge_wanted")
    op.drop_index(op.f("ix_family_ending_told_at"), table_name="family_ending")
    op.drop_table("family_ending")
