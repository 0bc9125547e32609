"""The boot of a pairing's first hello; numbers that are known to receive text messages."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("watch_identity", sa.Column("first_boot", sa.BigInteger(), nullable=True))
    op.add_column("guardian", sa.Column("phone_confirmed_at", sa.DateTime(timezone=True), nullable=True))
    # Whoever has logged in so far did so by a code, but for the few who used a slip: they are taken to be reachable.
    op.execute(
        "UPDATE guardian SET phone_confirmed_at = (SELECT min(created_at) FROM session"
        " WHERE session.guardian_id = guardian.guardian_id) WHERE NOT awaits_first_log_in"
    )


def downgrade() -> None:
    op.drop_column("guardian", "phone_confirmed_at")
    op.drop_column("watch_identity", "first_boot")
