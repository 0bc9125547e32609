"""Usage reports of the watch: now, or periodically by its own clock."""

from __future__ import annotations

import asyncio

from services.device_sim.watch.body import WatchBody
from services.device_sim.watch.network import WatchNetwork
from services.device_sim.watch.records import Outgoing, WatchRefusedError
from services.protocol import codec
from services.protocol.topics import UplinkKind


class Usage:
    """Usage counters: `watch.usage`. A report is kept until its receipt; unreported counters end with the power."""

    def __init__(self, body: WatchBody, network: WatchNetwork) -> None:
        self._body = body
        self._store = body.store
        self._network = network
        self._reporting: asyncio.Task[None] | None = None

    def put_on(self) -> None:
        """Wear the watch again, after an alert `taken_off`."""
        self._body.counters.put_on()

    def report(self) -> Outgoing:
        """Report the period that ends now and begin the next; stored when this returns, until its receipt."""
        if self._store.username() is None:
            raise WatchRefusedError("the watch is not paired")
        counters, wire_id = self._body.counters, self._body.new_id()
        counters.see(battery_pct=self._body.traits.battery_pct)
        kept = self._store.outgoing.keep(wire_id, UplinkKind.USAGE.value, codec.encode(counters.report(wire_id)))
        self._network.wake()
        return kept

    async def report_every(self, minutes: float) -> None:
        """Report periodically from now on, by the watch's own clock; not while it is unpaired."""
        await self.end_reporting()
        self._reporting = asyncio.create_task(self._report_again(minutes * 60))

    async def end_reporting(self) -> None:
        """Stop reporting periodically."""
        task, self._reporting = self._reporting, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _report_again(self, every_s: float) -> None:
        clock = self._body.clock
        due_at = clock() + every_s
        while True:
            left_s = due_at - clock()
            if left_s > 0:
                await asyncio.sleep(left_s)
                continue
            due_at = clock() + every_s
            if self._store.username() is not None:
                self.report()
