"""Places: check-ins cut by month, the latest of each child, safe zones."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0007"
branch_labels = None
depends_on = None

# The role of the processes makes and drops no table. These two do it for the worker, with the owner's rights, and can do
# nothing else: the month's name and bounds follow from its first second, and only the first second of a month is taken.
_MAKE_MONTH = """
CREATE FUNCTION checkin_make_month(first_tst bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    month timestamp := to_timestamp(first_tst) AT TIME ZONE 'UTC';
    after_tst bigint := extract(epoch FROM (month + interval '1 month') AT TIME ZONE 'UTC');
    name text := 'checkin_' || to_char(month, 'YYYY_MM');
    moved bigint;
BEGIN
    IF month <> date_trunc('month', month) THEN
        RAISE EXCEPTION 'no first second of a month' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- The whole table at once: a writer between our steps would wait for us with a lock that we need.
    LOCK TABLE public.checkin IN ACCESS EXCLUSIVE MODE;
    IF to_regclass(format('checkin_months.%I', name)) IS NOT NULL THEN
        RETURN NULL;
    END IF;
    EXECUTE format('CREATE TABLE checkin_months.%I (LIKE public.checkin INCLUDING ALL)', name);
    EXECUTE format(
        'WITH moved AS (DELETE FROM checkin_months.checkin_default WHERE tst >= %s AND tst < %s RETURNING *)'
        ' INSERT INTO checkin_months.%I SELECT * FROM moved', first_tst, after_tst, name);
    GET DIAGNOSTICS moved = ROW_COUNT;
    EXECUTE format(
        'ALTER TABLE public.checkin ATTACH PARTITION checkin_months.%I FOR VALUES FROM (%s) TO (%s)',
        name, first_tst, after_tst);
    RETURN moved;
END $$
"""
_DROP_MONTH = """
CREATE FUNCTION checkin_drop_month(first_tst bigint, oldest timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    name text := 'checkin_' || to_char(to_timestamp(first_tst) AT TIME ZONE 'UTC', 'YYYY_MM');
BEGIN
    LOCK TABLE public.checkin IN ACCESS EXCLUSIVE MODE;
    IF to_regclass(format('checkin_months.%I', name)) IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format('ALTER TABLE public.checkin DETACH PARTITION checkin_months.%I', name);
    EXECUTE format(
        'INSERT INTO checkin_months.checkin_default SELECT * FROM checkin_months.%I WHERE happened_at >= $1', name)
        USING oldest;
    EXECUTE format('DROP TABLE checkin_months.%I', name);
END $$
"""


def upgrade() -> None:
    op.create_table(
        "checkin",
        sa.Column("username", sa.String(length=32), nullable=False),
        sa.Column("ref", sa.String(length=36), nullable=False),
        sa.Column("tst", sa.BigInteger(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content_mark", sa.LargeBinary(), nullable=False),
        sa.Column("quality", sa.String(length=4), nullable=False),
        sa.Column("reasons", sa.String(length=160), nullable=False),
        sa.Column("accuracy_m", sa.Float(), nullable=True),
        sa.Column("source", sa.String(length=32), nullable=True),
        sa.Column("sealed_place", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["child_id"], ["child.child_id"], name=op.f("fk_checkin_child_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("username", "ref", "tst", name=op.f("pk_checkin")),
        postgresql_partition_by="RANGE (tst)",
    )
    op.create_index("checkin_of_child", "checkin", ["child_id", "happened_at"], unique=False)
    op.create_index("checkin_by_time", "checkin", ["happened_at"], unique=False, postgresql_using="brin")
    # Takes what no month takes. Apart from the declared tables, as are the months, which the worker makes ahead.
    op.execute("CREATE SCHEMA checkin_months")
    op.execute("CREATE TABLE checkin_months.checkin_default PARTITION OF checkin DEFAULT")
    op.execute(_MAKE_MONTH)
    op.execute(_DROP_MONTH)
    op.create_table(
        "latest_checkin",
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accuracy_m", sa.Float(), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=True),
        sa.Column("sealed_place", sa.LargeBinary(), nullable=False),
        sa.Column("suspect_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("suspect_accuracy_m", sa.Float(), nullable=True),
        sa.Column("sealed_suspect", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.child_id"], name=op.f("fk_latest_checkin_child_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("child_id", name=op.f("pk_latest_checkin")),
    )
    op.create_index(op.f("ix_latest_checkin_happened_at"), "latest_checkin", ["happened_at"], unique=False)
    op.create_table(
        "safe_zone",
        sa.Column("zone_id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("sealed_body", sa.LargeBinary(), nullable=False),
        sa.Column("hours", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("stand", sa.String(length=8), nullable=False),
        sa.Column("outside_fixes", sa.Integer(), nullable=False),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.child_id"], name=op.f("fk_safe_zone_child_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["guardian.guardian_id"], name=op.f("fk_safe_zone_created_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("zone_id", name=op.f("pk_safe_zone")),
    )
    op.create_index(op.f("ix_safe_zone_child_id"), "safe_zone", ["child_id"], unique=False)
    op.create_table(
        "zone_passage",
        sa.Column("passage_id", sa.Uuid(), nullable=False),
        sa.Column("zone_id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("alarmed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["child_id"], ["child.child_id"], name=op.f("fk_zone_passage_child_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["zone_id"], ["safe_zone.zone_id"], name=op.f("fk_zone_passage_zone_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("passage_id", name=op.f("pk_zone_passage")),
    )
    op.create_index("zone_passage_of_child", "zone_passage", ["child_id", "happened_at"], unique=False)
    op.create_index(op.f("ix_zone_passage_happened_at"), "zone_passage", ["happened_at"], unique=False)
    op.create_index(op.f("ix_zone_passage_zone_id"), "zone_passage", ["zone_id"], unique=False)


def downgrade() -> None:
    op.drop_table("zone_passage")
    op.drop_table("safe_zone")
    op.drop_table("latest_checkin")
    op.execute("DROP FUNCTION checkin_drop_month(bigint, timestamptz)")
    op.execute("DROP FUNCTION checkin_make_month(bigint)")
    op.execute("DROP SCHEMA checkin_months CASCADE")
    op.drop_table("checkin")
