"""An S3 server for tests in a process of its own: what it computes takes no time of the test's event loop."""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from services.devstack.tied import start_child, stop_child, tied

_STARTS_WITHIN_S = 60.0


@contextlib.contextmanager
def s3_process(port: int, folder: Path) -> Iterator[str]:
    """Serve S3 for the block and yield its address. Every key is let in, and nothing is stored on a disk."""
    url = f"http://127.0.0.1:{port}"
    command = tied([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], signal.SIGTERM)
    with (folder / "moto.log").open("wb") as log:
        child = start_child(command, log=log)
    try:
        ends_at_s = time.monotonic() + _STARTS_WITHIN_S
        while True:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"{url}/moto-api/", trust_env=False)
                break
            assert child.poll() is None, (folder / "moto.log").read_text()[-2000:]
            assert time.monotonic() < ends_at_s, "the S3 server does not answer"
            time.sleep(0.1)
        yield url
    finally:
        stop_child(child, (signal.SIGTERM, 5.0))
