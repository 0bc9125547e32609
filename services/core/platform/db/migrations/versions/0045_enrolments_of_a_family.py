"""The enrolments of a family, ended ones too: the first screen read those of all families to find them."""

from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("enrolment_of_family", "enrolment", ["family_id", "enrolled_at"])


def downgrade() -> None:
    op.drop_index("enrolment_of_family", table_name="enrolment")
