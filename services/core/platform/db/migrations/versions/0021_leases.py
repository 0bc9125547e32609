"""Leases: one holder at a time, fenced by a token."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# The lock and the look are two statements, each with its own picture of the table: what changed while the lock was
# waited for is seen.
_IS_HELD = """
CREATE FUNCTION lease_is_held(lease_name text, held_token bigint) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('lease/' || lease_name, 0));
    RETURN EXISTS (SELECT FROM lease WHERE name = lease_name AND token = held_token);
END
$$
"""


def upgrade() -> None:
    op.create_table(
        "lease",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("holder", sa.String(length=100), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.execute(_IS_HELD)


def downgrade() -> None:
    op.execute("DROP FUNCTION lease_is_held(text, bigint)")
    op.drop_table("lease")
