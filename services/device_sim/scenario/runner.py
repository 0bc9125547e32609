"""Plays a scenario against a system and says what happened at each step."""

from __future__ import annotations

import asyncio
import io
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from services.device_sim.parent.types import ProblemError, ServerAwayError
from services.device_sim.scenario.actors import Family, System
from services.device_sim.scenario.document import AT_MOST, Scenario, Step, seconds_until
from services.device_sim.watch.mqtt_connection import ConnectionLostError
from services.device_sim.watch.watch import AlreadyPairedError, PairingRefusedError

_LOOK_EVERY_S: Final = 0.25
# The watch of the first family goes to the second.
_HAND_OVER: Final = "hand over"
_TWO: Final = 2
_KNOWN: Final = (
    ProblemError, ServerAwayError, ConnectionLostError, TimeoutError, PairingRefusedError, AlreadyPairedError,
    RuntimeError, KeyError,
)  # fmt: skip


class NotPlayableError(Exception):
    """A scenario that the system cannot play; the message says why, before anything was played."""


@dataclass(frozen=True)
class StepResult:
    """The result of a step. `fault` is empty when it did what it should."""

    step: Step
    lasted_s: float
    fault: str = ""


@dataclass
class Result:
    """The result of a scenario; `trace` is all that the consoles and faults said."""

    scenario: Scenario
    steps: list[StepResult] = field(default_factory=list)
    trace: str = ""

    @property
    def fault(self) -> str:
        """The first fault, with the line of its step; empty when all went well."""
        for step in self.steps:
            if step.fault:
                return f"line {step.step.line}: {step.step.shown}: {step.fault}"
        return ""

    @property
    def lasted_s(self) -> float:
        """Seconds that it took."""
        return sum(step.lasted_s for step in self.steps)


def check_playable(scenario: Scenario, system: System, patience_s: float) -> None:
    """Raise NotPlayableError where this system cannot play a scenario."""
    if scenario.families > len(system.households):
        raise NotPlayableError(f"it needs {scenario.families} families, and {len(system.households)} are free")
    if system.shift is None and scenario.passes_s > patience_s:
        raise NotPlayableError(f"time is real here, and it lets {scenario.passes_s:.0f} s pass")
    for step in scenario.flat():
        if step.kind == "system" and step.text == _HAND_OVER:
            if system.hand_over is None or scenario.families < _TWO:
                raise NotPlayableError(
                    f"line {step.line}: it needs two families, and an office that hands watches over"
                )
        elif step.kind == "system" and step.text not in system.actions:
            raise NotPlayableError(f"line {step.line}: nobody can `{step.text}` here")


async def play(
    scenario: Scenario, system: System, folder: Path, tell: Callable[[StepResult], None] = lambda _result: None
) -> Result:
    """Play a scenario; the first fault ends it. Raises NotPlayableError before anything is played."""
    result = Result(scenario)
    families = [
        Family(system, scenario, household, folder / household.serial, number)
        for number, household in enumerate(system.households[: scenario.families], 1)
    ]
    output = io.StringIO()
    shown = sys.stdout
    with redirect_stdout(output):
        try:
            began = await _begun(families)
            result.steps += began
            for step in () if began else scenario.steps:
                step_result = await _timed(step, families, system, output)
                result.steps.append(step_result)
                with redirect_stdout(shown):
                    tell(step_result)
                if step_result.fault:
                    break
        finally:
            await asyncio.gather(*(family.end() for family in families), return_exceptions=True)
            faults = [f"{number}: {line}" for number, family in enumerate(families, 1) for line in family.line.trace]
            result.trace = output.getvalue() + "".join(f"fault {line}\n" for line in faults)
    return result


async def _begun(families: Sequence[Family]) -> list[StepResult]:
    """Begin one family after the other; return the fault as a step where one cannot begin."""
    began_s = time.monotonic()
    for number, family in enumerate(families, 1):
        try:
            await family.begin()
        except (*_KNOWN, IndexError) as error:
            step = Step("begin", 1, f"family {number} begins")
            return [StepResult(step, time.monotonic() - began_s, f"{type(error).__name__}: {error}")]
    return []


async def _timed(step: Step, families: Sequence[Family], system: System, output: io.StringIO) -> StepResult:
    began_s = time.monotonic()
    sys.stdout.write(f"--- line {step.line}: {step.shown}\n")
    try:
        fault = await _played(step, families, system, output)
    except _KNOWN as error:
        fault = f"{type(error).__name__}: {error}"
    return StepResult(step, time.monotonic() - began_s, fault)


async def _played(step: Step, families: Sequence[Family], system: System, output: io.StringIO) -> str:
    """Play one step; return its fault."""
    family = families[step.number - 1]
    match step.kind:
        case "command" | "fails":
            place = output.tell()
            succeeded = await family.run_line(step.role, step.text)
            if succeeded is (step.kind == "command"):
                return ""
            lines = output.getvalue()[place:].strip().splitlines()
            return (lines or ["no reason given"])[-1] if step.kind == "command" else "it succeeded"
        case "pair":
            await family.pair()
        case "power":
            await family.power(step.text)
        case "pass":
            await system.let_pass(step.seconds)
        case "until":
            await system.let_pass(seconds_until(step.text, family.wall_clock()))
        case "system":
            await _change_system(step, families, system)
        case "everyone":
            return await _everyone(step, families, system, output)
        case _:
            return await _expect(step, families)
    return ""


async def _change_system(step: Step, families: Sequence[Family], system: System) -> None:
    if step.text == _HAND_OVER and system.hand_over is not None:
        await system.hand_over(families[0].household, families[1].household)
        await families[1].take_watch_of(families[0])
    else:
        await system.actions[step.text]()


async def _everyone(step: Step, families: Sequence[Family], system: System, output: io.StringIO) -> str:
    async def play_family(family: Family) -> str:
        for inner in step.steps:
            fault = await _played(inner, [family], system, output)
            if fault:
                return f"{inner.shown}: {fault}"
        return ""

    faults = await asyncio.gather(*(play_family(family) for family in families), return_exceptions=True)
    shown = [f"family {number}: {fault}" for number, fault in enumerate(faults, 1) if fault]
    return "" if not shown else f"{len(shown)} of {len(families)}; {shown[0]}"


async def _expect(step: Step, families: Sequence[Family]) -> str:
    """Look until everything is as expected, or the time is over."""
    deadline_s = time.monotonic() + step.seconds
    while True:
        differing = await _differing(step, families)
        if not differing:
            return ""
        if time.monotonic() >= deadline_s:
            return "; ".join(differing)
        await asyncio.sleep(_LOOK_EVERY_S)


async def _differing(step: Step, families: Sequence[Family]) -> list[str]:
    differing = []
    for name, wanted in step.expected.items():
        actor, _, what = name.partition(".")
        role = actor.rstrip("0123456789")
        family = families[int(actor.removeprefix(role) or 1) - 1]
        seen: Any = await family.look(f"{role}.{what}")
        # `saw` holds all events since the start; every other value is compared as it is now.
        fits = set(wanted) <= set(seen) if what == "saw" else _fits(what, seen, wanted)
        if not fits:
            differing.append(f"{name} is {seen!r}, not {wanted!r}")
    return differing


def _fits(what: str, seen: Any, wanted: Any) -> bool:  # noqa: ANN401 - the value of any look
    """Return whether a look is as expected; numbers are bounds."""
    if isinstance(wanted, bool) or not isinstance(wanted, int):
        return bool(seen == wanted)
    return bool(seen <= wanted if what in AT_MOST else seen >= wanted)
