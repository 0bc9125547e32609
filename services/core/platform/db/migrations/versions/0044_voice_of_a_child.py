"""The recordings of a child by time: the first screen asks which of them end soon, and read those of all children."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "message_voice_of_child", "message", ["child_id", "received_at"], postgresql_where=sa.text("kind = 'voice'")
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("message_voice_of_child", table_name="message")
