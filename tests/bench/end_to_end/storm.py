"""Thousands of watches through the gate with TLS: all say hello at once; and what an idle one weighs."""

from __future__ import annotations

import asyncio
import resource
import ssl
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.bench.end_to_end.crowd import PASSWORD, Person
from tests.bench.end_to_end.loads import Measured, Side, greet_all, until_idle
from tests.bench.end_to_end.wire import Watch
from tests.support.process_tree import descendants

# Handshakes at a time: the gate keeps the pending ones of an address few.
_CONNECTING: Final = 40


async def storm(side: Side, watches: Sequence[Watch], *, tls_ca_file: Path) -> Measured:
    """Connect by TLS, then say hello all at once; the latencies are those to ``down/time``, the CPU is all of it.

    They hold their lists, as after a power cut.
    """
    measured = Measured()
    for watch in watches:
        watch.hold(side.lists)
    await until_idle(side)
    async with side.measuring(measured):
        await _connect(watches, side.tls_port, _context(tls_ca_file))
        await greet_all(side, watches, measured)
    for watch in watches:
        watch.close()
    return measured


async def memory_of_watches(
    people: Sequence[Person], *, weights: Callable[[], Mapping[str, float]], tls_port: int, tls_ca_file: Path
) -> dict[str, float]:
    """Return the bytes that each idle connection by TLS adds to the processes that ``weights`` weighs."""
    watches = [Watch(person.username) for person in people]
    context = _context(tls_ca_file)
    try:
        # A first hundred pays for what is made once.
        await _connect(watches[:100], tls_port, context)
        before = weights()
        await _connect(watches[100:], tls_port, context)
        await asyncio.sleep(2)
        after = weights()
    finally:
        for watch in watches:
            watch.close()
    return {name: (after[name] - before[name]) / (len(watches) - 100) for name in after}


def _context(tls_ca_file: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(tls_ca_file))
    context.check_hostname = False
    return context


async def _connect(watches: Sequence[Watch], port: int, context: ssl.SSLContext) -> None:
    turn = asyncio.Semaphore(_CONNECTING)

    async def connect(watch: Watch) -> None:
        async with turn:
            await watch.connect(port, PASSWORD, context)

    await asyncio.gather(*map(connect, watches))


def weights_of(process_id: int, own: str, below: str) -> Callable[[], dict[str, float]]:
    """Return a scale for the resident bytes of a process and of everything below it, by these names."""

    def weigh() -> dict[str, float]:
        children = descendants(process_id)
        return {own: resident_bytes(process_id)} | (
            {below: sum(map(resident_bytes, children))} if children else {}
        )  # fmt: skip

    return weigh


def resident_bytes(process_id: int) -> float:
    """Return the resident bytes of a process."""
    pages = Path("/proc", str(process_id), "statm").read_text(encoding="utf-8").split()[1]
    return float(int(pages) * resource.getpagesize())


def raise_descriptors() -> None:
    """Allow this process and those that it starts as many open files as the machine does."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
