"""The API on a real socket, for what only streams show."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Self

import httpx
import pytest
import pytest_asyncio
import uvicorn

from services.api.http_server import ApiServer, BoundedHttpProtocol, server_config
from services.api.stream import EventHub
from services.core.platform.db.database import Database
from services.core.platform.settings import Settings
from tests.support.application import application
from tests.support.http import Parent

DEADLINE_S = 60.0
# The promise itself.
ENDS_WITHIN_S = 5.0


@dataclass
class StreamEvent:
    """One server-sent event."""

    kind: str
    id: str
    body: dict[str, Any]


@dataclass
class Stream:
    """A guardian's open event stream, read line by line as a browser does."""

    answer: httpx.Response
    lines: AsyncIterator[str]
    comments: list[str] = field(default_factory=list)
    last_id: str = ""

    async def next(self) -> StreamEvent | None:
        """Return the next event within a minute, or None at the end of the stream."""
        kind, content = "", ""
        async with asyncio.timeout(DEADLINE_S):
            async for line in self.lines:
                name, _, value = line.partition(": ")
                if not line and content:
                    return StreamEvent(kind, self.last_id, json.loads(content))
                if name == "event":
                    kind = value
                elif name == "data":
                    content = value
                elif name == "id":
                    self.last_id = value
                elif line.startswith(":"):
                    self.comments.append(line)
        return None

    async def until(self, kind: str) -> list[StreamEvent]:
        """Return the events up to the first of this kind."""
        events: list[StreamEvent] = []
        while not events or events[-1].kind != kind:
            event = await self.next()
            assert event is not None, f"the stream ended before {kind}"
            events.append(event)
        return events

    async def within(self, span_s: float) -> list[str]:
        """Return the kinds of the events that come within a span, which is the proof that others do not."""
        kinds: list[str] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(span_s):
                while (event := await self.next()) is not None:
                    kinds.append(event.kind)
        return kinds

    async def ends(self) -> bool:
        """Tell whether the stream ends within five seconds; events before that are passed over."""
        with contextlib.suppress(TimeoutError, httpx.RemoteProtocolError):
            async with asyncio.timeout(ENDS_WITHIN_S):
                while await self.next() is not None:
                    pass
            return True
        return False


class Live:
    """The running server and a client of its own."""

    def __init__(self, server: uvicorn.Server, client: httpx.AsyncClient, hub: EventHub) -> None:
        self.server = server
        self.hub = hub
        self.client = client

    @contextlib.asynccontextmanager
    async def follow(self, parent: Parent, last_id: str = "") -> AsyncIterator[Stream]:
        """Open a guardian's stream and wait until it is ready."""
        headers = {**parent.headers, **({"Last-Event-ID": last_id} if last_id else {})}
        async with self.client.stream("GET", "/v1/events", headers=headers, timeout=None) as answer:
            assert answer.status_code == 200
            stream = Stream(answer, answer.aiter_lines())
            ready = await stream.next()
            assert ready is not None
            assert ready.kind == "ready"
            yield stream


class _Server(ApiServer):
    """A server that leaves the signals of the test run alone."""

    def __init__(self, config: uvicorn.Config, hub: EventHub) -> None:
        super().__init__(config, hub)
        self.hub = hub
        self.listens = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield

    async def __aenter__(self) -> Self:
        self._served = asyncio.create_task(self.serve())
        async with asyncio.timeout(DEADLINE_S):
            await self.listens.wait()
        return self

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listens.set()

    async def __aexit__(self, *_: object) -> None:
        self.should_exit = True
        await self._served


Serve = Callable[[type[BoundedHttpProtocol]], contextlib.AbstractAsyncContextManager[uvicorn.Server]]


@pytest.fixture
def serve(settings: Settings, database: Database) -> Serve:
    """Return what serves the API with a given protocol, as a process does, on a free port of loopback."""

    @contextlib.asynccontextmanager
    async def serving(protocol: type[BoundedHttpProtocol]) -> AsyncIterator[uvicorn.Server]:
        with application(settings, database) as app:
            config = server_config(app, settings.model_copy(update={"api_port": 0}))
            config.http = protocol
            config.timeout_graceful_shutdown = 1
            async with _Server(config, app.state.hub) as server:
                yield server

    return serving


@pytest_asyncio.fixture(loop_scope="session")
async def live(serve: Serve) -> AsyncIterator[Live]:
    """The API as a process serves it, and a client of its own."""
    async with serve(BoundedHttpProtocol) as server:
        port = server.servers[0].sockets[0].getsockname()[1]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            assert isinstance(server, _Server)
            yield Live(server, client, server.hub)
