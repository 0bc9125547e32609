"""A parent of a fleet: an event stream, texts over HTTP, and in the end the history for the checker."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final, Protocol

import httpx
from httpx_sse import EventSource

from services.device_sim.fleet.plan import Member

_UNAUTHORIZED: Final = 401
_PAGE: Final = 50
_RECONNECT_S: Final = 1.0
# No time limit between two lines of a stream: the server sends a comment every 15 s.
_STREAM_TIMEOUT: Final = httpx.Timeout(30.0, read=60.0)


class ParentListener(Protocol):
    """The counters of a fleet. Times are those of the loop."""

    def stream_opened(self) -> None:
        """Tell that the event stream of a parent is open."""

    def saw_text(self, text: str, at_s: float) -> None:
        """Tell that a parent was told of a text of the child, and has read it."""

    def text_answered(self, ref: str, status: int, at_s: float) -> None:
        """Tell that a text of a parent was answered; status 0: there was no answer."""


class LightParent:
    """One parent over the public API. `run` follows the event stream until it is cancelled."""

    def __init__(self, client: httpx.AsyncClient, member: Member, listener: ParentListener) -> None:
        self._client = client
        self._child_id = member.child_id
        self._refresh_token = member.refresh_token
        self._listener = listener
        self._access_token = ""
        self._last_event = ""
        self._renewing = asyncio.Lock()

    async def run(self) -> None:
        """Follow the events; open the stream again where it ends."""
        while True:
            with contextlib.suppress(httpx.HTTPError):
                async for message_id in self._events():
                    await self._look_at(message_id)
            await asyncio.sleep(_RECONNECT_S)

    async def write(self, ref: str, text: str) -> None:
        """Send a text; the key makes a repeat harmless."""
        status = 0
        with contextlib.suppress(httpx.HTTPError):
            path = f"/v1/children/{self._child_id}/messages"
            body = {"kind": "text", "text": text}
            answer = await self._ask("POST", path, json=body, headers={"Idempotency-Key": ref})
            status = answer.status_code
        self._listener.text_answered(ref, status, asyncio.get_running_loop().time())

    async def texts_of_child(self) -> list[str]:
        """Return every text of the child in the history, once for each message."""
        texts: list[str] = []
        query: dict[str, Any] = {"limit": _PAGE}
        while True:
            answer = await self._ask("GET", f"/v1/children/{self._child_id}/messages", params=query)
            answer.raise_for_status()
            page = answer.json()
            texts += [
                str(message["text"])
                for message in page["messages"]
                if message["direction"] == "to_family" and message.get("text") is not None
            ]
            if page.get("next_cursor") is None:
                return texts
            query["cursor"] = page["next_cursor"]

    async def _look_at(self, message_id: str) -> None:
        answer = await self._ask("GET", f"/v1/children/{self._child_id}/messages/{message_id}")
        if answer.is_success:
            message = answer.json()
            if message["direction"] == "to_family":
                self._listener.saw_text(str(message.get("text")), asyncio.get_running_loop().time())

    async def _events(self) -> AsyncIterator[str]:
        """Yield the ids of messages that the stream tells of."""
        await self._renew("")
        used = self._access_token
        headers = {"Authorization": f"Bearer {used}", "Accept": "text/event-stream"}
        if self._last_event:
            headers["Last-Event-ID"] = self._last_event
        async with self._client.stream("GET", "/v1/events", headers=headers, timeout=_STREAM_TIMEOUT) as answer:
            if answer.status_code == _UNAUTHORIZED:
                await self._renew(used)
                return
            answer.raise_for_status()
            self._listener.stream_opened()
            async for event in EventSource(answer).aiter_sse():
                self._last_event = event.id or self._last_event
                if event.event == "message.created" and event.data:
                    yield str(event.json().get("ref_id"))

    async def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - what httpx takes
        headers = options.pop("headers", {})
        for _ in range(2):
            used = self._access_token
            answer = await self._client.request(
                method, path, headers={**headers, "Authorization": f"Bearer {used}"}, **options
            )
            if answer.status_code != _UNAUTHORIZED:
                break
            await self._renew(used)
        return answer

    async def _renew(self, used: str) -> None:
        """Get an access token; serialised, because a refresh token works once."""
        async with self._renewing:
            if self._access_token != used:
                return
            answer = await self._client.post("/v1/auth/refresh", json={"refresh_token": self._refresh_token})
            answer.raise_for_status()
            session = answer.json()
            self._access_token, self._refresh_token = session["access_token"], session["refresh_token"]
