"""The first tables: programme, families, watches, pairing, messages, and what carries them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("audit_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.String(length=10), nullable=False),
        sa.Column("actor_id", sa.String(length=40), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=True),
        sa.Column("subject_id", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_at"), "audit", ["at"], unique=False)
    op.create_index(op.f("ix_audit_family_id"), "audit", ["family_id"], unique=False)
    op.create_table(
        "family",
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("family_code", sa.String(length=20), nullable=False),
        sa.Column("event_seq", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("family_id", name=op.f("pk_family")),
        sa.UniqueConstraint("family_code", name=op.f("uq_family_family_code")),
    )
    op.create_table(
        "guardian",
        sa.Column("guardian_id", sa.Uuid(), nullable=False),
        sa.Column("phone", sa.String(length=16), nullable=False),
        sa.Column("display_name", sa.String(length=40), nullable=False),
        sa.Column("locale", sa.String(length=12), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("guardian_id", name=op.f("pk_guardian")),
        sa.UniqueConstraint("phone", name=op.f("uq_guardian_phone")),
    )
    op.create_table(
        "login_challenge",
        sa.Column("challenge_id", sa.Uuid(), nullable=False),
        sa.Column("phone", sa.String(length=16), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("challenge_id", name=op.f("pk_login_challenge")),
    )
    op.create_index(op.f("ix_login_challenge_created_at"), "login_challenge", ["created_at"], unique=False)
    op.create_index(op.f("ix_login_challenge_phone"), "login_challenge", ["phone"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("outbox_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("target", sa.String(length=40), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("available_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("outbox_id", name=op.f("pk_outbox")),
    )
    op.create_index("outbox_due", "outbox", ["kind", "available_at"], unique=False)
    op.create_table(
        "programme",
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("programme_id", name=op.f("pk_programme")),
        sa.UniqueConstraint("name", name=op.f("uq_programme_name")),
    )
    op.create_table(
        "staff",
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("display_name", sa.String(length=80), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_staff")),
        sa.UniqueConstraint("email", name=op.f("uq_staff_email")),
    )
    op.create_table(
        "child",
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("birth_year", sa.Integer(), nullable=True),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("message_seq", sa.BigInteger(), nullable=False),
        sa.Column("inbox_seq", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["family_id"], ["family.family_id"], name=op.f("fk_child_family_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("child_id", name=op.f("pk_child")),
    )
    op.create_index(op.f("ix_child_family_id"), "child", ["family_id"], unique=False)
    op.create_table(
        "consent",
        sa.Column("consent_id", sa.Uuid(), nullable=False),
        sa.Column("guardian_id", sa.Uuid(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("part", sa.String(length=20), nullable=False),
        sa.Column("text_version", sa.String(length=20), nullable=False),
        sa.Column("locale", sa.String(length=12), nullable=False),
        sa.Column("how", sa.String(length=10), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["family_id"], ["family.family_id"], name=op.f("fk_consent_family_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["guardian_id"], ["guardian.guardian_id"], name=op.f("fk_consent_guardian_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("consent_id", name=op.f("pk_consent")),
    )
    op.create_index(
        "consent_standing",
        "consent",
        ["guardian_id", "family_id", "part"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_index(op.f("ix_consent_family_id"), "consent", ["family_id"], unique=False)
    op.create_table(
        "invitation",
        sa.Column("invitation_id", sa.Uuid(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("phone", sa.String(length=16), nullable=False),
        sa.Column("display_name", sa.String(length=40), nullable=False),
        sa.Column("relation", sa.String(length=20), nullable=False),
        sa.Column("may_message", sa.Boolean(), nullable=False),
        sa.Column("may_locate", sa.Boolean(), nullable=False),
        sa.Column("may_manage", sa.Boolean(), nullable=False),
        sa.Column("invited_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.String(length=12), nullable=True),
        sa.ForeignKeyConstraint(
            ["family_id"], ["family.family_id"], name=op.f("fk_invitation_family_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["invited_by"], ["guardian.guardian_id"], name=op.f("fk_invitation_invited_by"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("invitation_id", name=op.f("pk_invitation")),
    )
    op.create_index(
        "invitation_standing",
        "invitation",
        ["family_id", "phone"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(op.f("ix_invitation_phone"), "invitation", ["phone"], unique=False)
    op.create_table(
        "membership",
        sa.Column("membership_id", sa.Uuid(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("guardian_id", sa.Uuid(), nullable=False),
        sa.Column("relation", sa.String(length=20), nullable=False),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
        sa.Column("may_message", sa.Boolean(), nullable=False),
        sa.Column("may_locate", sa.Boolean(), nullable=False),
        sa.Column("may_manage", sa.Boolean(), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["family_id"], ["family.family_id"], name=op.f("fk_membership_family_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["guardian_id"], ["guardian.guardian_id"], name=op.f("fk_membership_guardian_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("membership_id", name=op.f("pk_membership")),
    )
    op.create_index(op.f("ix_membership_guardian_id"), "membership", ["guardian_id"], unique=False)
    op.create_index(
        "membership_primary",
        "membership",
        ["family_id"],
        unique=True,
        postgresql_where=sa.text("removed_at IS NULL AND is_primary"),
    )
    op.create_index(
        "membership_standing",
        "membership",
        ["family_id", "guardian_id"],
        unique=True,
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_table(
        "pairing_attempt",
        sa.Column("pairing_attempt_id", sa.Uuid(), nullable=False),
        sa.Column("guardian_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["guardian_id"], ["guardian.guardian_id"], name=op.f("fk_pairing_attempt_guardian_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pairing_attempt_id", name=op.f("pk_pairing_attempt")),
    )
    op.create_index("pairing_attempt_recent", "pairing_attempt", ["guardian_id", "at"], unique=False)
    op.create_table(
        "session",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("guardian_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(
            ["guardian_id"], ["guardian.guardian_id"], name=op.f("fk_session_guardian_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_session")),
    )
    op.create_index(op.f("ix_session_guardian_id"), "session", ["guardian_id"], unique=False)
    op.create_table(
        "site",
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("timezone", sa.String(length=40), nullable=False),
        sa.Column("locale", sa.String(length=12), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.programme_id"], name=op.f("fk_site_programme_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_site")),
        sa.UniqueConstraint("programme_id", "name", name=op.f("uq_site_programme_id_name")),
    )
    op.create_table(
        "cohort",
        sa.Column("cohort_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.site_id"], name=op.f("fk_cohort_site_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("cohort_id", name=op.f("pk_cohort")),
        sa.UniqueConstraint("site_id", "name", name=op.f("uq_cohort_site_id_name")),
    )
    op.create_table(
        "contact",
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("wire_id", sa.String(length=12), nullable=False),
        sa.Column("guardian_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("relation", sa.String(length=20), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=True),
        sa.Column("may_message", sa.Boolean(), nullable=False),
        sa.Column("may_call", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("emergency", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=True),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["approved_by"], ["guardian.guardian_id"], name=op.f("fk_contact_approved_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["child_id"], ["child.child_id"], name=op.f("fk_contact_child_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["guardian_id"], ["guardian.guardian_id"], name=op.f("fk_contact_guardian_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["proposed_by"], ["guardian.guardian_id"], name=op.f("fk_contact_proposed_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("contact_id", name=op.f("pk_contact")),
        sa.UniqueConstraint("child_id", "wire_id", name=op.f("uq_contact_child_id_wire_id")),
    )
    op.create_index(
        "contact_of_guardian",
        "contact",
        ["child_id", "guardian_id"],
        unique=True,
        postgresql_where=sa.text("removed_at IS NULL AND guardian_id IS NOT NULL"),
    )
    op.create_index(op.f("ix_contact_child_id"), "contact", ["child_id"], unique=False)
    op.create_table(
        "contact_list",
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.child_id"], name=op.f("fk_contact_list_child_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("child_id", name=op.f("pk_contact_list")),
    )
    op.create_table(
        "event",
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=True),
        sa.Column("ref_id", sa.Uuid(), nullable=True),
        sa.Column("guardian_id", sa.Uuid(), nullable=True),
        sa.Column("needs_right", sa.String(length=10), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["child_id"], ["child.child_id"], name=op.f("fk_event_child_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["family_id"], ["family.family_id"], name=op.f("fk_event_family_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["guardian_id"], ["guardian.guardian_id"], name=op.f("fk_event_guardian_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("family_id", "seq", name=op.f("pk_event")),
    )
    op.create_index(op.f("ix_event_created_at"), "event", ["created_at"], unique=False)
    op.create_table(
        "refresh_token",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["session.session_id"], name=op.f("fk_refresh_token_session_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_refresh_token")),
    )
    op.create_index(op.f("ix_refresh_token_session_id"), "refresh_token", ["session_id"], unique=False)
    op.create_table(
        "staff_scope",
        sa.Column("staff_scope_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=True),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(programme_id IS NULL) <> (site_id IS NULL)", name=op.f("ck_staff_scope_staff_scope_one_of")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.programme_id"], name=op.f("fk_staff_scope_programme_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.site_id"], name=op.f("fk_staff_scope_site_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.staff_id"], name=op.f("fk_staff_scope_staff_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("staff_scope_id", name=op.f("pk_staff_scope")),
        sa.UniqueConstraint(
            "staff_id",
            "programme_id",
            "site_id",
            name=op.f("uq_staff_scope_staff_id_programme_id_site_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(op.f("ix_staff_scope_staff_id"), "staff_scope", ["staff_id"], unique=False)
    op.create_table(
        "watch",
        sa.Column("watch_id", sa.Uuid(), nullable=False),
        sa.Column("serial", sa.String(length=20), nullable=False),
        sa.Column("imei", sa.String(length=15), nullable=True),
        sa.Column("model", sa.String(length=40), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("handed_out_to", sa.Uuid(), nullable=True),
        sa.Column("factory_password_hash", sa.String(length=200), nullable=False),
        sa.Column("factory_secret_mark", sa.LargeBinary(), nullable=True),
        sa.Column("iccid", sa.String(length=22), nullable=True),
        sa.Column("sim_holder", sa.String(length=40), nullable=True),
        sa.Column("sim_expires_on", sa.Date(), nullable=True),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["handed_out_to"], ["family.family_id"], name=op.f("fk_watch_handed_out_to"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.site_id"], name=op.f("fk_watch_site_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("watch_id", name=op.f("pk_watch")),
        sa.UniqueConstraint("factory_secret_mark", name=op.f("uq_watch_factory_secret_mark")),
        sa.UniqueConstraint("imei", name=op.f("uq_watch_imei")),
        sa.UniqueConstraint("serial", name=op.f("uq_watch_serial")),
    )
    op.create_index(op.f("ix_watch_site_id"), "watch", ["site_id"], unique=False)
    op.create_table(
        "watch_settings",
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("checkin_interval_s", sa.Integer(), nullable=False),
        sa.Column("location", sa.Boolean(), nullable=False),
        sa.Column("quiet", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("timezone", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("volume_pct", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.child_id"], name=op.f("fk_watch_settings_child_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("child_id", name=op.f("pk_watch_settings")),
    )
    op.create_table(
        "enrolment",
        sa.Column("enrolment_id", sa.Uuid(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("cohort_id", sa.Uuid(), nullable=False),
        sa.Column("guardian_phone", sa.String(length=16), nullable=False),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["cohort_id"], ["cohort.cohort_id"], name=op.f("fk_enrolment_cohort_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["family_id"], ["family.family_id"], name=op.f("fk_enrolment_family_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.site_id"], name=op.f("fk_enrolment_site_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("enrolment_id", name=op.f("pk_enrolment")),
    )
    op.create_index("enrolment_phone", "enrolment", ["guardian_phone"], unique=False)
    op.create_index(
        "enrolment_standing", "enrolment", ["family_id"], unique=True, postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_table(
        "fact",
        sa.Column("fact_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("watch_id", sa.Uuid(), nullable=True),
        sa.Column("child_id", sa.Uuid(), nullable=True),
        sa.Column("family_id", sa.Uuid(), nullable=True),
        sa.Column("ref_id", sa.Uuid(), nullable=True),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["child_id"], ["child.child_id"], name=op.f("fk_fact_child_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["family_id"], ["family.family_id"], name=op.f("fk_fact_family_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["watch_id"], ["watch.watch_id"], name=op.f("fk_fact_watch_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("fact_id", name=op.f("pk_fact")),
    )
    op.create_index(op.f("ix_fact_family_id"), "fact", ["family_id"], unique=False)
    op.create_index(op.f("ix_fact_kind"), "fact", ["kind"], unique=False)
    op.create_index(op.f("ix_fact_received_at"), "fact", ["received_at"], unique=False)
    op.create_index(op.f("ix_fact_watch_id"), "fact", ["watch_id"], unique=False)
    op.create_table(
        "pairing",
        sa.Column("pairing_id", sa.Uuid(), nullable=False),
        sa.Column("watch_id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("guardian_id", sa.Uuid(), nullable=False),
        sa.Column("username", sa.String(length=32), nullable=False),
        sa.Column("sealed_password", sa.LargeBinary(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.String(length=12), nullable=True),
        sa.ForeignKeyConstraint(["child_id"], ["child.child_id"], name=op.f("fk_pairing_child_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["family_id"], ["family.family_id"], name=op.f("fk_pairing_family_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["guardian_id"], ["guardian.guardian_id"], name=op.f("fk_pairing_guardian_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["watch_id"], ["watch.watch_id"], name=op.f("fk_pairing_watch_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pairing_id", name=op.f("pk_pairing")),
        sa.UniqueConstraint("username", name=op.f("uq_pairing_username")),
    )
    op.create_index(op.f("ix_pairing_child_id"), "pairing", ["child_id"], unique=False)
    op.create_index(op.f("ix_pairing_watch_id"), "pairing", ["watch_id"], unique=False)
    op.create_table(
        "watch_identity",
        sa.Column("username", sa.String(length=32), nullable=False),
        sa.Column("watch_id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("installed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("connection_nonce", sa.String(length=36), nullable=False),
        sa.Column("last_hello_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asleep_until_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("clock_skew_s", sa.Integer(), nullable=True),
        sa.Column("hello", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("contacts_acked_version", sa.Integer(), nullable=False),
        sa.Column("contacts_sent_version", sa.Integer(), nullable=False),
        sa.Column("contacts_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("config_acked_version", sa.Integer(), nullable=False),
        sa.Column("config_sent_version", sa.Integer(), nullable=False),
        sa.Column("config_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.child_id"], name=op.f("fk_watch_identity_child_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["family_id"], ["family.family_id"], name=op.f("fk_watch_identity_family_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["watch_id"], ["watch.watch_id"], name=op.f("fk_watch_identity_watch_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("username", name=op.f("pk_watch_identity")),
    )
    op.create_index(
        "identity_of_child", "watch_identity", ["child_id"], unique=True, postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_index(
        "identity_of_watch", "watch_identity", ["watch_id"], unique=True, postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_index(op.f("ix_watch_identity_family_id"), "watch_identity", ["family_id"], unique=False)
    op.create_index(op.f("ix_watch_identity_last_seen_at"), "watch_identity", ["last_seen_at"], unique=False)
    op.create_table(
        "message",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("direction", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("guardian_id", sa.Uuid(), nullable=True),
        sa.Column("client_key", sa.String(length=100), nullable=True),
        sa.Column("username", sa.String(length=None), nullable=True),
        sa.Column("ref", sa.String(length=36), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("sealed_body", sa.LargeBinary(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["child_id"], ["child.child_id"], name=op.f("fk_message_child_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["guardian_id"], ["guardian.guardian_id"], name=op.f("fk_message_guardian_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["username"], ["watch_identity.username"], name=op.f("fk_message_username"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_message")),
        sa.UniqueConstraint("child_id", "seq", name=op.f("uq_message_child_id_seq")),
    )
    op.create_index(op.f("ix_message_ref"), "message", ["ref"], unique=False)
    op.create_index(
        "message_client_key",
        "message",
        ["guardian_id", "client_key"],
        unique=True,
        postgresql_where=sa.text("client_key IS NOT NULL"),
    )
    op.create_index(
        "message_of_watch",
        "message",
        ["username", "ref"],
        unique=True,
        postgresql_where=sa.text("username IS NOT NULL"),
    )
    op.create_table(
        "pairing_code",
        sa.Column("pairing_code_id", sa.Uuid(), nullable=False),
        sa.Column("watch_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_code", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pairing_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["pairing_id"], ["pairing.pairing_id"], name=op.f("fk_pairing_code_pairing_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["watch_id"], ["watch.watch_id"], name=op.f("fk_pairing_code_watch_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pairing_code_id", name=op.f("pk_pairing_code")),
    )
    op.create_index(
        "pairing_code_live", "pairing_code", ["code_hash"], unique=True, postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_index("pairing_code_of_watch", "pairing_code", ["watch_id", "created_at"], unique=False)
    op.create_table(
        "uplink",
        sa.Column("username", sa.String(length=32), nullable=False),
        sa.Column("ref", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("detail", sa.String(length=30), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["username"], ["watch_identity.username"], name=op.f("fk_uplink_username"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("username", "ref", name=op.f("pk_uplink")),
    )
    op.create_index(op.f("ix_uplink_received_at"), "uplink", ["received_at"], unique=False)
    op.create_table(
        "inbox_item",
        sa.Column("inbox_item_id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("ref", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("removed_ref", sa.String(length=36), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("announced_to", sa.String(length=32), nullable=True),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("announcements", sa.Integer(), nullable=False),
        sa.Column("next_announce_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.child_id"], name=op.f("fk_inbox_item_child_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.message_id"], name=op.f("fk_inbox_item_message_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("inbox_item_id", name=op.f("pk_inbox_item")),
        sa.UniqueConstraint("child_id", "ref", name=op.f("uq_inbox_item_child_id_ref")),
        sa.UniqueConstraint("child_id", "seq", name=op.f("uq_inbox_item_child_id_seq")),
    )
    op.create_index(
        "inbox_due", "inbox_item", ["next_announce_at"], unique=False, postgresql_where=sa.text("state = 'waiting'")
    )
    op.create_index(
        "inbox_waiting", "inbox_item", ["child_id", "seq"], unique=False, postgresql_where=sa.text("state = 'waiting'")
    )
    op.create_table(
        "message_recipient",
        sa.Column("recipient_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("guardian_id", sa.Uuid(), nullable=True),
        sa.Column("contact_wire_id", sa.String(length=12), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("detail", sa.String(length=30), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("played_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_state", sa.String(length=10), nullable=True),
        sa.Column("told_state", sa.String(length=10), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["guardian_id"], ["guardian.guardian_id"], name=op.f("fk_message_recipient_guardian_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.message_id"], name=op.f("fk_message_recipient_message_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("recipient_id", name=op.f("pk_message_recipient")),
    )
    op.create_index(
        "recipient_once",
        "message_recipient",
        ["message_id", "guardian_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_index(
        "recipient_undelivered",
        "message_recipient",
        ["state"],
        unique=False,
        postgresql_where=sa.text("state IN ('queued', 'stored')"),
    )


def downgrade() -> None:
    op.drop_index(
        "recipient_undelivered",
        table_name="message_recipient",
        postgresql_where=sa.text("state IN ('queued', 'stored')"),
    )
    op.drop_index("recipient_once", table_name="message_recipient", postgresql_nulls_not_distinct=True)
    op.drop_table("message_recipient")
    op.drop_index("inbox_waiting", table_name="inbox_item", postgresql_where=sa.text("state = 'waiting'"))
    op.drop_index("inbox_due", table_name="inbox_item", postgresql_where=sa.text("state = 'waiting'"))
    op.drop_table("inbox_item")
    op.drop_index(op.f("ix_uplink_received_at"), table_name="uplink")
    op.drop_table("uplink")
    op.drop_index("pairing_code_of_watch", table_name="pairing_code")
    op.drop_index("pairing_code_live", table_name="pairing_code", postgresql_where=sa.text("ended_at IS NULL"))
    op.drop_table("pairing_code")
    op.drop_index("message_of_watch", table_name="message", postgresql_where=sa.text("username IS NOT NULL"))
    op.drop_index("message_client_key", table_name="message", postgresql_where=sa.text("client_key IS NOT NULL"))
    op.drop_index(op.f("ix_message_ref"), table_name="message")
    op.drop_table("message")
    op.drop_index(op.f("ix_watch_identity_last_seen_at"), table_name="watch_identity")
    op.drop_index(op.f("ix_watch_identity_family_id"), table_name="watch_identity")
    op.drop_index("identity_of_watch", table_name="watch_identity", postgresql_where=sa.text("ended_at IS NULL"))
    op.drop_index("identity_of_child", table_name="watch_identity", postgresql_where=sa.text("ended_at IS NULL"))
    op.drop_table("watch_identity")
    op.drop_index(op.f("ix_pairing_watch_id"), table_name="pairing")
    op.drop_index(op.f("ix_pairing_child_id"), table_name="pairing")
    op.drop_table("pairing")
    op.drop_index(op.f("ix_fact_watch_id"), table_name="fact")
    op.drop_index(op.f("ix_fact_received_at"), table_name="fact")
    op.drop_index(op.f("ix_fact_kind"), table_name="fact")
    op.drop_index(op.f("ix_fact_family_id"), table_name="fact")
    op.drop_table("fact")
    op.drop_index("enrolment_standing", table_name="enrolment", postgresql_where=sa.text("ended_at IS NULL"))
    op.drop_index("enrolment_phone", table_name="enrolment")
    op.drop_table("enrolment")
    op.drop_table("watch_settings")
    op.drop_index(op.f("ix_watch_site_id"), table_name="watch")
    op.drop_table("watch")
    op.drop_index(op.f("ix_staff_scope_staff_id"), table_name="staff_scope")
    op.drop_table("staff_scope")
    op.drop_index(op.f("ix_refresh_token_session_id"), table_name="refresh_token")
    op.drop_table("refresh_token")
    op.drop_index(op.f("ix_event_created_at"), table_name="event")
    op.drop_table("event")
    op.drop_table("contact_list")
    op.drop_index(op.f("ix_contact_child_id"), table_name="contact")
    op.drop_index(
        "contact_of_guardian",
        table_name="contact",
        postgresql_where=sa.text("removed_at IS NULL AND guardian_id IS NOT NULL"),
    )
    op.drop_table("contact")
    op.drop_table("cohort")
    op.drop_table("site")
    op.drop_index(op.f("ix_session_guardian_id"), table_name="session")
    op.drop_table("session")
    op.drop_index("pairing_attempt_recent", table_name="pairing_attempt")
    op.drop_table("pairing_attempt")
    op.drop_index("membership_standing", table_name="membership", postgresql_where=sa.text("removed_at IS NULL"))
    op.drop_index(
        "membership_primary", table_name="membership", postgresql_where=sa.text("removed_at IS NULL AND is_primary")
    )
    op.drop_index(op.f("ix_membership_guardian_id"), table_name="membership")
    op.drop_table("membership")
    op.drop_index(op.f("ix_invitation_phone"), table_name="invitation")
    op.drop_index("invitation_standing", table_name="invitation", postgresql_where=sa.text("ended_at IS NULL"))
    op.drop_table("invitation")
    op.drop_index(op.f("ix_consent_family_id"), table_name="consent")
    op.drop_index("consent_standing", table_name="consent", postgresql_where=sa.text("withdrawn_at IS NULL"))
    op.drop_table("consent")
    op.drop_index(op.f("ix_child_family_id"), table_name="child")
    op.drop_table("child")
    op.drop_table("staff")
    op.drop_table("programme")
    op.drop_index("outbox_due", table_name="outbox")
    op.drop_table("outbox")
    op.drop_index(op.f("ix_login_challenge_phone"), table_name="login_challenge")
    op.drop_index(op.f("ix_login_challenge_created_at"), table_name="login_challenge")
    op.drop_table("login_challenge")
    op.drop_table("guardian")
    op.drop_table("family")
    op.drop_index(op.f("ix_audit_family_id"), table_name="audit")
    op.drop_index(op.f("ix_audit_at"), table_name="audit")
    op.drop_table("audit")
