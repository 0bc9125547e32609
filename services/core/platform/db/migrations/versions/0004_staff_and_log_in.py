"""Limits, log-in and staff."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "limit_bucket",
        sa.Column("bucket_key", sa.LargeBinary(), nullable=False),
        sa.Column("tokens", sa.Float(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("filled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("full_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("bucket_key", name=op.f("pk_limit_bucket")),
        prefixes=["UNLOGGED"],
    )
    op.create_index(op.f("ix_limit_bucket_full_at"), "limit_bucket", ["full_at"], unique=False)
    op.create_table(
        "guardian_device",
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("guardian_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("trusted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["guardian_id"], ["guardian.guardian_id"], name=op.f("fk_guardian_device_guardian_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_guardian_device")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_guardian_device_token_hash")),
    )
    op.create_index(op.f("ix_guardian_device_guardian_id"), "guardian_device", ["guardian_id"], unique=False)
    op.create_table(
        "staff_recovery_code",
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.staff_id"], name=op.f("fk_staff_recovery_code_staff_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_staff_recovery_code")),
    )
    op.create_index(op.f("ix_staff_recovery_code_staff_id"), "staff_recovery_code", ["staff_id"], unique=False)
    op.create_table(
        "staff_session",
        sa.Column("staff_session_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.staff_id"], name=op.f("fk_staff_session_staff_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("staff_session_id", name=op.f("pk_staff_session")),
    )
    op.create_index(op.f("ix_staff_session_staff_id"), "staff_session", ["staff_id"], unique=False)
    op.create_table(
        "break_glass",
        sa.Column("break_glass_id", sa.Uuid(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("tell_after_days", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("delay_approved_by", sa.Uuid(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tell_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["approved_by"], ["staff.staff_id"], name=op.f("fk_break_glass_approved_by")),
        sa.ForeignKeyConstraint(["asked_by"], ["staff.staff_id"], name=op.f("fk_break_glass_asked_by")),
        sa.ForeignKeyConstraint(
            ["delay_approved_by"], ["staff.staff_id"], name=op.f("fk_break_glass_delay_approved_by")
        ),
        sa.ForeignKeyConstraint(
            ["family_id"], ["family.family_id"], name=op.f("fk_break_glass_family_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.site_id"], name=op.f("fk_break_glass_site_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("break_glass_id", name=op.f("pk_break_glass")),
    )
    op.create_index(
        "break_glass_to_tell", "break_glass", ["tell_at"], unique=False, postgresql_where=sa.text("told_at IS NULL")
    )
    op.create_index(op.f("ix_break_glass_family_id"), "break_glass", ["family_id"], unique=False)
    op.create_index(op.f("ix_break_glass_site_id"), "break_glass", ["site_id"], unique=False)
    op.create_table(
        "hand_out",
        sa.Column("hand_out_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("families", sa.Integer(), nullable=False),
        sa.Column("codes_left", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["opened_by"], ["staff.staff_id"], name=op.f("fk_hand_out_opened_by")),
        sa.ForeignKeyConstraint(["site_id"], ["site.site_id"], name=op.f("fk_hand_out_site_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("hand_out_id", name=op.f("pk_hand_out")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_hand_out_code_hash")),
    )
    op.create_index(op.f("ix_hand_out_site_id"), "hand_out", ["site_id"], unique=False)
    op.create_table(
        "recovery",
        sa.Column("recovery_id", sa.Uuid(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("guardian_id", sa.Uuid(), nullable=False),
        sa.Column("new_phone", sa.String(length=16), nullable=False),
        sa.Column("form_number", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["approved_by"], ["staff.staff_id"], name=op.f("fk_recovery_approved_by")),
        sa.ForeignKeyConstraint(["asked_by"], ["staff.staff_id"], name=op.f("fk_recovery_asked_by")),
        sa.ForeignKeyConstraint(
            ["family_id"], ["family.family_id"], name=op.f("fk_recovery_family_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["guardian_id"], ["guardian.guardian_id"], name=op.f("fk_recovery_guardian_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.site_id"], name=op.f("fk_recovery_site_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("recovery_id", name=op.f("pk_recovery")),
    )
    op.create_index(op.f("ix_recovery_site_id"), "recovery", ["site_id"], unique=False)
    op.create_index("recovery_due", "recovery", ["due_at"], unique=False, postgresql_where=sa.text("state = 'waiting'"))
    op.create_index(
        "recovery_standing",
        "recovery",
        ["family_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('asked', 'waiting')"),
    )
    op.create_table(
        "staff_refresh_token",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("staff_session_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_session_id"],
            ["staff_session.staff_session_id"],
            name=op.f("fk_staff_refresh_token_staff_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_staff_refresh_token")),
    )
    op.create_index(
        op.f("ix_staff_refresh_token_staff_session_id"), "staff_refresh_token", ["staff_session_id"], unique=False
    )
    op.create_table(
        "log_in_slip",
        sa.Column("slip_id", sa.Uuid(), nullable=False),
        sa.Column("hand_out_id", sa.Uuid(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("printed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["family_id"], ["family.family_id"], name=op.f("fk_log_in_slip_family_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["hand_out_id"], ["hand_out.hand_out_id"], name=op.f("fk_log_in_slip_hand_out_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("slip_id", name=op.f("pk_log_in_slip")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_log_in_slip_code_hash")),
        sa.UniqueConstraint("hand_out_id", "family_id", name=op.f("uq_log_in_slip_hand_out_id_family_id")),
    )
    op.create_index(op.f("ix_log_in_slip_family_id"), "log_in_slip", ["family_id"], unique=False)
    op.add_column("guardian", sa.Column("pin_hash", sa.LargeBinary(), nullable=True))
    op.add_column(
        "guardian", sa.Column("awaits_first_log_in", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column(
        "login_challenge",
        sa.Column("secret_hash", sa.LargeBinary(), server_default=sa.text("''::bytea"), nullable=False),
    )
    op.add_column(
        "login_challenge", sa.Column("asked_by", sa.LargeBinary(), server_default=sa.text("''::bytea"), nullable=False)
    )
    op.add_column("session", sa.Column("device_id", sa.Uuid(), nullable=True))
    op.add_column("session", sa.Column("limited", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_index(op.f("ix_session_device_id"), "session", ["device_id"], unique=False)
    op.create_foreign_key(
        op.f("fk_session_device_id"), "session", "guardian_device", ["device_id"], ["device_id"], ondelete="SET NULL"
    )
    op.add_column("staff", sa.Column("sealed_totp", sa.LargeBinary(), nullable=True))
    op.add_column("staff", sa.Column("totp_confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("staff", sa.Column("totp_used_step", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("staff", "totp_used_step")
    op.drop_column("staff", "totp_confirmed_at")
    op.drop_column("staff", "sealed_totp")
    op.drop_constraint(op.f("fk_session_device_id"), "session", type_="foreignkey")
    op.drop_index(op.f("ix_session_device_id"), table_name="session")
    op.drop_column("session", "limited")
    op.drop_column("session", "device_id")
    op.drop_column("login_challenge", "asked_by")
    op.drop_column("login_challenge", "secret_hash")
    op.drop_column("guardian", "awaits_first_log_in")
    op.drop_column("guardian", "pin_hash")
    op.drop_index(op.f("ix_log_in_slip_family_id"), table_name="log_in_slip")
    op.drop_table("log_in_slip")
    op.drop_index(op.f("ix_staff_refresh_token_staff_session_id"), table_name="staff_refresh_token")
    op.drop_table("staff_refresh_token")
    op.drop_index("recovery_standing", table_name="recovery", postgresql_where=sa.text("state IN ('asked', 'waiting')"))
    op.drop_index("recovery_due", table_name="recovery", postgresql_where=sa.text("state = 'waiting'"))
    op.drop_index(op.f("ix_recovery_site_id"), table_name="recovery")
    op.drop_table("recovery")
    op.drop_index(op.f("ix_hand_out_site_id"), table_name="hand_out")
    op.drop_table("hand_out")
    op.drop_index(op.f("ix_break_glass_site_id"), table_name="break_glass")
    op.drop_index(op.f("ix_break_glass_family_id"), table_name="break_glass")
    op.drop_index("break_glass_to_tell", table_name="break_glass", postgresql_where=sa.text("told_at IS NULL"))
    op.drop_table("break_glass")
    op.drop_index(op.f("ix_staff_session_staff_id"), table_name="staff_session")
    op.drop_table("staff_session")
    op.drop_index(op.f("ix_staff_recovery_code_staff_id"), table_name="staff_recovery_code")
    op.drop_table("staff_recovery_code")
    op.drop_index(op.f("ix_guardian_device_guardian_id"), table_name="guardian_device")
    op.drop_table("guardian_device")
    op.drop_index(op.f("ix_limit_bucket_full_at"), table_name="limit_bucket")
    op.drop_table("limit_bucket")
