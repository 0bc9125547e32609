"""Privacy: what proves consent, the child's own word, a chained audit log, erasure, exports."""

import hashlib
import json
import uuid
import zlib
from datetime import UTC
from typing import Any

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
    op.create_table(
        "audit_chain",
        sa.Column("chain_id", sa.Uuid(), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", name=op.f("pk_audit_chain")),
    )
    op.add_column("audit", sa.Column("chain_id", sa.Uuid(), nullable=True))
    op.add_column("audit", sa.Column("seq", sa.BigInteger(), nullable=True))
    op.add_column("audit", sa.Column("hash", sa.LargeBinary(), nullable=True))
    _chain_what_is_there(op.get_bind())
    for column in ("chain_id", "seq", "hash"):
        op.alter_column("audit", column, nullable=False)
    op.create_unique_constraint(op.f("uq_audit_chain_id_seq"), "audit", ["chain_id", "seq"])
    op.execute(
        """
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION '% only ever grows', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege'; END $$
        """
    )
    _only_grows("audit")
    _erasure()


def _erasure() -> None:
    op.add_column("family", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("child", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("membership", sa.Column("number_hidden", sa.Boolean(), nullable=False, server_default="false"))
    op.alter_column("membership", "number_hidden", server_default=None)
    op.create_table(
        "wipe_order",
        sa.Column("username", sa.String(length=32), nullable=False),
        sa.Column("watch_id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["watch_id"], ["watch.watch_id"], name=op.f("fk_wipe_order_watch_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("username", name=op.f("pk_wipe_order")),
    )
    for column in ("watch_id", "child_id", "family_id"):
        op.create_index(op.f(f"ix_wipe_order_{column}"), "wipe_order", [column], unique=False)
    op.create_table(
        "erasure_ledger",
        sa.Column("erasure_id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.String(length=10), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("erasure_id", name=op.f("pk_erasure_ledger")),
    )
    _only_grows("erasure_ledger")
    op.create_table(
        "erasure",
        sa.Column("erasure_id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.String(length=10), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rows_gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("erasure_id", name=op.f("pk_erasure")),
    )
    op.create_index(op.f("ix_erasure_family_id"), "erasure", ["family_id"], unique=False)
    op.create_index(
        "erasure_to_finish", "erasure", ["asked_at"], unique=False, postgresql_where=sa.text("rows_gone_at IS NULL")
    )
    op.create_table(
        "contest",
        sa.Column("contest_id", sa.Uuid(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("raised_by", sa.Uuid(), nullable=False),
        sa.Column("about_id", sa.Uuid(), nullable=False),
        sa.Column("right", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["family_id"], ["family.family_id"], name=op.f("fk_contest_family_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["raised_by"], ["guardian.guardian_id"], name=op.f("fk_contest_raised_by"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["about_id"], ["guardian.guardian_id"], name=op.f("fk_contest_about_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("contest_id", name=op.f("pk_contest")),
    )
    op.create_table(
        "export",
        sa.Column("export_id", sa.Uuid(), nullable=False),
        sa.Column("family_id", sa.Uuid(), nullable=False),
        sa.Column("guardian_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["family_id"], ["family.family_id"], name=op.f("fk_export_family_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["guardian_id"], ["guardian.guardian_id"], name=op.f("fk_export_guardian_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("export_id", name=op.f("pk_export")),
    )
    op.create_index(op.f("ix_export_family_id"), "export", ["family_id"], unique=False)
    op.create_index(
        "export_running", "export", ["guardian_id"], unique=True,
        postgresql_where=sa.text("state IN ('waiting', 'running')"),
    )  # fmt: skip
    op.add_column("blob", sa.Column("export_id", sa.Uuid(), nullable=True))
    op.create_index(op.f("ix_blob_export_id"), "blob", ["export_id"], unique=False)
    op.create_foreign_key(
        op.f("fk_blob_export_id"), "blob", "export", ["export_id"], ["export_id"], ondelete="SET NULL"
    )
    op.create_index(op.f("ix_contest_family_id"), "contest", ["family_id"], unique=False)
    op.create_index(
        "contest_open", "contest", ["family_id", "raised_by", "about_id", "right"], unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )  # fmt: skip


def _only_grows(table: str) -> None:
    op.execute(
        f"CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _chain_what_is_there(connection: sa.Connection) -> None:
    """Chain the entries of before, in the order of their times. The form is that of this revision, whatever comes."""
    entries = connection.execute(
        sa.text(
            "SELECT audit_id, at, actor_kind, actor_id, action, outcome, reason, family_id, subject_id "
            "FROM audit ORDER BY at, audit_id"
        )
    ).all()
    ends: dict[uuid.UUID, tuple[int, bytes]] = {}
    for entry in entries:
        chain = entry.family_id or uuid.UUID(int=zlib.crc32(f"{entry.actor_kind}/{entry.actor_id}".encode()) % 8)
        length, head = ends.get(chain, (0, hashlib.sha256(b"smartwatch/audit/" + chain.bytes).digest()))
        canonical: list[Any] = [
            str(chain), length + 1, str(entry.audit_id), entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
            entry.actor_kind, entry.actor_id, entry.action, entry.outcome, entry.reason,
            None if entry.family_id is None else str(entry.family_id), entry.subject_id,
        ]  # fmt: skip
        head = hashlib.sha256(head + json.dumps(canonical, separators=(",", ":")).encode()).digest()
        ends[chain] = (length + 1, head)
        connection.execute(
            sa.text("UPDATE audit SET chain_id = :chain, seq = :seq, hash = :hash WHERE audit_id = :audit_id"),
            {"chain": chain, "seq": length + 1, "hash": head, "audit_id": entry.audit_id},
        )
    for chain, (length, head) in ends.items():
        connection.execute(
            sa.text("INSERT INTO audit_chain (chain_id, length, head) VALUES (:chain, :length, :head)"),
            {"chain": chain, "length": length, "head": head},
        )


def downgrade() -> None:
    op.drop_column("blob", "export_id")
    for table in ("export", "contest", "erasure", "erasure_ledger", "wipe_order"):
        op.drop_table(table)
    op.drop_column("membership", "number_hidden")
    op.drop_column("child", "erased_at")
    op.drop_column("family", "erased_at")
    op.execute("DROP TRIGGER only_grows ON audit")
    op.execute("DROP FUNCTION refuse_change()")
    op.drop_constraint(op.f("uq_audit_chain_id_seq"), "audit", type_="unique")
    for column in ("hash", "seq", "chain_id"):
        op.drop_column("audit", column)
    op.drop_table("audit_chain")
    op.drop_table("child_agreement")
    op.drop_column("child", "sealed_birth_date")
    op.drop_column("consent", "form_number")
    op.drop_column("consent", "witness")
