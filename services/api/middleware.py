"""Middleware of every request: its id, its log line, its bounds, the headers of its answer. Pure ASGI."""

from __future__ import annotations

import time
from typing import Final

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.problems import problem_of_fault
from services.api.request_metrics import RequestMetrics
from services.core.platform.crypto.random_ids import new_ref

log = structlog.get_logger()

# Headers of each answer that does not set them itself, as pairs of bytes (ASGI).
_HEADERS: Final = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"strict-transport-security": b"max-age=31536000",
    # Answers of the API need nothing at all; pages bring policies of their own.
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cache-control": b"no-store",
}
_PROBED_PATHS = frozenset({"/healthz", "/readyz"})


class RequestContextMiddleware:
    """Gives a request its id, logs it without anything personal, and turns what nobody caught into a problem."""

    def __init__(self, app: ASGIApp, metrics: RequestMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = new_ref(12)
        scope.setdefault("state", {})["request_id"] = request_id
        started_at_s = time.monotonic()
        status = 0

        async def send_framed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = {name for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id.encode()),
                    *(header for header in _HEADERS.items() if header[0] not in own),
                ]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_framed)
            except Exception as error:  # noqa: BLE001 - the last door: whatever it is, the client gets a problem
                answer = problem_of_fault(Request(scope), error)
                if not status:
                    await answer(scope, receive, send_framed)
            route = scope.get("route")
            duration_s = time.monotonic() - started_at_s
            self._metrics.record(scope["method"], getattr(route, "path", ""), status, duration_s)
            # Health checks come every second: they are logged at DEBUG only.
            write = log.debug if scope["path"] in _PROBED_PATHS else log.info
            write(
                "request",
                method=scope["method"],
                # The template, not the path: ids stay out of the log.
                route=getattr(route, "path", "unknown"),
                status=status,
                duration_ms=round(duration_s * 1000, 1),
            )
