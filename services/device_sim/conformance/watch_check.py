"""The whole check of a watch: the steps in their order, the rules at every frame."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

from services.device_sim.conformance import steps_connection, steps_items, steps_lists, steps_messages
from services.device_sim.conformance.bench import Pace, WatchBench
from services.device_sim.conformance.given_broker import BrokerClientEndpoint, GivenBroker
from services.device_sim.conformance.hands import Hand
from services.device_sim.conformance.steps import Step, StepSkippedError
from services.device_sim.conformance.verdicts import Verdicts
from services.device_sim.conformance.watch_rules import WatchRules
from services.protocol.contract import sentences_of
from services.protocol.sentences import Side

STEPS: Final[tuple[Step, ...]] = (
    *steps_connection.FIRST_STEPS,
    *steps_messages.STEPS,
    *steps_items.STEPS,
    *steps_lists.STEPS,
    *steps_connection.LAST_STEPS,
)

# What the last answers of a step lead to belongs to that step.
_SETTLING_S: Final = 0.2


@dataclass(frozen=True)
class Progress:
    """A step that begins, or has ended (`note` says why early)."""

    place: int
    of: int
    step: Step
    note: str | None = None


class WatchCheck:
    """One check of one watch. `bench` holds the trace; `verdicts` the outcome."""

    def __init__(self, serial: str, pace: Pace, broker: GivenBroker | None = None) -> None:
        self.verdicts = Verdicts(sentences_of(Side.WATCH))
        if broker is None:
            self.bench = WatchBench(serial, self.verdicts, pace)
        else:
            self.bench = WatchBench(serial, self.verdicts, pace, lambda took: BrokerClientEndpoint(took, broker))
        self._rules = WatchRules(self.bench)
        self.bench.judge = self._rules.judge

    @asynccontextmanager
    async def listening(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
        """Listen for the watch during the block; yields the port. Raises OSError."""
        await self.bench.endpoint.start(host, port, tls)
        try:
            yield self.bench.endpoint.port
        finally:
            await self.bench.endpoint.stop()

    async def run(
        self, hand: Hand, tell: Callable[[Progress], None] = lambda _progress: None, steps: Sequence[Step] = STEPS
    ) -> Verdicts:
        """Walk the steps and return the verdicts, which also stand after a walk that was interrupted."""
        try:
            for place, step in enumerate(steps, 1):
                await self._walk(Progress(place, len(steps), step), hand, tell)
        finally:
            self._rules.finish()
        return self.verdicts

    async def _walk(self, progress: Progress, hand: Hand, tell: Callable[[Progress], None]) -> None:
        step = progress.step
        if step.needs_pairing and not self.bench.credentials:
            tell(replace(progress, note=f"{step.name}: left out, the watch is not paired"))
            return
        await self._be_connected(step)
        self.bench.begin_step(step.name)
        tell(progress)
        try:
            await step.run(self.bench, hand)
        except StepSkippedError as error:
            tell(replace(progress, note=f"cut short: {error}"))

    async def _be_connected(self, step: Step) -> None:
        """Wait until the watch is there again after what the step before did to it."""
        bench = self.bench
        if not step.needs_pairing:
            return
        if not bench.endpoint.is_connected(bench.user):
            await bench.next("hello", after=bench.mark(), within_s=bench.contract_s(60) + bench.pace.network_s)
        await bench.listen(_SETTLING_S)
