"""Alerts, commands to watches, push endpoints; presence, battery and availability."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alert",
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("username", sa.String(length=32), nullable=True),
        sa.Column("watch_id", sa.Uuid(), nullable=True),
        sa.Column("ref", sa.String(length=36), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.Uuid(), nullable=True),
        sa.Column("seen_by", sa.String(length=12), nullable=True),
        sa.Column("seen_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("escalate_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("escalated_to", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["child_id"], ["child.child_id"], name=op.f("fk_alert_child_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["family_id"], ["family.family_id"], name=op.f("fk_alert_family_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["username"], ["watch_identity.username"], name=op.f("fk_alert_username"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["watch_id"], ["watch.watch_id"], name=op.f("fk_alert_watch_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["acknowledged_by"], ["guardian.guardian_id"], name=op.f("fk_alert_acknowledged_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("alert_id", name=op.f("pk_alert")),
    )
    op.create_index(
        "alert_of_watch", "alert", ["username", "ref"], unique=True, postgresql_where=sa.text("ref IS NOT NULL")
    )
    op.create_index("alert_of_child", "alert", ["child_id", "raised_at"], unique=False)
    op.create_index(
        "alert_escalating",
        "alert",
        ["escalate_at"],
        unique=False,
        postgresql_where=sa.text("escalate_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_alert_family_id"), "alert", ["family_id"], unique=False)
    op.create_index(op.f("ix_alert_raised_at"), "alert", ["raised_at"], unique=False)
    op.create_table(
        "watch_command",
        sa.Column("command_id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("username", sa.String(length=32), nullable=False),
        sa.Column("ref", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("by_wire_id", sa.String(length=12), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("detail", sa.String(length=32), nullable=True),
        sa.Column("ttl_s", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.child_id"], name=op.f("fk_watch_command_child_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["family_id"], ["family.family_id"], name=op.f("fk_watch_command_family_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["username"], ["watch_identity.username"], name=op.f("fk_watch_command_username"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["guardian.guardian_id"], name=op.f("fk_watch_command_asked_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("command_id", name=op.f("pk_watch_command")),
        sa.UniqueConstraint("username", "ref", name=op.f("uq_watch_command_username_ref")),
    )
    op.create_index("command_of_child", "watch_command", ["child_id", "asked_at"], unique=False)
    op.create_index(
        "command_open",
        "watch_command",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('waiting', 'sent', 'delivered')"),
    )
    op.create_index(op.f("ix_watch_command_family_id"), "watch_command", ["family_id"], unique=False)
    op.create_table(
        "push_endpoint",
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("guardian_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failing_since_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["guardian_id"], ["guardian.guardian_id"], name=op.f("fk_push_endpoint_guardian_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["session.session_id"], name=op.f("fk_push_endpoint_session_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("endpoint_id", name=op.f("pk_push_endpoint")),
        sa.UniqueConstraint("guardian_id", "mark", name=op.f("uq_push_endpoint_guardian_id_mark")),
    )
    op.create_index(op.f("ix_push_endpoint_session_id"), "push_endpoint", ["session_id"], unique=False)

    op.add_column("guardian", sa.Column("busy_until_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("watch_identity", sa.Column("gone_by", sa.String(length=10), nullable=False, server_default=""))
    op.alter_column("watch_identity", "gone_by", server_default=None)
    op.add_column("watch_identity", sa.Column("presence_since_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("watch_identity", sa.Column("keepalive_s", sa.Integer(), nullable=False, server_default="1200"))
    op.alter_column("watch_identity", "keepalive_s", server_default=None)
    op.add_column("watch_identity", sa.Column("battery_pct", sa.Integer(), nullable=True))
    op.add_column("watch_identity", sa.Column("battery_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("watch_identity", sa.Column("battery_before_pct", sa.Integer(), nullable=True))
    op.add_column("watch_identity", sa.Column("battery_before_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("watch_settings", sa.Column("utc_offset_s", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("watch_settings", "utc_offset_s")
    for column in (
        "battery_before_at",
        "battery_before_pct",
        "battery_at",
        "battery_pct",
        "keepalive_s",
        "presence_since_at",
        "gone_by",
    ):
        op.drop_column("watch_identity", column)
    op.drop_column("guardian", "busy_until_at")
    op.drop_table("push_endpoint")
    op.drop_table("watch_command")
    op.drop_table("alert")
