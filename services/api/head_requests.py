"""HEAD on every route that serves a file: the headers of a GET, without the bytes. Pure ASGI."""

from __future__ import annotations

import re
from collections.abc import Iterable

from fastapi import FastAPI, Request
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.declaring import indexed


def file_paths(app: FastAPI) -> list[str]:
    """Return the paths whose GET serves bytes instead of JSON; event streams never end and are none of them."""
    return [
        route.path
        for route in indexed(app.router.routes)
        if "GET" in (route.methods or ()) and route.response_class is Response
    ]


def is_head(request: Request) -> bool:
    """Return whether only the headers are asked for, so that nobody hears or reads the file."""
    return bool(getattr(request.state, "is_head", False))


class HeadMiddleware:
    """Runs a HEAD as the GET of the same path. The server leaves the body out, as it does for any HEAD."""

    def __init__(self, app: ASGIApp, *, paths: Iterable[str]) -> None:
        self._app = app
        self._patterns: list[re.Pattern[str]] = [compile_path(path)[0] for path in paths]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD" or not self._serves_file(scope["path"]):
            await self._app(scope, receive, send)
            return

        async def send_headers(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        state = {**scope.get("state", {}), "is_head": True}
        await self._app({**scope, "method": "GET", "state": state}, receive, send_headers)

    def _serves_file(self, path: str) -> bool:
        return any(pattern.match(path) for pattern in self._patterns)
