"""Thousands of watches in one or several processes: limits first, then the run, then the report."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from services.device_sim.fleet.machine import this_machine
from services.device_sim.fleet.measures import percentile
from services.device_sim.fleet.part import FleetPart, PartResult
from services.device_sim.fleet.plan import FleetPlan, Member
from services.device_sim.fleet.report import FleetReport, reported

# The result of a part is one line.
_LINE_MAX_BYTES: Final = 512 * 1024 * 1024
_ROOT: Final = Path(__file__).resolve().parents[3]

Tell = Callable[[str], None]
Delivered = Callable[[], Awaitable[Sequence[str]]]


class PartFailedError(Exception):
    """A process of the fleet ended without its result."""


async def run_fleet(
    members: Sequence[Member], plan: FleetPlan, tell: Tell, *, processes: int = 0, delivered: Delivered | None = None,
    room: int | None = None,
) -> FleetReport:  # fmt: skip
    """Play a fleet and report; `processes` 0: as many as help.

    `delivered` names everything that the system holds of what watches said. `room`: how many connections the system
    itself has descriptors for, where that is known.
    """
    machine = this_machine()
    tell(f"this machine: {machine.shown()}")
    count = processes or machine.processes_for(len(members))
    fits, limits = machine.fitting(len(members), 2 * plan.parents, count, tls=plan.tls_ca_file is not None)
    if room is not None and room < fits:
        fits = room
        limits.append(f"the system's own descriptors are enough for {room} of {len(members)} watches")
    for line in limits:
        tell(line)
    live = _Live(tell)
    shares = [members[number:fits:count] for number in range(count)]
    plans = [_share(plan, len(share), fits) for share in shares]
    if count == 1:
        parts = [await FleetPart(shares[0], plans[0], lambda progress: live.take(0, progress)).run()]
    else:
        parts = await asyncio.gather(
            *(
                _in_process(share, own, number, live)
                for number, (share, own) in enumerate(zip(shares, plans, strict=True))
            )
        )
    report = reported(parts, None if delivered is None else await delivered())
    report.machine, report.limits = machine.shown(), limits
    report.watches, report.fitted, report.tls = len(members), fits, plan.tls_ca_file is not None
    return report


def _share(plan: FleetPlan, watches: int, of: int) -> FleetPlan:
    share = watches / max(1, of)
    return replace(
        plan, connects_per_s=plan.connects_per_s * share, texts_per_s=plan.texts_per_s * share,
        parent_texts_per_s=plan.parent_texts_per_s * share, parents=-(-int(plan.parents * share * 1000) // 1000),
    )  # fmt: skip


class _Live:
    """One line a second for the whole fleet: rates since the last, and percentiles of what was answered meanwhile."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._progress: dict[int, dict[str, Any]] = {}
        self._fresh_s: list[float] = []
        self._last: dict[str, int] = {}

    def take(self, number: int, progress: dict[str, Any]) -> None:
        """Take what a process tells; the first process sets the pace."""
        self._fresh_s += progress.pop("fresh_s")
        self._progress[number] = progress
        if number:
            return
        now = {name: sum(part[name] for part in self._progress.values()) for name in progress}
        rates = {name: value - self._last.get(name, 0) for name, value in now.items()}
        shares = " / ".join(f"{percentile(self._fresh_s, share) * 1000:.0f}" for share in (0.5, 0.95, 0.99))
        self._tell(
            f"{now['logged_in']} logged in (+{rates['logged_in']}), {now['online']} online (+{rates['online']}), "
            f"{now['sent']} sent (+{rates['sent']}), {now['confirmed']} confirmed (+{rates['confirmed']}) "
            f"in {shares} ms p50/p95/p99"
        )
        self._last, self._fresh_s = now, []


async def _in_process(members: Sequence[Member], plan: FleetPlan, number: int, live: _Live) -> PartResult:
    """Play a part in a process of its own. Credentials go through its input, which no list of processes shows."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.device_sim.fleet.part_process",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=_LINE_MAX_BYTES,
        env={**os.environ, "PYTHONPATH": str(_ROOT), "PYTHONUTF8": "1"},
    )  # fmt: skip
    if process.stdin is None or process.stdout is None:
        raise PartFailedError("a process of the fleet has no streams")
    given = {"plan": plan.as_fields(), "members": [asdict(member) for member in members]}
    process.stdin.write(json.dumps(given).encode())
    process.stdin.close()
    result: PartResult | None = None
    try:
        async for line in process.stdout:
            content = json.loads(line)
            if "result" in content:
                result = PartResult(**content["result"])
            else:
                live.take(number, content)
        await process.wait()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    if result is None:
        raise PartFailedError(f"a process of the fleet ended with {process.returncode}")
    return result
