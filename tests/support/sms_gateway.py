"""A provider of text messages on loopback: it keeps what came, and answers what it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx


@dataclass(frozen=True)
class ReceivedRequest:
    """One request that came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Gateway:
    """Answers each request with the next of ``answers``, then with ``status`` and ``body``."""

    port: int = 0
    status: int = 200
    body: object = field(default_factory=dict)
    answers: deque[tuple[int, object]] = field(default_factory=deque)
    requests: list[ReceivedRequest] = field(default_factory=list)
    # Set: it takes the request and never answers.
    is_stuck: bool = False
    came: asyncio.Event = field(default_factory=asyncio.Event)
    # The same for a test in another thread.
    came_in_thread: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            content = await reader.readexactly(int(headers.get("content-length", "0")))
            method, target, _ = first.split(" ")
            self.requests.append(ReceivedRequest(method, target, headers, content))
            self.came.set()
            self.came_in_thread.set()
            if self.is_stuck:
                await reader.read()
            status, body = self.answers.popleft() if self.answers else (self.status, self.body)
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            head = f"HTTP/1.1 {status} x\r\nContent-Length: {len(raw)}\r\nConnection: close\r\n"
            head += f"Location: {self.url}/elsewhere\r\n" if status // 100 == 3 else ""
            writer.write(f"{head}\r\n".encode() + raw)
            await writer.drain()
        writer.close()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Gateway]:
        """Listen on a free port for the block."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()


class GivesUp(httpx.AsyncHTTPTransport):
    """The time-out of requests to a gateway that is stuck: once the gateway has the request, and not before it may."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(trust_env=False)
        self._gateway = gateway
        self.may = asyncio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raise TimeoutError where the gateway is stuck."""
        if not self._gateway.is_stuck or request.url.port != self._gateway.port:
            return await super().handle_async_request(request)
        self._gateway.came.clear()
        asking = asyncio.create_task(super().handle_async_request(request))
        try:
            await self._gateway.came.wait()
            await self.may.wait()
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        raise TimeoutError
