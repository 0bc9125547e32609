"""Free TCP ports on loopback. No port is assumed to be free: other programs and checkouts may use any."""

from __future__ import annotations

import secrets
import socket
import sys
from collections.abc import Collection, Iterable
from typing import Final

# Linux takes local ports of connections from 32,768 upwards (ip_local_port_range).
_OURS_FROM: Final = 20_000
_CONNECTIONS_FROM: Final = 32_768
_TRIES_BELOW: Final = 100


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Return whether a server could listen on the port now; another program may still take it."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a port with old connections in TIME_WAIT is free, a port with a listener is not.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def is_answering(port: int, host: str = "127.0.0.1", timeout_s: float = 1.0) -> bool:
    """Return whether a server accepts connections on the port."""
    try:
        with socket.create_connection((host, port), timeout=timeout_s):
            return True
    except OSError:
        return False


def free_port(preferred: Iterable[int], avoid: Collection[int] = (), host: str = "127.0.0.1") -> int:
    """Return the first preferred port that is free and not to be avoided, otherwise any free one.

    First one below the range from which the system takes ports for connections: a port of that range can be taken by
    anybody's connection while its server is down.
    """
    for port in preferred:
        if port not in avoid and is_free(port, host):
            return port
    for _ in range(_TRIES_BELOW):
        port = secrets.randbelow(_CONNECTIONS_FROM - _OURS_FROM) + _OURS_FROM
        if port not in avoid and is_free(port, host):
            return port
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind((host, 0))
            port = int(probe.getsockname()[1])
        if port not in avoid:
            return port


class PortClaims:
    """Ports that this process has claimed, whether or not anything listens on them yet.

    Two installations that start at the same time would see the same ports free; and while a server is down, its port
    looks free to everybody. A claim is a name among the abstract Unix sockets, which Linux keeps for each network
    namespace (so for the same processes as ports) and forgets with the process. Elsewhere a claim holds nobody off.
    """

    def __init__(self) -> None:
        self._held: dict[int, socket.socket] = {}

    def free_port(self, preferred: Iterable[int], avoid: Collection[int] = ()) -> int:
        """Like `free_port`, and claim the port against other processes until `release`."""
        candidates, others = list(preferred), set(avoid)
        while True:
            port = free_port(candidates, others)
            if self.claim(port):
                return port
            others.add(port)

    def claim(self, port: int) -> bool:
        """Claim a port; return False when another process has claimed it. A repeat does nothing."""
        if port in self._held or sys.platform != "linux":
            return True
        claimed = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claimed.bind(f"\0smartwatch-port-{port}")
        except OSError:
            claimed.close()
            return False
        self._held[port] = claimed
        return True

    def release(self) -> None:
        """Release all claims. A repeat does nothing."""
        while self._held:
            self._held.popitem()[1].close()
