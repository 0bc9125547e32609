"""How large a request body may be, who may send a large one, how slowly, and how much is buffered in all. Pure ASGI.

A body is read before the application runs, so that no database connection waits for a slow phone. Without a token of
ours at most ``BODY_MAX_BYTES`` of a body are read: a recording or a list from a stranger is refused unread.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.json_bodies import judge_json
from services.api.problems import BODY_TOO_SLOW, HTTP_CODES, TRY_AGAIN, problem
from services.core.people.accounts.errors import AccessTokenInvalidError
from services.core.people.accounts.tokens import AccessTokens
from services.core.platform.audio.rules import CLIP_MAX_BYTES
from services.core.platform.clock import Clock

# JSON bodies are small.
BODY_MAX_BYTES: Final = 64 * 1024
# A recording: the largest clip, and the multipart envelope around it.
RECORDING_BODY_MAX_BYTES: Final = CLIP_MAX_BYTES + 16 * 1024
_RECORDING_PATHS: Final = re.compile(r"/v1/children/[^/]+/(voice-messages|uploads/[^/]+)")
# A list: some thousand rows of one site.
LIST_BODY_MAX_BYTES: Final = 1024 * 1024
_LIST_PATHS: Final = re.compile(r"/v1/staff/sites/[^/]+/(imports/[a-z]+|surveys/[^/]+/answers)")
# Twilio reports by form.
_FORM_PATHS: Final = re.compile(r"/v1/sms-reports/twilio/[^/]+")
_FORM_TYPE: Final = "application/x-www-form-urlencoded"
# The third is what browsers on a machine with a spreadsheet program call CSV.
_LIST_TYPES: Final = frozenset({
    "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/vnd.ms-excel",
    "application/octet-stream", "multipart/form-data",
})  # fmt: skip

# Bytes of bodies that one process buffers, from the first byte until the answer. One session's share is four
# recordings, so that a single phone cannot use up what all phones have together.
STRANGERS_MAX_BYTES: Final = 16 * 1024 * 1024
SESSIONS_MAX_BYTES: Final = 64 * 1024 * 1024
SESSION_MAX_BYTES: Final = 4 * RECORDING_BODY_MAX_BYTES
# GPRS carries about 2 KiB/s upwards: half of that, after a start-up allowance for the first round trips.
BODY_GRACE_S: Final = 20.0
BODY_MIN_BYTES_PER_S: Final = 1024
_RETRY_AFTER_S: Final = 2

Refusal = tuple[int, str, str]
_NO_BODY: Final = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})
_TOO_LARGE: Final = (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, *HTTP_CODES[413])
_WRONG_TYPE: Final = (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, *HTTP_CODES[415])
_MALFORMED: Final = (HTTPStatus.BAD_REQUEST, *HTTP_CODES[400])
# A declared length of more digits is refused without being parsed.
_LENGTH_DIGITS: Final = 9


class _RefusedError(Exception):
    """The body is refused while it is read. The server discards the rest, so that the client reads the answer."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__()
        self.refusal = refusal


@dataclass(eq=False)
class BufferedBody:
    """One body that is being read, or waits for its answer. ``session``: None for a stranger."""

    session: str | None
    held_bytes: int = 0
    # Whether reading has ended, so that nothing is gained by evicting it.
    is_complete: bool = False
    is_evicted: bool = False
    deadline: asyncio.Timeout | None = None


class BodyBudget:
    """Counts the bytes of bodies that this process buffers.

    Strangers and sessions have separate budgets. When the strangers' budget is spent, the oldest body that is still
    incomplete gives way to the newcomer: many half-sent bodies must not keep an honest phone from logging in.
    """

    def __init__(
        self,
        *,
        strangers_max_bytes: int = STRANGERS_MAX_BYTES,
        sessions_max_bytes: int = SESSIONS_MAX_BYTES,
        session_max_bytes: int = SESSION_MAX_BYTES,
    ) -> None:
        self._strangers_max_bytes = strangers_max_bytes
        self._sessions_max_bytes = sessions_max_bytes
        self._session_max_bytes = session_max_bytes
        # In the order of arrival.
        self._strangers: dict[BufferedBody, None] = {}
        self._strangers_bytes = 0
        self._bytes_of_session: dict[str, int] = {}
        self._sessions_bytes = 0

    @property
    def held_bytes(self) -> int:
        """How many bytes are buffered now."""
        return self._strangers_bytes + self._sessions_bytes

    def grow(self, body: BufferedBody, more_bytes: int) -> bool:
        """Count ``more_bytes`` of a body; return whether they fit."""
        if body.session is None:
            return self._grow_of_stranger(body, more_bytes)
        of_session = self._bytes_of_session.get(body.session, 0)
        if of_session + more_bytes > self._session_max_bytes:
            return False
        if self._sessions_bytes + more_bytes > self._sessions_max_bytes:
            return False
        self._bytes_of_session[body.session] = of_session + more_bytes
        self._sessions_bytes += more_bytes
        body.held_bytes += more_bytes
        return True

    def release(self, body: BufferedBody) -> None:
        """Count a body no more. A repeat does nothing."""
        if body.session is None:
            self._strangers.pop(body, None)
            self._strangers_bytes -= body.held_bytes
        elif body.held_bytes:
            left_bytes = self._bytes_of_session[body.session] - body.held_bytes
            self._sessions_bytes -= body.held_bytes
            if left_bytes:
                self._bytes_of_session[body.session] = left_bytes
            else:
                del self._bytes_of_session[body.session]
        body.held_bytes = 0

    def _grow_of_stranger(self, body: BufferedBody, more_bytes: int) -> bool:
        self._strangers.setdefault(body)
        while self._strangers_bytes + more_bytes > self._strangers_max_bytes:
            oldest = next((other for other in self._strangers if not other.is_complete), body)
            if oldest is body:
                return False
            self._evict(oldest)
        self._strangers_bytes += more_bytes
        body.held_bytes += more_bytes
        return True

    def _evict(self, body: BufferedBody) -> None:
        body.is_evicted = True
        self.release(body)
        if body.deadline is not None and not body.deadline.expired():
            body.deadline.reschedule(asyncio.get_running_loop().time())


