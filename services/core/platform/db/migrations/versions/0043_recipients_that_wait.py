"""Indexes of the few recipients that a read asks for: without them it read every recipient there ever was.

A hello of a watch looked at each message that the watch had sent, and the first screen at each recipient of the table.
"""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

_UNTOLD = (
    "guardian_id IS NOT NULL AND state IN ('delivered', 'played', 'expired', 'rejected')"
    " AND seen_state IS DISTINCT FROM state AND told_state IS DISTINCT FROM state"
)


def upgrade() -> None:
    op.create_index(
        "recipient_unread", "message_recipient", ["guardian_id"],
        postgresql_where=sa.text("state IN ('stored', 'delivered')"),
    )  # fmt: skip
    op.create_index("recipient_untold", "message_recipient", ["guardian_id"], postgresql_where=sa.text(_UNTOLD))
    op.create_index(
        "recipient_unconfirmed", "message_recipient", ["guardian_id"],
        postgresql_where=sa.text("told_state IS NOT NULL AND seen_state IS DISTINCT FROM told_state"),
    )  # fmt: skip


def downgrade() -> None:
    for name in ("recipient_unconfirmed", "recipient_untold", "recipient_unread"):
        op.drop_index(name, table_name="message_recipient")
