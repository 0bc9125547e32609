"""A parent's requests: bearer token, refresh after it has expired, problems as errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeVar

import httpx
from httpx_sse import EventSource, ServerSentEvent
from pydantic import TypeAdapter

from services.device_sim.parent.records import Session
from services.device_sim.parent.store import ParentStore
from services.device_sim.parent.types import ProblemError, ServerAwayError, StoredSession

T = TypeVar("T")
# The server's code for "not now, nothing was done".
_COME_AGAIN = "try_again"
_TRIES = 4
_LONGEST_WAIT_S = 5.0
_Request = tuple[dict[str, Any] | None, dict[str, Any] | None, dict[str, str] | None, bytes | None]
_UNAUTHORIZED = 401
_SERVER_FAULT = 500


@dataclass
class Download:
    """The received part of a download, and the version of the resource that it belongs to."""

    content: bytearray = field(default_factory=bytearray)
    etag: str | None = None

    def headers(self) -> dict[str, str]:
        """Return the headers that request the rest; none when nothing was received or the version is unknown."""
        if not self.content or self.etag is None:
            return {}
        return {"Range": f"bytes={len(self.content)}-", "If-Range": self.etag}

    def begin(self, status: int, etag: str | None) -> None:
        """Begin a response: it continues the download, or it is the whole resource from its start."""
        if status != HTTPStatus.PARTIAL_CONTENT:
            self.content.clear()
        self.etag = etag


class ParentHttp:
    """Sends requests as the parent whose session is stored."""

    def __init__(self, client: httpx.AsyncClient, store: ParentStore) -> None:
        self._client = client
        self._store = store
        self._refreshing = asyncio.Lock()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        body: dict[str, Any] | None = None,
        query: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        content: bytes | None = None,
        open_to_all: bool = False,
        repeatable: bool = False,
    ) -> Any:  # noqa: ANN401 - JSON
        """Return the answer's JSON (None for 204). Raises ProblemError or ServerAwayError.

        A GET, and a request marked `repeatable` because a second one returns the first one's result, is retried when
        the server answers "not now".
        """
        tries = _TRIES if repeatable or method == "GET" else 1
        request = (body, query, headers, content)
        for _ in range(tries - 1):
            try:
                return await self._ask_once(method, path, request, open_to_all=open_to_all)
            except ProblemError as error:
                if error.code != _COME_AGAIN:
                    raise
                wait_s = min(float(error.fields.get("retry_after_s", 0)), _LONGEST_WAIT_S)
            await asyncio.sleep(wait_s)
        return await self._ask_once(method, path, request, open_to_all=open_to_all)

    async def _ask_once(self, method: str, path: str, request: _Request, *, open_to_all: bool) -> Any:  # noqa: ANN401 - JSON
        body, query, headers, content = request
        session = None if open_to_all else self._need_session()
        options: dict[str, Any] = {"json": body, "params": query, "headers": headers or {}, "content": content}
        answer = await self._send(method, path, session, **options)
        if answer.status_code == _UNAUTHORIZED and session is not None:
            answer = await self._send(method, path, await self.refresh(session), **options)
        _raise_problem(answer)
        return answer.json() if answer.content else None

    async def ask_for(self, kind: type[T], method: str, path: str, **options: Any) -> T:  # noqa: ANN401 - as in `ask`
        """Return the answer as a record of this type."""
        return TypeAdapter(kind).validate_python(await self.ask(method, path, **options), strict=False)

    async def refresh(self, used: StoredSession) -> StoredSession:
        """Return a session newer than the refused one; serialised, because a refresh token works once."""
        async with self._refreshing:
            newest = self._need_session()
            if newest.access_token != used.access_token:
                return newest
            refresh = {"refresh_token": newest.refresh_token}
            answer = await self._send("POST", "/v1/auth/refresh", None, json=refresh)
            if answer.status_code == _UNAUTHORIZED:
                self._store.set_session(None)
            _raise_problem(answer)
            self._store.set_session(TypeAdapter(Session).validate_python(answer.json(), strict=False))
            return self._need_session()

    @asynccontextmanager
    async def events(self, path: str, headers: dict[str, str]) -> AsyncIterator[AsyncIterator[ServerSentEvent]]:
        """Open an event stream and yield its events. Raises ProblemError or ServerAwayError, also while reading."""
        session = self._need_session()
        for _ in range(2):
            sent_headers = {**headers, "Authorization": f"Bearer {session.access_token}", "Accept": "text/event-stream"}
            try:
                # No time limit between lines: the server sends a comment line every 15 s.
                async with self._client.stream(
                    "GET", path, headers=sent_headers, timeout=httpx.Timeout(10.0, read=60.0)
                ) as answer:
                    if answer.status_code != _UNAUTHORIZED:
                        if answer.is_error:
                            await answer.aread()
                        _raise_problem(answer)
                        yield EventSource(answer).aiter_sse()
                        return
            except httpx.TransportError as error:
                raise ServerAwayError(type(error).__name__) from None
            session = await self.refresh(session)
        raise ProblemError("access_token_invalid", _UNAUTHORIZED, "The session has ended. Log in again.")

    def _need_session(self) -> StoredSession:
        session = self._store.session()
        if session is None:
            raise ProblemError("not_logged_in", _UNAUTHORIZED, "Log in first.")
        return session

    async def read_on(self, path: str, read: Download) -> None:
        """Continue a download where it stopped; received bytes are kept, also when this raises.

        Raises ProblemError, or ServerAwayError when the connection ended: call it again.
        """
        session = self._need_session()
        for _ in range(2):
            sent_headers = {**read.headers(), "Authorization": f"Bearer {session.access_token}"}
            try:
                async with self._client.stream("GET", path, headers=sent_headers) as answer:
                    if answer.status_code != _UNAUTHORIZED:
                        if answer.is_error:
                            await answer.aread()
                        _raise_problem(answer)
                        read.begin(answer.status_code, answer.headers.get("etag"))
                        async for piece in answer.aiter_bytes():
                            read.content += piece
                        return
            except httpx.TransportError as error:
                raise ServerAwayError(type(error).__name__) from None
            session = await self.refresh(session)
        raise ProblemError("access_token_invalid", _UNAUTHORIZED, "The session has ended. Log in again.")

    async def _send(
        self,
        method: str,
        path: str,
        session: StoredSession | None,
        *,
        headers: dict[str, str] | None = None,
        **options: Any,  # noqa: ANN401 - what httpx takes
    ) -> httpx.Response:
        sent_headers = dict(headers or {})
        if session is not None:
            sent_headers["Authorization"] = f"Bearer {session.access_token}"
        try:
            return await self._client.request(method, path, headers=sent_headers, **options)
        except httpx.TransportError as error:
            raise ServerAwayError(type(error).__name__) from None


def _raise_problem(answer: httpx.Response) -> None:
    if not answer.is_error:
        return
    try:
        fields = answer.json()
    except ValueError:
        fields = {}
    if not isinstance(fields, dict):
        fields = {}
    if answer.status_code >= _SERVER_FAULT and "code" not in fields:
        raise ServerAwayError(f"status {answer.status_code}")
    detail = str(fields.get("detail") or fields.get("title") or answer.reason_phrase)
    raise ProblemError(str(fields.get("code", "unknown")), answer.status_code, detail, fields)
