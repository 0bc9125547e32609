"""Counts requests by the template of their route, never by their path, which holds ids."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from services.core.platform.metrics.registry import counter, histogram

# Faces: routes of families, of staff, and the rest.
_FACES: Final = ("family", "staff", "system")
_REQUESTS = counter(
    "http_requests", "Answered requests, by route and class of status.",
    method=("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"), route=(), status=("2xx", "3xx", "4xx", "5xx"),
)  # fmt: skip
_SECONDS = histogram("http_seconds", "Duration of requests without event streams, by face.", face=_FACES)
_REFUSED_LOGINS = counter("logins_refused", "Log-ins of people that were refused, by face.", face=_FACES)

# Open for hours: its duration says nothing.
_STREAM: Final = "/v1/events"
_LOGINS: Final = frozenset(
    {
        "/v1/auth/codes", "/v1/auth/tokens", "/v1/auth/slips", "/v1/auth/second-step",
        "/v1/staff/auth/tokens", "/v1/staff/auth/set-up", "/v1/staff/auth/set-up/confirm",
    }
)  # fmt: skip
_CLIENT_FAULTS: Final = range(400, 500)


class RequestMetrics:
    """The request counters of this process for an application with these route templates."""

    def __init__(self, routes: Iterable[str]) -> None:
        _REQUESTS.declare("route", set(routes))

    def record(self, method: str, route: str, status: int, duration_s: float) -> None:
        """Count one answered request; an empty ``route`` is a path that no route has."""
        face = "staff" if route.startswith("/v1/staff") else "family" if route.startswith("/v1/") else "system"
        _REQUESTS.count(method=method, route=route, status=f"{status // 100}xx")
        if route != _STREAM:
            _SECONDS.observe(duration_s, face=face)
        if route in _LOGINS and status in _CLIENT_FAULTS:
            _REFUSED_LOGINS.count(face=face)
