"""Voice: clips, what is made of them, and where their bytes are."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "blob",
        sa.Column("blob_id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["child_id"], ["child.child_id"], name=op.f("fk_blob_child_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("blob_id", name=op.f("pk_blob")),
    )
    op.create_index(
        "blob_to_sweep", "blob", ["state", "changed_at"], unique=False, postgresql_where=sa.text("state <> 'kept'")
    )
    op.create_index(op.f("ix_blob_child_id"), "blob", ["child_id"], unique=False)
    op.create_table(
        "phone_upload",
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("guardian_id", sa.Uuid(), nullable=False),
        sa.Column("client_key", sa.String(length=100), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("offset", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.child_id"], name=op.f("fk_phone_upload_child_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["guardian_id"], ["guardian.guardian_id"], name=op.f("fk_phone_upload_guardian_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("upload_id", name=op.f("pk_phone_upload")),
        sa.UniqueConstraint("guardian_id", "client_key", name=op.f("uq_phone_upload_guardian_id_client_key")),
    )
    op.create_index(op.f("ix_phone_upload_expires_at"), "phone_upload", ["expires_at"], unique=False)
    op.create_table(
        "clip",
        sa.Column("clip_id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("blob_id", sa.Uuid(), nullable=True),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("claimed_codec", sa.String(length=32), nullable=True),
        sa.Column("claimed_ms", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("media", sa.String(length=12), nullable=True),
        sa.Column("channels", sa.Integer(), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("sealed_bars", sa.LargeBinary(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["blob_id"], ["blob.blob_id"], name=op.f("fk_clip_blob_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["child_id"], ["child.child_id"], name=op.f("fk_clip_child_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("clip_id", name=op.f("pk_clip")),
    )
    op.create_index(op.f("ix_clip_blob_id"), "clip", ["blob_id"], unique=False)
    op.create_index(op.f("ix_clip_child_id"), "clip", ["child_id"], unique=False)
    op.create_table(
        "phone_upload_part",
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("offset", sa.Integer(), nullable=False),
        sa.Column("sealed_sound", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["upload_id"], ["phone_upload.upload_id"], name=op.f("fk_phone_upload_part_upload_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("upload_id", "offset", name=op.f("pk_phone_upload_part")),
    )
    op.create_table(
        "clip_chunk",
        sa.Column("username", sa.String(length=32), nullable=False),
        sa.Column("ref", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("sealed_sound", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["username"], ["watch_identity.username"], name=op.f("fk_clip_chunk_username"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("username", "ref", "number", name=op.f("pk_clip_chunk")),
    )
    op.create_index(op.f("ix_clip_chunk_received_at"), "clip_chunk", ["received_at"], unique=False)
    op.create_table(
        "rendition",
        sa.Column("rendition_id", sa.Uuid(), nullable=False),
        sa.Column("clip_id", sa.Uuid(), nullable=False),
        sa.Column("form", sa.String(length=10), nullable=False),
        sa.Column("max_bytes", sa.Integer(), nullable=False),
        sa.Column("blob_id", sa.Uuid(), nullable=True),
        sa.Column("failure", sa.String(length=30), nullable=True),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("bit_rate", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["blob_id"], ["blob.blob_id"], name=op.f("fk_rendition_blob_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["clip_id"], ["clip.clip_id"], name=op.f("fk_rendition_clip_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("rendition_id", name=op.f("pk_rendition")),
        sa.UniqueConstraint("clip_id", "form", "max_bytes", name=op.f("uq_rendition_clip_id_form_max_bytes")),
    )
    op.create_index(op.f("ix_rendition_blob_id"), "rendition", ["blob_id"], unique=False)
    op.create_table(
        "kept_message",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("guardian_id", sa.Uuid(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["guardian_id"], ["guardian.guardian_id"], name=op.f("fk_kept_message_guardian_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.message_id"], name=op.f("fk_kept_message_message_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("message_id", "guardian_id", name=op.f("pk_kept_message")),
    )
    op.add_column("inbox_item", sa.Column("fetched_from", sa.Integer(), nullable=False, server_default="-1"))
    op.alter_column("inbox_item", "fetched_from", server_default=None)
    op.add_column("inbox_item", sa.Column("fetch_stalls", sa.Integer(), nullable=False, server_default="0"))
    op.alter_column("inbox_item", "fetch_stalls", server_default=None)
    op.add_column("inbox_item", sa.Column("fetch_restarts", sa.Integer(), nullable=False, server_default="0"))
    op.alter_column("inbox_item", "fetch_restarts", server_default=None)
    op.add_column("inbox_item", sa.Column("aside_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("message", sa.Column("clip_id", sa.Uuid(), nullable=True))
    op.create_index(op.f("ix_message_clip_id"), "message", ["clip_id"], unique=False)
    op.create_index(
        "message_voice", "message", ["received_at"], unique=False, postgresql_where=sa.text("kind = 'voice'")
    )
    op.create_foreign_key(op.f("fk_message_clip_id"), "message", "clip", ["clip_id"], ["clip_id"], ondelete="CASCADE")


def downgrade() -> None:
    op.drop_constraint(op.f("fk_message_clip_id"), "message", type_="foreignkey")
    op.drop_index("message_voice", table_name="message", postgresql_where=sa.text("kind = 'voice'"))
    op.drop_index(op.f("ix_message_clip_id"), table_name="message")
    op.drop_column("message", "clip_id")
    op.drop_column("inbox_item", "aside_until")
    op.drop_column("inbox_item", "fetch_restarts")
    op.drop_column("inbox_item", "fetch_stalls")
    op.drop_column("inbox_item", "fetched_from")
    op.drop_table("kept_message")
    op.drop_index(op.f("ix_rendition_blob_id"), table_name="rendition")
    op.drop_table("rendition")
    op.drop_index(op.f("ix_clip_chunk_received_at"), table_name="clip_chunk")
    op.drop_table("clip_chunk")
    op.drop_table("phone_upload_part")
    op.drop_index(op.f("ix_clip_child_id"), table_name="clip")
    op.drop_index(op.f("ix_clip_blob_id"), table_name="clip")
    op.drop_table("clip")
    op.drop_index(op.f("ix_phone_upload_expires_at"), table_name="phone_upload")
    op.drop_table("phone_upload")
    op.drop_index(op.f("ix_blob_child_id"), table_name="blob")
    op.drop_index("blob_to_sweep", table_name="blob", postgresql_where=sa.text("state <> 'kept'"))
    op.drop_table("blob")
