"""Rounds of calls about an alert, their answers, and the phone contacts who live with a child.

Everything is nullable, has a default or is a new table: older code works on this schema.
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def _time(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    for name in ("seen_at", "state_at", "called_at", "calling_until_at", "check_at", "check_asked_at", "all_right_at"):
        op.add_column("alert", _time(name))
    op.add_column("alert", sa.Column("state", sa.String(12), nullable=True))
    op.add_column("alert", sa.Column("calling_step", sa.String(10), nullable=True))
    op.add_column("alert", sa.Column("calling_round", sa.Integer(), server_default="0", nullable=False))
    op.add_column("alert", sa.Column("all_right_by", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        "fk_alert_all_right_by", "alert", "guardian", ["all_right_by"], ["guardian_id"], ondelete="SET NULL"
    )
    op.create_index("alert_to_check", "alert", ["check_at"], postgresql_where=sa.text("check_at IS NOT NULL"))
    op.create_table(
        "alert_call",
        sa.Column("call_id", sa.Uuid(), primary_key=True),
        sa.Column("alert_id", sa.Uuid(), sa.ForeignKey("alert.alert_id", ondelete="CASCADE"), nullable=False),
        sa.Column("round_no", sa.Integer(), nullable=False),
        sa.Column("guardian_id", sa.Uuid(), sa.ForeignKey("guardian.guardian_id", ondelete="SET NULL")),
        sa.Column("contact_id", sa.Uuid(), sa.ForeignKey("contact.contact_id", ondelete="SET NULL")),
        _time("called_at", nullable=False),
    )
    op.create_index("ix_alert_call_alert_id", "alert_call", ["alert_id"])
    op.create_table(
        "alert_answer",
        sa.Column("answer_id", sa.Uuid(), primary_key=True),
        sa.Column("alert_id", sa.Uuid(), sa.ForeignKey("alert.alert_id", ondelete="CASCADE"), nullable=False),
        sa.Column("guardian_id", sa.Uuid(), sa.ForeignKey("guardian.guardian_id", ondelete="SET NULL")),
        sa.Column("answer", sa.String(12), nullable=False),
        _time("tapped_at", nullable=False),
        _time("answered_at", nullable=False),
    )
    op.create_index("ix_alert_answer_alert_id", "alert_answer", ["alert_id"])
    op.create_table(
        "contact_agreement",
        sa.Column("agreement_id", sa.Uuid(), primary_key=True),
        sa.Column("contact_id", sa.Uuid(), sa.ForeignKey("contact.contact_id", ondelete="CASCADE"), nullable=False),
        sa.Column("child_id", sa.Uuid(), sa.ForeignKey("child.child_id", ondelete="CASCADE"), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), sa.ForeignKey("guardian.guardian_id", ondelete="SET NULL")),
        sa.Column("how", sa.String(10), nullable=False),
        sa.Column("witness", sa.String(40)),
        sa.Column("form_number", sa.String(40)),
        _time("given_at", nullable=False),
        _time("ended_at"),
    )
    op.create_index("ix_contact_agreement_child_id", "contact_agreement", ["child_id"])
    op.create_index(
        "contact_agreement_standing", "contact_agreement", ["contact_id"], unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )  # fmt: skip


def downgrade() -> None:
    message = "the schema only grows"
    raise NotImplementedError(message)
