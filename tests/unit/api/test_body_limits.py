"""Bodies on their way in: how slow, how many bytes in all, whose, and who gives way to whom."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from services.api.body_limits import BodyBudget, BodyLimitMiddleware, BufferedBody
from services.core.people.accounts.tokens import AccessClaims, AccessTokens

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
TOKENS = AccessTokens({"k": "a-key-of-this-test-of-at-least-32-bytes"})
RECORDING = f"/v1/children/{uuid.UUID(int=1)}/voice-messages"


@dataclass
class Exchange:
    """One request at the middleware: its parts, and what was answered."""

    path: str
    parts: AsyncIterator[bytes]
    headers: dict[str, str] = field(default_factory=dict)
    seen: list[bytes] = field(default_factory=list)
    sent: list[Message] = field(default_factory=list)
    parts_read: int = 0

    @property
    def code(self) -> tuple[int, str]:
        body = json.loads(self.sent[1]["body"])
        return self.sent[0]["status"], body["code"]

    async def receive(self) -> Message:
        async for part in self.parts:
            self.parts_read += 1
            return {"type": "http.request", "body": part, "more_body": True}
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    async def app(self, _scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append((await receive())["body"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b'{"code": ""}'})

    async def run(self, **limits: Any) -> Exchange:
        middleware = BodyLimitMiddleware(self.app, tokens=TOKENS, clock=lambda: NOW, **limits)
        scope = {
            "type": "http", "method": "POST", "path": self.path, "query_string": b"", "state": {},
            "headers": [(name.encode(), value.encode()) for name, value in self.headers.items()],
        }  # fmt: skip
        await middleware(scope, self.receive, self.send)
        return self


def _token(session: int = 1) -> dict[str, str]:
    claims = AccessClaims(uuid.UUID(int=9), uuid.UUID(int=session))
    return {"authorization": f"Bearer {TOKENS.issue(claims, NOW)}", "content-type": "audio/webm"}


async def _parts(
    *parts: bytes, then: asyncio.Event | None = None, buffered: asyncio.Event | None = None
) -> AsyncIterator[bytes]:
    """Yield the parts, set ``buffered`` once the middleware asks for more, and wait for ``then``."""
    for part in parts:
        yield part
    if buffered is not None:
        buffered.set()
    if then is not None:
        await then.wait()


async def test_a_recording_without_a_token_is_left_unread() -> None:
    exchange = await Exchange(RECORDING, _parts(b"x" * 10), {"content-type": "audio/webm"}).run()
    assert exchange.parts_read == 0
    # The route's own access rule answers.
    assert exchange.seen == [b""]


@pytest.mark.parametrize("token", ["", "x", "Bearer", "Bearer x.y.z", "Basic abc"])
async def test_a_token_that_is_not_ours_opens_nothing(token: str) -> None:
    headers = {"content-type": "audio/webm", "authorization": token}
    assert (await Exchange(RECORDING, _parts(b"x"), headers).run()).parts_read == 0


async def test_a_recording_with_a_token_reaches_the_application_whole() -> None:
    budget = BodyBudget()
    exchange = await Exchange(RECORDING, _parts(b"x" * 70_000, b"y"), _token()).run(budget=budget)
    assert exchange.seen == [b"x" * 70_000 + b"y"]
    assert budget.held_bytes == 0


async def test_a_body_that_stands_still_is_answered_408() -> None:
    never = asyncio.Event()
    exchange = await Exchange("/v1/auth/codes", _parts(b"{", then=never)).run(grace_s=0.02)
    assert exchange.code == (408, "request_too_slow")


async def test_a_slow_body_lives_as_long_as_it_keeps_its_rate() -> None:
    never = asyncio.Event()
    # 50 bytes buy 50 s at one byte a second: the deadline moves with what arrives.
    exchange = Exchange("/v1/auth/codes", _parts(b" " * 50, then=never))
    running = asyncio.create_task(exchange.run(grace_s=0.02, min_bytes_per_s=1))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await asyncio.shield(running)
    never.set()
    await running
    assert exchange.code[0] == 415


async def test_of_strangers_the_oldest_incomplete_body_gives_way_to_the_newcomer() -> None:
    budget, never = BodyBudget(strangers_max_bytes=100), asyncio.Event()
    buffered = [asyncio.Event(), asyncio.Event()]
    first = Exchange("/v1/auth/codes", _parts(b" " * 60, then=never, buffered=buffered[0]))
    second = Exchange("/v1/auth/codes", _parts(b" " * 30, then=never, buffered=buffered[1]))
    waiting = [asyncio.create_task(exchange.run(budget=budget)) for exchange in (first, second)]
    await asyncio.gather(*(event.wait() for event in buffered))
    newcomer = Exchange("/v1/auth/codes", _parts(b'"' + b"x" * 58 + b'"'), {"content-type": "application/json"})
    await newcomer.run(budget=budget)
    assert len(newcomer.seen) == 1
    await waiting[0]
    assert first.code == (503, "try_again")
    assert (b"retry-after", b"2") in first.sent[0]["headers"]
    assert not waiting[1].done()
    never.set()
    await waiting[1]
    assert budget.held_bytes == 0


async def test_one_session_cannot_use_up_what_all_have_together() -> None:
    budget, never = BodyBudget(session_max_bytes=100, sessions_max_bytes=150), asyncio.Event()
    buffered = asyncio.Event()
    first = Exchange(RECORDING, _parts(b"x" * 90, then=never, buffered=buffered), _token(1))
    waiting = asyncio.create_task(first.run(budget=budget))
    await buffered.wait()
    assert (await Exchange(RECORDING, _parts(b"x" * 20), _token(1)).run(budget=budget)).code == (503, "try_again")
    assert (await Exchange(RECORDING, _parts(b"x" * 50), _token(2)).run(budget=budget)).seen == [b"x" * 50]
    assert (await Exchange(RECORDING, _parts(b"x" * 70), _token(3)).run(budget=budget)).code == (503, "try_again")
    # Strangers have a budget of their own.
    stranger = Exchange("/v1/auth/codes", _parts(b"{}"), {"content-type": "application/json"})
    assert (await stranger.run(budget=budget)).seen == [b"{}"]
    never.set()
    await waiting
    assert budget.held_bytes == 0


def test_releasing_a_body_twice_counts_once() -> None:
    budget = BodyBudget()
    for session in (None, "s"):
        body = BufferedBody(session)
        assert budget.grow(body, 10)
        assert budget.held_bytes == 10
        budget.release(body)
        budget.release(body)
        assert budget.held_bytes == 0
