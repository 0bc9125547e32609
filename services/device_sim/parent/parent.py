"""A simulated parent: a phone app over the public API only."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from httpx_sse import ServerSentEvent

from services.device_sim.parent.devices import ParentDevices
from services.device_sim.parent.family import ParentFamily
from services.device_sim.parent.http import ParentHttp
from services.device_sim.parent.outbox import RETRY_FIRST_S, RETRY_MAX_S, Outbox
from services.device_sim.parent.places import ParentPlaces
from services.device_sim.parent.records import CodeSent, Me, Message, MessagePage, Session
from services.device_sim.parent.sms_file import sms_position, wait_for_sms_code
from services.device_sim.parent.store import ParentStore
from services.device_sim.parent.types import FamilyEvent, ProblemError, ServerAwayError, Waiting
from services.device_sim.parent.voice import ParentVoice
from services.device_sim.watch.timings import backoff_s

_TIMEOUT_S = 10.0
# By this name a simulated phone is listed among a guardian's sessions.
_LABEL = "simulated phone"


class SimParent:
    """One parent with a phone's memory in `state_folder`. Use it as `async with`.

    Refusals are ProblemError with the API's stable code; a backend that cannot be reached is ServerAwayError. A message
    is on disk before it is sent, under an Idempotency-Key made once, and is sent again until it was answered, also
    after a restart (`send_waiting`).
    """

    def __init__(
        self,
        base_url: str,
        state_folder: Path,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        random_source: random.Random | None = None,
    ) -> None:
        self._store = ParentStore(state_folder)
        # `trust_env=False`: a proxy of this computer must not stand between a test and its API.
        self._client = httpx.AsyncClient(base_url=base_url, transport=transport, timeout=_TIMEOUT_S, trust_env=False)
        self._random = random_source or random.SystemRandom()
        self._http = ParentHttp(self._client, self._store)
        self._outbox = Outbox(self._http, self._store, self._random)
        self.voice = ParentVoice(self._http, self._store, self._outbox)
        self.family = ParentFamily(self._http)
        self.places = ParentPlaces(self._http)
        self.devices = ParentDevices(self._http)

    async def close(self) -> None:
        """Close all connections; repeating the call does nothing."""
        await self._client.aclose()
        self._store.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # ---------------------------------------------------------------- log in

    @property
    def is_logged_in(self) -> bool:
        """Whether there is a session; the next request shows whether it is still valid."""
        return self._store.session() is not None

    async def request_code(self, phone: str, locale: str | None = None) -> CodeSent:
        """Request a one-time code; the answer is the same for every phone."""
        body = {"phone": phone} if locale is None else {"phone": phone, "locale": locale}
        known = self._store.device_token(phone)
        if known is not None:
            body["device_token"] = known
        sent = await self._http.ask_for(CodeSent, "POST", "/v1/auth/codes", body=body, open_to_all=True)
        self._store.set_challenge(phone, sent.challenge_id, sent.challenge_secret)
        return sent

    async def log_in(self, phone: str, code: str) -> Session:
        """Log in with the code that came for this phone."""
        challenge = self._store.challenge(phone)
        if challenge is None:
            raise ProblemError("no_code_asked", 0, "Ask for a code first.")
        body = {
            "challenge_id": challenge[0], "challenge_secret": challenge[1], "phone": phone, "code": code,
            "label": _LABEL,
        }  # fmt: skip
        known = self._store.device_token(phone)
        if known is not None:
            body["device_token"] = known
        session = await self._http.ask_for(Session, "POST", "/v1/auth/tokens", body=body, open_to_all=True)
        if session.device_token is not None:
            self._store.set_device_token(phone, session.device_token)
        self._store.set_session(session)
        return session

    async def log_in_by_sms_file(
        self, phone: str, sms_file: Path, *, locale: str | None = None, timeout_s: float = 30.0
    ) -> Session:
        """Request a code, read it from the development provider's file, and log in with it."""
        position = sms_position(sms_file)
        await self.request_code(phone, locale)
        return await self.log_in(
            phone, await wait_for_sms_code(sms_file, phone, position=position, timeout_s=timeout_s)
        )

    async def log_out(self) -> None:
        """End the session and delete everything on this phone."""
        try:
            await self._http.ask("POST", "/v1/auth/logout")
        finally:
            self._store.erase()

    async def me(self) -> Me:
        """Return the logged-in guardian with families and invitations."""
        return await self._http.ask_for(Me, "GET", "/v1/me")

    # ---------------------------------------------------------------- messages

    async def write(self, child_id: str, text: str, *, timeout_s: float = 30.0) -> Message:
        """Send a text; see `send`."""
        return await self.send(child_id, {"kind": "text", "text": text}, timeout_s=timeout_s)

    async def emoji(self, child_id: str, word: str, *, timeout_s: float = 30.0) -> Message:
        """Send an emoji; see `send`."""
        return await self.send(child_id, {"kind": "emoji", "emoji": word}, timeout_s=timeout_s)

    async def send(self, child_id: str, body: dict[str, str], *, timeout_s: float = 30.0) -> Message:
        """Store a message and send it until it is answered; return it once it is committed.

        Raises ProblemError when it is refused for good (it is then deleted), and ServerAwayError after `timeout_s`
        without an answer: it stays in the outbox, for `send_waiting`.
        """
        kept = self._store.keep_message(child_id, body)
        return await self._outbox.send_until_answered(kept, timeout_s)

    def waiting(self) -> list[Waiting]:
        """Return the unanswered messages."""
        return self._store.waiting()

    async def send_waiting(self, *, timeout_s: float = 30.0) -> list[Message]:
        """Send the unanswered messages in order with their keys; refused ones are left out of the result."""
        sent = []
        for kept in self._store.waiting():
            with contextlib.suppress(ProblemError):
                sent.append(await self._outbox.send_until_answered(kept, timeout_s))
        return sent

    async def messages(self, child_id: str, *, cursor: str | None = None, limit: int = 50) -> MessagePage:
        """Return a page of the conversation, newest first."""
        query: dict[str, Any] = {"limit": limit} if cursor is None else {"limit": limit, "cursor": cursor}
        return await self._http.ask_for(MessagePage, "GET", f"/v1/children/{child_id}/messages", query=query)

    async def history(self, child_id: str) -> list[Message]:
        """Return the whole conversation, oldest first."""
        messages: list[Message] = []
        cursor = None
        while True:
            page = await self.messages(child_id, cursor=cursor)
            messages.extend(page.messages)
            cursor = page.next_cursor
            if cursor is None:
                return messages[::-1]

    async def message(self, child_id: str, message_id: str) -> Message:
        """Return one message with its states."""
        return await self._http.ask_for(Message, "GET", f"/v1/children/{child_id}/messages/{message_id}")

    async def mark(self, child_id: str, message_id: str, state: str) -> Message:
        """Set this phone's state of the child's message: `delivered` or `played`."""
        path = f"/v1/children/{child_id}/messages/{message_id}/state"
        return await self._http.ask_for(Message, "PUT", path, body={"state": state})

    # ---------------------------------------------------------------- events

    async def follow(self) -> AsyncGenerator[FamilyEvent, None]:
        """Yield events from the stored position on; reconnects by itself with Last-Event-ID.

        The first event of every connection has kind `ready`. Ends with ProblemError when the session has ended.
        """
        attempt = 0
        while True:
            try:
                async with contextlib.aclosing(self._follow_once()) as events:
                    async for event in events:
                        attempt = 0
                        yield event
                        # After it was handled: a phone that dies in between gets it again.
                        self._store.set_cursor(event.cursor)
            except ServerAwayError:
                attempt += 1
            await asyncio.sleep(backoff_s(attempt, RETRY_FIRST_S, RETRY_MAX_S, self._random))

    async def _follow_once(self) -> AsyncGenerator[FamilyEvent, None]:
        cursor = self._store.cursor()
        headers = {} if cursor is None else {"Last-Event-ID": cursor}
        async with self._http.events("/v1/events", headers) as events:
            async for event in events:
                # A heartbeat is an event without data.
                if event.data:
                    yield _family_event(event, cursor)

    async def wait_for_message(
        self, child_id: str, condition: Callable[[Message], bool], *, timeout_s: float = 30.0
    ) -> Message:
        """Return the newest message of a conversation for which the condition holds; waits for events, without polling.

        Raises TimeoutError. Reads events on a connection of its own, from now on.
        """
        async with asyncio.timeout(timeout_s), contextlib.aclosing(self._follow_once()) as events:
            async for event in events:
                if event.kind == "ready" or event.child_id == child_id:
                    page = await self.messages(child_id)
                    match = next((message for message in page.messages if condition(message)), None)
                    if match is not None:
                        return match
        raise ServerAwayError("the event stream ended")


def _family_event(event: ServerSentEvent, cursor: str | None) -> FamilyEvent:
    fields = json.loads(event.data)
    if not isinstance(fields, dict):
        fields = {}
    return FamilyEvent(
        kind=event.event,
        cursor=event.id or cursor or "",
        family_id=fields.get("family_id"),
        child_id=fields.get("child_id"),
        ref_id=fields.get("ref_id"),
        detail=fields.get("detail") or {},
    )
