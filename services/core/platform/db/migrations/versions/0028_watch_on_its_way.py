"""The state of a watch on its way to the child, from its pairing until it is in use.

Pairings that stand at this moment have no such state: their watches count as arrived, as before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("watch_presence", sa.Column("on_its_way_since_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("watch_presence", sa.Column("silent_on_the_way_since_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("watch_presence", sa.Column("worn_on_arrival_s", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("watch_presence", "worn_on_arrival_s")
    op.drop_column("watch_presence", "silent_on_the_way_since_at")
    op.drop_column("watch_presence", "on_its_way_since_at")
