"""What stands around every request: its id, its log line, its bounds, the headers of its answer. Pure ASGI."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from http import HTTPStatus

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.json_bodies import judge_json
from services.api.problems import HTTP_CODES, problem, problem_of_fault
from services.core.platform.audio.rules import CLIP_MAX_BYTES
from services.core.platform.crypto.random_ids import new_ref

# Everything that is asked here is small JSON,
BODY_MAX_BYTES = 64 * 1024
# but for recordings: the largest clip, and what multipart puts around it.
RECORDING_BODY_MAX_BYTES = CLIP_MAX_BYTES + 16 * 1024
_RECORDING_PATHS = re.compile(r"/v1/children/[^/]+/(voice-messages|uploads/[^/]+)")
# and for lists: some thousand lines of one site.
LIST_BODY_MAX_BYTES = 1024 * 1024
_LIST_PATHS = re.compile(r"/v1/staff/sites/[^/]+/(imports/[a-z]+|surveys/[^/]+/answers)")
# The third is what browsers on a machine with a spreadsheet program call CSV.
_LIST_TYPES = frozenset({
    "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/vnd.ms-excel",
    "application/octet-stream",
})  # fmt: skip
_RECORDING_TYPES = re.compile(r"audio/.*|video/(webm|mp4)|application/(offset\+)?octet-stream|multipart/form-data")

log = structlog.get_logger()

_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "strict-transport-security": "max-age=31536000",
}
# The documentation page loads its viewer from elsewhere; answers of the API itself need nothing at all.
_POLICY = "default-src 'none'; frame-ancestors 'none'"
_PAGES = ("/docs", "/redoc")
_PROBED_PATHS = frozenset({"/healthz", "/readyz"})


class RequestContextMiddleware:
    """Gives a request its id, logs it without anything personal, and turns what nobody caught into a problem."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

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
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = request_id
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if not scope["path"].startswith(_PAGES):
                    headers.setdefault("content-security-policy", _POLICY)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_framed)
            except Exception as error:  # noqa: BLE001 - the last door: whatever it is, the client gets a problem
                answer = problem_of_fault(Request(scope), error)
                if not status:
                    await answer(scope, receive, send_framed)
            route = scope.get("route")
            # Whoever watches this process asks every second: that is heard at DEBUG only.
            write = log.debug if scope["path"] in _PROBED_PATHS else log.info
            write(
                "request",
                method=scope["method"],
                # The template, not the path: ids stay out of the log.
                route=getattr(route, "path", "unknown"),
                status=status,
                duration_ms=round((time.monotonic() - started_at_s) * 1000, 1),
            )


class BodyLimitMiddleware:
    """Reads a body before anybody else does, and refuses one that is too large, too deep, packed, or no JSON."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "DELETE", "OPTIONS"}:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        most_bytes, judge = _bounds_of(scope["path"])
        refused = _judge_headers(headers, most_bytes)
        body = b""
        if refused is None:
            try:
                body = await _read_bounded(receive, most_bytes)
            except ClientDisconnect:
                return
            except _TooLargeError:
                refused = _TOO_LARGE
            else:
                media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
                refused = judge(media_type, body)
        if refused is not None:
            await problem(Request(scope), *refused)(scope, receive, send)
            return
        taken = False

        async def receive_again() -> Message:
            nonlocal taken
            if taken:
                return await receive()
            taken = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, receive_again, send)


class _TooLargeError(Exception):
    """More came than a request may hold."""


_TOO_LARGE = (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, *HTTP_CODES[413])
_WRONG_TYPE = (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, *HTTP_CODES[415])
_MALFORMED = (HTTPStatus.BAD_REQUEST, *HTTP_CODES[400])
# A declared length has at most as many digits as a billion: longer ones are not even read as numbers.
_LENGTH_DIGITS = 9


def _judge_headers(headers: Headers, most_bytes: int) -> tuple[int, str, str] | None:
    """Return the problem that shows before anything is read, or None."""
    if headers.get("content-encoding", "identity") != "identity":
        # A few bytes can unpack to gigabytes; nothing here needs packing.
        return _WRONG_TYPE
    declared = headers.get("content-length", "0")
    if not (declared.isascii() and declared.isdecimal()):
        return _MALFORMED
    return _TOO_LARGE if len(declared) > _LENGTH_DIGITS or int(declared) > most_bytes else None


async def _read_bounded(receive: Receive, most_bytes: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > most_bytes:
            raise _TooLargeError
        if not message.get("more_body", False):
            return bytes(body)


def _bounds_of(path: str) -> tuple[int, Callable[[str, bytes], tuple[int, str, str] | None]]:
    """Return how many bytes a body may have here, and what judges it."""
    if _RECORDING_PATHS.fullmatch(path):
        return RECORDING_BODY_MAX_BYTES, _judge_recording
    if _LIST_PATHS.fullmatch(path):
        return LIST_BODY_MAX_BYTES, _judge_list
    return BODY_MAX_BYTES, judge_json


def _judge_list(media_type: str, body: bytes) -> tuple[int, str, str] | None:
    """Return the problem of a body that cannot be a list; an empty one is told as a list without rows."""
    return None if not body or media_type in _LIST_TYPES else _WRONG_TYPE


def _judge_recording(media_type: str, _body: bytes) -> tuple[int, str, str] | None:
    """Return the problem of a body that cannot be a recording; what it truly is shows when it is decoded."""
    return None if _RECORDING_TYPES.fullmatch(media_type) else _WRONG_TYPE
