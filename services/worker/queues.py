"""The loop that measures what waits in inbox and outbox, so that reading the metrics never waits for the database."""

from __future__ import annotations

import asyncio
from typing import Final

from services.core.platform.db.database import Database
from services.core.platform.inbox.queries import waiting_items
from services.core.platform.metrics.page import MetricsPage
from services.core.platform.outbox.queries import waiting_by_kind
from services.core.platform.outbox.rules import KINDS
from services.worker.pulse import Pulse

# Prometheus asks every 15 to 60 s.
PAUSE_S: Final = 10.0


class QueueSampler:
    """Measures the queues of the whole system; every worker shows the same values."""

    name = "queues"
    silence_max_s = 60.0

    def __init__(self, database: Database, page: MetricsPage) -> None:
        self._database = database
        self._count: dict[str, float] = {}
        self._age_s: dict[str, float] = {}
        self._inbox: dict[str, float] = {}
        self._sampled_at_s = 0.0
        page.gauge("outbox_waiting", "Effects that wait to be made, by kind.", lambda: self._count, label="kind")
        page.gauge("outbox_oldest_seconds", "Age of the oldest waiting effect.", lambda: self._age_s, label="kind")
        page.gauge("inbox_waiting", "Items that wait for watches.", lambda: self._inbox.get("count", 0.0))
        page.gauge("inbox_oldest_seconds", "Age of the oldest waiting item.", lambda: self._inbox.get("age_s", 0.0))
        page.gauge("queues_sampled_timestamp_seconds", "When the queues were measured.", lambda: self._sampled_at_s)

    async def run(self, pulse: Pulse) -> None:
        """Measure until cancelled."""
        while True:
            await self.sample()
            pulse.beat()
            pulse.record_success(self.name)
            await asyncio.sleep(PAUSE_S)

    async def sample(self) -> None:
        """Measure once."""
        async with self._database.begin() as work:
            now = work.now
            by_kind = await waiting_by_kind(work)
            items, oldest_at = await waiting_items(work)
        count, age_s = dict.fromkeys(KINDS, 0.0), dict.fromkeys(KINDS, 0.0)
        for kind, (waiting, since) in by_kind.items():
            shown = kind if kind in KINDS else "other"
            count[shown] = count.get(shown, 0.0) + waiting
            age_s[shown] = max(age_s.get(shown, 0.0), (now - since).total_seconds())
        self._count, self._age_s = count, age_s
        self._inbox = {"count": items, "age_s": (now - oldest_at).total_seconds() if oldest_at else 0.0}
        self._sampled_at_s = now.timestamp()
