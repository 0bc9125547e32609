"""The whole check of a backend: the steps in their order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from services.device_sim.conformance import backend_content_steps, backend_steps
from services.device_sim.conformance.backend_bench import BackendBench, BackendStep
from services.device_sim.conformance.parent_hands import ParentHand
from services.device_sim.conformance.steps import StepSkippedError
from services.device_sim.conformance.verdicts import Verdicts
from services.device_sim.watch.mqtt_connection import BrokerAddress, ConnectionLostError, LoginRefusedError
from services.protocol.contract import sentences_of
from services.protocol.sentences import Side

STEPS: Final[tuple[BackendStep, ...]] = (*backend_steps.STEPS, *backend_content_steps.STEPS)


class BackendCheck:
    """One check of one backend, as the watch `serial` of a family."""

    def __init__(
        self, address: BrokerAddress, serial: str, secret: str, parent: ParentHand, *, patience_s: float = 120.0
    ) -> None:
        self.verdicts = Verdicts(sentences_of(Side.BACKEND))
        self.bench = BackendBench(address, serial, secret, parent, self.verdicts, patience_s)

    async def run(self, tell: Callable[[int, BackendStep, str | None], None] = lambda *_: None) -> Verdicts:
        """Walk the steps. A step that loses its connection ends; the next one connects anew."""
        try:
            for place, step in enumerate(STEPS, 1):
                if place > 1 and self.bench.paired is None:
                    tell(place, step, "left out: not paired")
                    continue
                self.verdicts.step = step.name
                tell(place, step, None)
                try:
                    if place > 1:
                        await self.bench.again()
                    await step.run(self.bench)
                except StepSkippedError as error:
                    tell(place, step, f"cut short: {error}")
                except (ConnectionLostError, LoginRefusedError) as error:
                    tell(place, step, f"cut short: {type(error).__name__} {error}")
        finally:
            self.bench.judge_sizes()
            for wire in (self.bench.factory, self.bench.paired):
                if wire is not None:
                    await wire.close()
        return self.verdicts
