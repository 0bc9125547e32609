"""Privacy notices of sites, and the version of the notice with each consent.

Consents from before have no version; a site that states nothing yet is refused by production alone.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_TEXTS = {
    "controller_name": 120, "controller_address": 240, "controller_contact": 120, "authority_name": 120,
    "authority_contact": 120, "officer_name": 120, "officer_contact": 120, "filing_number": 60,
}  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "privacy_notice",
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.String(length), nullable=False) for name, length in _TEXTS.items()),
        sa.Column("processors", postgresql.JSONB(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "version", name="pk_privacy_notice"),
        sa.ForeignKeyConstraint(["site_id"], ["site.site_id"], name="fk_privacy_notice_site_id", ondelete="CASCADE"),
    )
    op.add_column("consent", sa.Column("notice_version", sa.String(20), nullable=True))


def downgrade() -> None:
    op.drop_column("consent", "notice_version")
    op.drop_table("privacy_notice")
