"""A health page for the processes without a web framework: ``GET /healthz`` and ``GET /readyz`` as JSON."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Collection, Mapping
from http import HTTPStatus

# Returns None if the check passes, otherwise a short reason without personal content.
Check = Callable[[], Awaitable[str | None]]

_CHECK_DEADLINE_S = 2.0
_REQUEST_DEADLINE_S = 5.0
_REQUEST_BYTES = 8_192


class HealthServer:
    """Answers ``/healthz`` (this process runs) and ``/readyz`` (every named check passes: 200, otherwise 503).

    The answer of ``/readyz`` is ``{"status": "ok" | "unavailable", "checks": {name: "ok" | reason}, "own_fault":
    [name ...]}``. ``own_fault`` names the failed checks among ``own_faults``: a restart of this process mends them. All
    other failures lie outside of the process, and it recovers from them by itself.

    A check that raises or takes longer than two seconds fails. Port 0 means no page at all.
    """

    def __init__(
        self, port: int, checks: Mapping[str, Check], *, own_faults: Collection[str] = (), host: str = "127.0.0.1"
    ) -> None:
        self._host = host
        self._port = port
        self._checks = dict(checks)
        self._own_faults = frozenset(own_faults)
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; OSError if the port is taken."""
        if self._port:
            self._server = await asyncio.start_server(
                self._serve, self._host, self._port, limit=_REQUEST_BYTES, reuse_address=True
            )

    async def stop(self) -> None:
        """Stop listening; a repeat does nothing."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def readiness(self) -> dict[str, str]:
        """Ask every dependency at once; return ``ok`` or the reason under each name."""
        names = list(self._checks)
        reasons = await asyncio.gather(*(self._ask(self._checks[name]) for name in names))
        return dict(zip(names, reasons, strict=True))

    @staticmethod
    async def _ask(check: Check) -> str:
        try:
            # Not wait_for: in Python 3.11 it swallows a cancellation that comes together with the result.
            async with asyncio.timeout(_CHECK_DEADLINE_S):
                return await check() or "ok"
        except TimeoutError:
            return "no answer in time"
        except Exception as error:  # noqa: BLE001 - whatever a check raises means that its dependency is unwell
            return type(error).__name__

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_REQUEST_DEADLINE_S):
                head = await reader.readuntil(b"\r\n\r\n")
                status, answer = await self._answer(head)
                response = _response(status, answer)
                # RFC 9110 section 9.3.2: HEAD gets the head of what GET would get.
                writer.write(response.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if head[:5] == b"HEAD " else response)
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever asked has gone, or did not speak HTTP
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, head: bytes) -> tuple[HTTPStatus, dict[str, object]]:
        method, _, rest = head.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if path not in {b"/healthz", b"/readyz"}:
            return HTTPStatus.NOT_FOUND, {"status": "not found"}
        if method not in {b"GET", b"HEAD"}:
            return HTTPStatus.METHOD_NOT_ALLOWED, {"status": "method not allowed"}
        if path == b"/healthz":
            return HTTPStatus.OK, {"status": "ok"}
        checks = await self.readiness()
        failed = [name for name, reason in checks.items() if reason != "ok"]
        status = HTTPStatus.SERVICE_UNAVAILABLE if failed else HTTPStatus.OK
        own_fault = [name for name in failed if name in self._own_faults]
        return status, {"status": "unavailable" if failed else "ok", "checks": checks, "own_fault": own_fault}


def _response(status: HTTPStatus, answer: Mapping[str, object]) -> bytes:
    body = json.dumps(answer).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
