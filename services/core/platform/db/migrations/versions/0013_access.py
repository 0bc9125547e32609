"""The paper behind a change of an account; open event streams."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("enrolment", sa.Column("form_number", sa.String(length=40), nullable=True))
    # A change that waits has to be asked for again: what its paper's number was cannot be known from here.
    op.execute("UPDATE recovery SET state = 'withdrawn', new_phone = '', ended_at = now() WHERE ended_at IS NULL")
    op.add_column(
        "recovery", sa.Column("document", sa.String(length=20), nullable=False, server_default="enrolment_form")
    )
    op.add_column(
        "recovery", sa.Column("number_hash", sa.LargeBinary(), nullable=False, server_default=sa.text("''::bytea"))
    )
    op.alter_column("recovery", "document", server_default=None)
    op.alter_column("recovery", "number_hash", server_default=None)
    op.drop_column("recovery", "form_number")
    op.create_table(
        "open_stream",
        sa.Column("stream_no", sa.BigInteger(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("guardian_id", sa.Uuid(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["guardian_id"], ["guardian.guardian_id"], name=op.f("fk_open_stream_guardian_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["session.session_id"], name=op.f("fk_open_stream_session_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("stream_no", name=op.f("pk_open_stream")),
    )
    for column in ("guardian_id", "opened_at", "session_id"):
        op.create_index(op.f(f"ix_open_stream_{column}"), "open_stream", [column], unique=False)


def downgrade() -> None:
    op.drop_table("open_stream")
    op.add_column("recovery", sa.Column("form_number", sa.String(length=40), nullable=False, server_default=""))
    op.alter_column("recovery", "form_number", server_default=None)
    op.drop_column("recovery", "number_hash")
    op.drop_column("recovery", "document")
    op.drop_column("enrolment", "form_number")
