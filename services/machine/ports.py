"""Free TCP ports on loopback. No port is ever assumed: other programs and checkouts may hold any of them."""

import socket
from collections.abc import Collection, Iterable


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now. Another program may still take it a moment later."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a port whose old connections linger in TIME_WAIT is free, one listened on is not.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def is_answering(port: int, host: str = "127.0.0.1", timeout_s: float = 1.0) -> bool:
    """Whether someone accepts connections there."""
    try:
        with socket.create_connection((host, port), timeout=timeout_s):
            return True
    except OSError:
        return False


def free_port(preferred: Iterable[int], avoid: Collection[int] = (), host: str = "127.0.0.1") -> int:
    """The first preferred port that is free and not to be avoided, or else any the system gives."""
    for port in preferred:
        if port not in avoid and is_free(port, host):
            return port
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind((host, 0))
            port = int(probe.getsockname()[1])
        if port not in avoid:
            return port
