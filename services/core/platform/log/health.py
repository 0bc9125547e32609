"""The page of a process for those who run it: ``/healthz`` and ``/readyz`` as JSON, ``/metrics`` for Prometheus.

It has a listener of its own, on loopback unless an operator says otherwise. ``/metrics`` is answered to this machine
and to the configured readers; a request that a proxy has forwarded is refused, because a proxy on this machine would
publish the page by accident.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
from collections.abc import Awaitable, Callable, Collection, Mapping
from http import HTTPStatus
from typing import Final

from services.core.platform.broker_settings import Network
from services.core.platform.settings import Settings

# Returns None if the check passes, otherwise a short reason without personal content.
Check = Callable[[], Awaitable[str | None]]

# Returns the content of /metrics.
Render = Callable[[], Awaitable[bytes]]

# Names of checks that a restart of this process mends. Each has the checks of its surroundings: while one of those
# fails, the process waits for them, and its own check proves nothing.
OwnFaults = Mapping[str, frozenset[str]]
_NO_OWN_FAULTS: Final[OwnFaults] = {}

# What is wrong beside this process, by the name of a check that passes nevertheless.
_warnings: Final[dict[str, str]] = {}

_CHECK_DEADLINE_S = 2.0
_REQUEST_DEADLINE_S = 5.0
_REQUEST_BYTES = 8_192
_METRICS_CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_FORWARDED: Final = (b"\r\nx-forwarded-", b"\r\nforwarded:", b"\r\nvia:", b"\r\nx-real-ip:")


def set_warning(name: str, code: str) -> None:
    """Name a fault beside this process, which works; ``code`` is stable and has no personal content."""
    _warnings[name] = code


def clear_warning(name: str) -> None:
    """Take the warning of that name back; a repeat does nothing."""
    _warnings.pop(name, None)


async def readiness(checks: Mapping[str, Check]) -> dict[str, str]:
    """Ask every dependency at once; return ``ok`` or the reason under each name.

    A check that raises or takes longer than two seconds fails.
    """
    reasons = await asyncio.gather(*(_ask(check) for check in checks.values()))
    return dict(zip(checks, reasons, strict=True))


def readiness_answer(
    checks: Mapping[str, str], own_faults: OwnFaults = _NO_OWN_FAULTS
) -> tuple[HTTPStatus, dict[str, object]]:
    """Return status and body of ``/readyz``, in the one form that all processes share.

    ``{"status": "ok" | "unavailable", "checks": {name: "ok" | reason}, "own_fault": [name ...],
    "warnings": {name: code}}``. ``own_fault`` names the failed checks among ``own_faults`` whose surroundings are well:
    a restart of this process mends them. All other failures lie outside of the process, and it recovers from them by
    itself. ``warnings`` name faults beside a process that works.
    """
    failed = [name for name, reason in checks.items() if reason != "ok"]
    status = HTTPStatus.SERVICE_UNAVAILABLE if failed else HTTPStatus.OK
    own_fault = [name for name in failed if name in own_faults and not own_faults[name] & {*failed}]
    return status, {
        "status": "unavailable" if failed else "ok", "checks": dict(checks), "own_fault": own_fault,
        "warnings": dict(_warnings),
    }  # fmt: skip


async def _ask(check: Check) -> str:
    try:
        # Not wait_for: in Python 3.11 it swallows a cancellation that comes together with the result.
        async with asyncio.timeout(_CHECK_DEADLINE_S):
            return await check() or "ok"
    except TimeoutError:
        return "no answer in time"
    except Exception as error:  # noqa: BLE001 - whatever a check raises means that its dependency is unwell
        return type(error).__name__


class HealthServer:
    """Answers ``/healthz`` (this process runs), ``/readyz`` (200 if every check passes, else 503) and ``/metrics``.

    ``checks`` are named checks, or a function that returns ``ok`` or a reason under each name. Port 0 means no page.
    """

    def __init__(
        self,
        port: int,
        checks: Mapping[str, Check] | Callable[[], Awaitable[Mapping[str, str]]],
        *,
        own_faults: OwnFaults = _NO_OWN_FAULTS,
        host: str = "127.0.0.1",
        metrics: Render | None = None,
        metrics_readers: Collection[Network] = (),
    ) -> None:
        self._host = host
        self._port = port
        self._checks = checks
        self._own_faults = dict(own_faults)
        self._metrics = metrics
        self._metrics_readers = tuple(metrics_readers)
        self._server: asyncio.Server | None = None

    @classmethod
    def of(
        cls,
        settings: Settings,
        port: int,
        checks: Mapping[str, Check] | Callable[[], Awaitable[Mapping[str, str]]],
        metrics: Render,
        own_faults: OwnFaults = _NO_OWN_FAULTS,
    ) -> HealthServer:
        """Return the page of a process, listening and readable as the settings say."""
        return cls(
            port, checks, own_faults=own_faults, host=settings.health_host, metrics=metrics,
            metrics_readers=settings.metrics_networks(),
        )  # fmt: skip

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

    async def _states(self) -> Mapping[str, str]:
        return await readiness(self._checks) if isinstance(self._checks, Mapping) else await self._checks()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_REQUEST_DEADLINE_S):
                head = await reader.readuntil(b"\r\n\r\n")
                peer = writer.get_extra_info("peername") or ("",)
                response = await self._answer(head, str(peer[0]))
                # RFC 9110 section 9.3.2: HEAD gets the head of what GET would get.
                writer.write(response.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if head[:5] == b"HEAD " else response)
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever asked has gone, or did not speak HTTP
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, head: bytes, peer: str) -> bytes:
        method, _, rest = head.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if path not in {b"/healthz", b"/readyz", b"/metrics"} or (path == b"/metrics" and self._metrics is None):
            return _json(HTTPStatus.NOT_FOUND, {"status": "not found"})
        if method not in {b"GET", b"HEAD"}:
            return _json(HTTPStatus.METHOD_NOT_ALLOWED, {"status": "method not allowed"})
        if path == b"/metrics" and self._metrics is not None:
            if not may_read_metrics(head, peer, self._metrics_readers):
                return _json(HTTPStatus.FORBIDDEN, {"status": "forbidden"})
            return _response(HTTPStatus.OK, _METRICS_CONTENT_TYPE, await self._metrics())
        if path == b"/healthz":
            return _json(HTTPStatus.OK, {"status": "ok"})
        return _json(*readiness_answer(await self._states(), self._own_faults))


def may_read_metrics(head: bytes, peer: str, readers: Collection[Network]) -> bool:
    """Return whether this machine or a configured reader asks for the metrics, and no proxy in between."""
    if any(mark in head.lower() for mark in _FORWARDED):
        return False
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback or any(address in network for network in readers)


def _json(status: HTTPStatus, answer: Mapping[str, object]) -> bytes:
    return _response(status, "application/json", json.dumps(answer).encode())


def _response(status: HTTPStatus, content_type: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
