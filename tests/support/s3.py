"""S3 servers for tests: moto, with creations as real servers make them.

Of two requests that create an object at once, a real server lets one through. Moto looks for the object first and
writes it afterwards, and both would be told that theirs is the one.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self

import httpx
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server

from services.devstack.tied import start_child, stop_child, tied

_STARTS_WITHIN_S = 60.0


class _CreatingOnce:
    """Moto's application; objects are created one at a time."""

    def __init__(self) -> None:
        self._application = DomainDispatcherApplication(create_backend_app)
        self._creating = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        creates = environ["REQUEST_METHOD"] == "PUT" and "HTTP_IF_NONE_MATCH" in environ
        with self._creating if creates else contextlib.nullcontext():
            answer: Iterable[bytes] = self._application(environ, start_response)
            return answer


class S3Server:
    """An S3 server in a thread of this process, on a port of loopback. Every key is let in."""

    def __init__(self) -> None:
        self._server = _server(0)
        self.host, self.port = "127.0.0.1", self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def add_bucket(self, name: str) -> None:
        httpx.put(f"{self.url}/{name}", trust_env=False).raise_for_status()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextlib.contextmanager
def s3_process(port: int, folder: Path) -> Iterator[str]:
    """Serve S3 in a process of its own for the block and yield its address: it takes no time of the test's event loop.

    Nothing is stored on a disk.
    """
    url = f"http://127.0.0.1:{port}"
    command = tied([sys.executable, "-m", "tests.support.s3", str(port)], signal.SIGTERM)
    with (folder / "s3.log").open("wb") as log:
        child = start_child(command, log=log)
    try:
        ends_at_s = time.monotonic() + _STARTS_WITHIN_S
        while True:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"{url}/moto-api/", trust_env=False)
                break
            assert child.poll() is None, (folder / "s3.log").read_text()[-2000:]
            assert time.monotonic() < ends_at_s, "the S3 server does not answer"
            time.sleep(0.1)
        yield url
    finally:
        stop_child(child, (signal.SIGTERM, 5.0))


def _server(port: int) -> BaseWSGIServer:
    return make_server("127.0.0.1", port, _CreatingOnce(), threaded=True, request_handler=MotoRequestHandler)


if __name__ == "__main__":
    _server(int(sys.argv[1])).serve_forever()
