"""Ports of servers that a test starts, stops and starts again."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator

from services.devstack.ports import PortClaims

# Below 32,768 no port becomes the local port of a connection.
_CANDIDATES = range(20_000, 32_768)
# Not the seeded source of the run: every worker would try the same ports first.
_chance = random.SystemRandom()


@contextlib.contextmanager
def claimed_ports() -> Iterator[Callable[[], int]]:
    """Yield a function that returns a new free port at each call.

    The ports are claimed until the end of the block: while a server is down, no other test's server takes its port.
    """
    claims = PortClaims()
    ports: set[int] = set()

    def claim_port() -> int:
        ports.add(port := claims.free_port(_chance.sample(_CANDIDATES, 100), ports))
        return port

    try:
        yield claim_port
    finally:
        claims.release()
