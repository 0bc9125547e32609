"""Serve the page of a watch on loopback, and nowhere else."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from typing import Final

from services.device_sim.screen.desk import Desk
from services.device_sim.screen.page import ADDRESS, Page

_LOOPBACK: Final = "127.0.0.1"
# From the end of the streams to the end of their connections.
_GRACE_S: Final = 2


async def serve(desk: Desk, port: int, tell: Callable[[str], None]) -> None:
    """Switch the watch on and serve its page until the process is told to stop; 0: a free port.

    Raises OSError for a port that is taken, and what switching the watch on raises.
    """
    # Imported here only: `sim watch` and `sim check-watch` start without a web server.
    import uvicorn  # noqa: PLC0415

    class Server(uvicorn.Server):
        """A server that ends its streams before it waits for them, and then switches the watch off."""

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            page.end_streams()
            await desk.stop()
            await super().shutdown(sockets)

    with socket.create_server((_LOOPBACK, port)) as listening:
        taken = listening.getsockname()[1]
        secret = secrets.token_urlsafe(24)
        page = Page(desk, secret, frozenset({f"{_LOOPBACK}:{taken}", f"localhost:{taken}"}))
        config = uvicorn.Config(
            page, ws="none", lifespan="off", access_log=False, log_config=None, log_level="error", server_header=False,
            proxy_headers=False, timeout_graceful_shutdown=_GRACE_S,
        )  # fmt: skip
        await desk.start()
        tell(f"The watch is on the screen: http://{_LOOPBACK}:{taken}{ADDRESS}#{secret}")
        tell("Open this address in a browser of this computer; it holds until Ctrl-C.")
        await Server(config).serve(sockets=[listening])
