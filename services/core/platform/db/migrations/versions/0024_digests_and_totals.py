"""No plain digest outlives its content; running totals of uploads from watches."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Digests that are not keyed: an empty one makes the key or the id alone a repeat.
    op.execute("UPDATE message SET fingerprint = '' WHERE fingerprint <> ''")
    op.execute("UPDATE clip SET sha256 = '' WHERE state = 'gone'")
    op.create_index(
        "uplink_fingerprint", "uplink", ["received_at"], unique=False, postgresql_where=sa.text("fingerprint <> ''")
    )
    op.create_table(
        "audio_upload",
        sa.Column("username", sa.String(length=32), nullable=False),
        sa.Column("ref", sa.String(length=36), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["username"], ["watch_identity.username"], name=op.f("fk_audio_upload_username"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("username", "ref", name=op.f("pk_audio_upload")),
    )
    op.create_index("audio_upload_oldest", "audio_upload", ["username", "received_at"], unique=False)
    op.create_index(op.f("ix_audio_upload_received_at"), "audio_upload", ["received_at"], unique=False)
    op.create_table(
        "audio_upload_total",
        sa.Column("username", sa.String(length=32), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["username"], ["watch_identity.username"], name=op.f("fk_audio_upload_total_username"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("username", name=op.f("pk_audio_upload_total")),
    )
    op.execute(
        "INSERT INTO audio_upload (username, ref, size_bytes, received_at)"
        " SELECT username, ref, sum(size_bytes), max(received_at) FROM clip_chunk GROUP BY username, ref"
    )
    op.execute(
        "INSERT INTO audio_upload_total (username, size_bytes)"
        " SELECT username, sum(size_bytes) FROM audio_upload GROUP BY username"
    )


def downgrade() -> None:
    op.drop_table("audio_upload_total")
    op.drop_table("audio_upload")
    op.drop_index("uplink_fingerprint", table_name="uplink")
