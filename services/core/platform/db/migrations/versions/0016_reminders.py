"""Reminders of a family's day, and those after which a message followed."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_COLUMNS = ("reminders", "reminders_followed")


def upgrade() -> None:
    for name in _COLUMNS:
        op.add_column("family_day", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
        op.alter_column("family_day", name, server_default=None)
    # What was noted so far has not been counted into a day.
    op.execute("UPDATE fact SET counted = false WHERE kind IN ('starter_followed', 'starter_not_followed')")


def downgrade() -> None:
    for name in _COLUMNS:
        op.drop_column("family_day", name)
