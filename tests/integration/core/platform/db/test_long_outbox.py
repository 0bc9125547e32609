"""A claim reads the rows it needs and no more, however many wait: after a storm of hellos tens of thousands do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from services.core.platform.db.database import Database
from services.core.platform.outbox.actions import claim_in_order
from tests.support.round_trips import plans

_WAITING = 20_000


@pytest.mark.parametrize("rows_max", [1, 16])
async def test_a_claim_among_many_waiting_rows_scans_no_table(database: Database, rows_max: int) -> None:
    async with database.begin() as work:
        await work.run(text(
            "INSERT INTO outbox (kind, target, payload, priority, created_at, available_at, attempts)"
            " SELECT 'watch', 'w-' || number % 9000, '{}', 1, moment, moment + number * interval '1 ms', 0"
            " FROM generate_series(1, :count) AS number, CAST(:before AS timestamptz) AS moment"
        ), {"count": _WAITING, "before": work.now - timedelta(hours=1)})  # fmt: skip
        await work.run(text("ANALYZE outbox"))
        async with plans(work) as lines:
            rows = await claim_in_order(work, ["watch", "factory"], lease=timedelta(minutes=1), rows_max=rows_max)
        assert [row.target for row in rows] == [f"w-{number}" for number in range(1, rows_max + 1)]
        assert any("Index Scan" in line for line in lines)
        assert not [line for line in lines if "Seq Scan on outbox" in line], "\n".join(lines)
        await work.roll_back()