class BodyLimitMiddleware:
    """Reads a body before the application runs; refuses one that is too large, slow, deep, packed, or no JSON."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        tokens: AccessTokens,
        clock: Clock,
        budget: BodyBudget | None = None,
        grace_s: float = BODY_GRACE_S,
        min_bytes_per_s: float = BODY_MIN_BYTES_PER_S,
    ) -> None:
        self._app = app
        self._tokens = tokens
        self._clock = clock
        self._budget = budget or BodyBudget()
        self._grace_s = grace_s
        self._min_bytes_per_s = min_bytes_per_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] in _NO_BODY:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        max_bytes, judge = _limits_of(scope["path"])
        session = self._session_of(headers, scope["path"])
        if session is None and max_bytes > BODY_MAX_BYTES:
            # The route's access rule refuses it, and records the refusal as it does for any other request.
            await self._app(scope, _replay(b"", receive), send)
            return
        body = BufferedBody(session)
        try:
            content = await self._read(headers, receive, max_bytes, body)
            media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
            refusal = judge(media_type, content)
            if refusal is not None:
                await _refuse(scope, receive, send, _RefusedError(refusal))
                return
            await self._app(scope, _replay(content, receive), send)
        except ClientDisconnect:
            # The client is gone.
            return
        except _RefusedError as refused:
            await _refuse(scope, receive, send, refused)
        finally:
            self._budget.release(body)

    def _session_of(self, headers: Headers, path: str) -> str | None:
        """Return the session whose valid access token the request carries, or None."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            if path.startswith("/v1/staff/"):
                return str(self._tokens.read_staff(token.strip(), self._clock()).staff_session_id)
            return str(self._tokens.read(token.strip(), self._clock()).session_id)
        except AccessTokenInvalidError:
            return None

    async def _read(self, headers: Headers, receive: Receive, max_bytes: int, body: BufferedBody) -> bytes:
        """Return the whole body; raises _RefusedError, ClientDisconnect."""
        refusal = _judge_headers(headers, max_bytes)
        if refusal is not None:
            raise _RefusedError(refusal)
        content = bytearray()
        started_at_s = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(started_at_s + self._grace_s) as body.deadline:
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ClientDisconnect
                    part = message.get("body", b"")
                    if len(content) + len(part) > max_bytes:
                        raise _RefusedError(_TOO_LARGE)
                    if body.is_evicted or not self._budget.grow(body, len(part)):
                        raise _RefusedError(TRY_AGAIN)
                    content += part
                    if not message.get("more_body", False):
                        return bytes(content)
                    body.deadline.reschedule(started_at_s + self._grace_s + len(content) / self._min_bytes_per_s)
        except TimeoutError as error:
            raise _RefusedError(TRY_AGAIN if body.is_evicted else BODY_TOO_SLOW) from error
        finally:
            body.is_complete = True


async def _refuse(scope: Scope, receive: Receive, send: Send, refused: _RefusedError) -> None:
    fields = {"retry_after_s": _RETRY_AFTER_S} if refused.refusal == TRY_AGAIN else None
    await problem(Request(scope), *refused.refusal, fields)(scope, receive, send)


def _replay(content: bytes, receive: Receive) -> Receive:
    """Return a ``receive`` that yields the body that was read, then what the server has to say."""
    is_read = False

    async def receive_again() -> Message:
        nonlocal is_read
        if is_read:
            return await receive()
        is_read = True
        return {"type": "http.request", "body": content, "more_body": False}

    return receive_again


def _judge_headers(headers: Headers, max_bytes: int) -> Refusal | None:
    """Return the problem that the headers alone show, or None."""
    if headers.get("content-encoding", "identity") != "identity":
        # A few bytes can unpack to gigabytes; no client of ours packs.
        return _WRONG_TYPE
    declared = headers.get("content-length", "0")
    if not (declared.isascii() and declared.isdecimal()):
        return _MALFORMED
    return _TOO_LARGE if len(declared) > _LENGTH_DIGITS or int(declared) > max_bytes else None


def _limits_of(path: str) -> tuple[int, Callable[[str, bytes], Refusal | None]]:
    """Return how many bytes a body may have here, and what judges it."""
    if _RECORDING_PATHS.fullmatch(path):
        return RECORDING_BODY_MAX_BYTES, _judge_recording
    if _LIST_PATHS.fullmatch(path):
        return LIST_BODY_MAX_BYTES, _judge_list
    if _FORM_PATHS.fullmatch(path):
        return BODY_MAX_BYTES, _judge_form
    return BODY_MAX_BYTES, judge_json


def _judge_form(media_type: str, body: bytes) -> Refusal | None:
    """Return the problem of a body that is no form; an empty one is a form without fields."""
    return None if not body or media_type == _FORM_TYPE else _WRONG_TYPE


def _judge_list(media_type: str, body: bytes) -> Refusal | None:
    """Return the problem of a body that cannot be a list; an empty one is reported as a list without rows."""
    return None if not body or media_type in _LIST_TYPES else _WRONG_TYPE


def _judge_recording(_media_type: str, _body: bytes) -> Refusal | None:
    """Accept any type, or none: apps and proxies name them wrongly, and decoding shows the real format."""
    return None
