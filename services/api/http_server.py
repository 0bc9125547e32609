"""The server process: uvicorn with deadlines for headers and unread bodies, and a bound on idle connections.

Nothing of this relies on a proxy in front: a stranger holds a connection for seconds and costs it a small buffer.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from enum import Enum
from http import HTTPStatus
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from services.api.app import create_app
from services.api.problems import HTTP_CODES, MEDIA_TYPE, TYPE_PREFIX
from services.api.stream import EventHub
from services.api.system import states
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.database import Database
from services.core.platform.descriptors import descriptor_limit
from services.core.platform.log.health import HealthServer
from services.core.platform.metrics.page import MetricsPage, disks_of
from services.core.platform.settings import Settings

# A phone on the worst network needs two seconds for a request of 2 KiB.
HEADERS_WITHIN_S: Final = 10.0
# A client that was refused while it sends reads the answer only when its body has left: so much of it is discarded.
DISCARD_WITHIN_S: Final = 10.0
DISCARD_MAX_BYTES: Final = 2 * 1024 * 1024
# Between two reads of what is discarded, so that many refused uploads do not keep the event loop from honest requests:
# a recording of 1 MiB still passes within 7 s.
_DISCARD_PAUSE_S: Final = 0.1
# asyncio reads up to 256 KiB at once, which is 150 MiB for 600 strangers before anything was looked at.
READ_BYTES: Final = 16 * 1024
# Our tokens have 400 characters, a cursor 2,000.
HEADERS_MAX_BYTES: Final = 16 * 1024
# How many `Host` headers a request of each version has; other versions are refused.
_HOSTS: Final = {"1.0": (0, 1), "1.1": (1,)}
# An idle connection weighs about 35 KiB. Descriptors are kept free for the database, recordings and decoders.
MAX_CONNECTIONS: Final = 10_000
_RESERVED_DESCRIPTORS: Final = 200
# Closing one twentieth at a time keeps the search for the oldest ones cheap under a flood.
_CLOSED_SHARE: Final = 20
# For answers on their way; open streams are ended at once, and apps come back with their last event id.
_GRACE_S: Final = 3


class Arriving(Enum):
    """Part of a request that the connection receives next."""

    NOTHING = "nothing"
    HEADERS = "headers"
    BODY = "body"


class BoundedHttpProtocol(HttpToolsProtocol):
    """One connection. Beyond the bound the oldest one without a request is closed, never the newcomer."""

    headers_within_s = HEADERS_WITHIN_S
    discard_within_s = DISCARD_WITHIN_S
    max_connections = MAX_CONNECTIONS

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        # An attribute of every transport of asyncio's selector loop; another loop ignores it.
        transport.max_size = READ_BYTES  # type: ignore[attr-defined]
        self._opened_at_s = self.loop.time()
        self._deadline: asyncio.TimerHandle | None = None
        self._on_deadline: Callable[[], None] | None = None
        self._arriving = Arriving.NOTHING
        # Received since headers were complete or a part of a body came: an endless header, trailer or size of a chunk.
        self._bare_bytes = 0
        self._discarded_bytes = 0
        # A refusal that waits for the answers to earlier requests.
        self._refusal: HTTPStatus | None = None
        self._set_deadline()
        self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._clear_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what came, or discard it where the request has been answered; set the deadline for what is awaited."""
        if self._refusal is not None:
            self.flow.pause_reading()
            return
        if self._is_discarding:
            self._discarded_bytes += len(data)
            if self._discarded_bytes > DISCARD_MAX_BYTES:
                self.transport.abort()
                return
            self.flow.pause_reading()
            self.loop.call_later(_DISCARD_PAUSE_S, self._read_on)
        else:
            self._bare_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            self._clear_deadline()
            return
        if self._arriving is Arriving.NOTHING and not self.has_request:
            # Line ends before a request, of which the parser says nothing: they do not keep a connection open.
            self._arriving = Arriving.HEADERS
        if self._arriving is not Arriving.NOTHING and self._bare_bytes > HEADERS_MAX_BYTES:
            self._refuse(HTTPStatus.BAD_REQUEST)
            return
        if self._arriving is Arriving.BODY and not self._is_discarding and len(self.cycle.body) >= READ_BYTES:
            # Until the application asks for more; uvicorn itself waits for four times as much.
            self.flow.pause_reading()
        self._set_deadline()

    def _read_on(self) -> None:
        if not self.transport.is_closing():
            self.flow.resume_reading()

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._arriving = Arriving.HEADERS

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header without the spaces after its value, which the parser leaves; drop a trailer.

        A proxy has set or removed headers that decide, and may pass trailers of the same names on.
        """
        if self._arriving is not Arriving.BODY:
            super().on_header(name, value.rstrip(b" \t"))

    def on_headers_complete(self) -> None:
        """Start the application; an error that is raised here makes the parser refuse the request."""
        header_bytes = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        hosts, version = sum(name == b"host" for name, _ in self.headers), self.parser.get_http_version()
        if header_bytes > HEADERS_MAX_BYTES or hosts not in _HOSTS.get(version, ()):
            raise ValueError
        super().on_headers_complete()
        self._arriving = Arriving.BODY
        self._bare_bytes = self._discarded_bytes = 0

    def on_body(self, body: bytes) -> None:
        """Keep a part of a body."""
        super().on_body(body)
        self._bare_bytes = 0

    def on_message_complete(self) -> None:
        """Wait for the next request."""
        super().on_message_complete()
        self._arriving = Arriving.NOTHING
        self._bare_bytes = 0

    def on_response_complete(self) -> None:
        """Go on to the next request once the body of this one has passed."""
        if self.cycle.response_complete:
            self.cycle.body = bytearray()
        super().on_response_complete()
        if self._refusal is not None and not self.has_request and not self.transport.is_closing():
            self._refuse(self._refusal)
        self._set_deadline()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the parser's words are not for strangers
        """Answer what is no HTTP with a problem, and close."""
        self._refuse(HTTPStatus.BAD_REQUEST)

    @property
    def has_request(self) -> bool:
        """Whether a request is being answered, or its body is still arriving."""
        exchange = self._exchange
        return self._arriving is Arriving.BODY or (exchange is not None and not exchange.response_complete)

    @property
    def _is_discarding(self) -> bool:
        exchange = self._exchange
        return self._arriving is Arriving.BODY and exchange is not None and exchange.response_complete

    @property
    def _exchange(self) -> RequestResponseCycle | None:
        """The newest request of this connection; uvicorn types it as always there."""
        return self.cycle

    def _set_deadline(self) -> None:
        if self.transport.is_closing():
            self._clear_deadline()
        elif self._is_discarding:
            self._expect(self.discard_within_s, self.transport.abort)
        elif self.has_request:
            self._clear_deadline()
        elif self._exchange is None or self._arriving is Arriving.HEADERS:
            self._expect(self.headers_within_s, self._headers_too_slow)
        else:
            self._clear_deadline()
            if self.timeout_keep_alive_task is None:
                self.timeout_keep_alive_task = self.loop.call_later(
                    self.timeout_keep_alive, self.timeout_keep_alive_handler
                )

    def _expect(self, within_s: float, on_deadline: Callable[[], None]) -> None:
        """Call ``on_deadline`` after a time that counts from the first call: single bytes do not extend it."""
        if self._on_deadline != on_deadline:
            self._clear_deadline()
            self._on_deadline = on_deadline
            self._deadline = self.loop.call_later(within_s, on_deadline)

    def _clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = self._on_deadline = None

    def _headers_too_slow(self) -> None:
        if self._arriving is Arriving.HEADERS:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:
            self.transport.close()

    def _refuse(self, status: HTTPStatus) -> None:
        """Answer what is no request, after the answers to those before it, and close."""
        self._clear_deadline()
        exchange = self._exchange
        if self.has_request and self._arriving is not Arriving.BODY:
            self._refusal = status
            self.flow.pause_reading()
        elif self.pipeline:
            # The body of a request that waits for its turn.
            self._refusal = status
            cycle, _ = self.pipeline.popleft()
            self.pipeline.appendleft((cycle, _refusing(status)))
        else:
            if self._arriving is not Arriving.BODY or not self.cycle.response_started:
                headers, body = _problem(status)
                lines = (b"%s: %s\r\n" % header for header in headers)
                self.transport.write(b"".join((STATUS_LINE[status], *lines, b"\r\n", body)))
            if exchange is not None:
                exchange.disconnected = True
            self.transport.close()

    def _make_room(self) -> None:
        most = min(self.max_connections, max(1, descriptor_limit() - _RESERVED_DESCRIPTORS))
        if len(self.connections) <= most:
            return
        others = [
            connection
            for connection in self.connections
            if isinstance(connection, BoundedHttpProtocol) and connection is not self
        ]
        waiting = sorted(
            (connection for connection in others if not connection.has_request),
            key=lambda connection: connection.waits_since,
        )
        for connection in waiting[: max(1, len(waiting) // _CLOSED_SHARE)] or [self]:
            connection.transport.abort()

    @property
    def waits_since(self) -> tuple[bool, float]:
        """Connections on which nothing was ever asked come first, then the oldest."""
        return self._exchange is not None, self._opened_at_s


def _problem(status: HTTPStatus) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Return headers and body of an answer that refuses a request and ends its connection."""
    code, title = HTTP_CODES[status]
    body = json.dumps(
        {"type": f"{TYPE_PREFIX}{code}", "title": title, "status": status, "code": code, "request_id": new_ref(12)}
    ).encode()
    headers = [
        (b"content-type", MEDIA_TYPE.encode()), (b"content-length", b"%d" % len(body)), (b"cache-control", b"no-store"),
        (b"connection", b"close"),
    ]  # fmt: skip
    return headers, body


def _refusing(status: HTTPStatus) -> Any:  # noqa: ANN401 - uvicorn has types of its own for applications
    """Return an application that refuses a request."""

    async def refuse(_scope: Scope, _receive: Receive, send: Send) -> None:
        headers, body = _problem(status)
        await send({"type": "http.response.start", "status": status.value, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return refuse


class ApiServer(uvicorn.Server):
    """Serves the application, and its health page on a listener of its own.

    Asked to stop, it first ends the open event streams, which never end by themselves.
    """

    def __init__(self, config: uvicorn.Config, hub: EventHub, health: HealthServer | None = None) -> None:
        super().__init__(config)
        self._hub = hub
        self.health = health

    @property
    def open_connections(self) -> int:
        """How many connections are open."""
        return len(self.server_state.connections)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen; a taken port of the health page ends the process, as that of the API does."""
        if self.health is not None:
            await self.health.start()
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop serving, within the configured grace."""
        self._hub.end_streams()
        await super().shutdown(sockets)
        if self.health is not None:
            await self.health.stop()


def server_config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """Return how uvicorn serves the application."""
    return uvicorn.Config(
        app,
        host=settings.api_host,
        port=settings.api_port,
        http=BoundedHttpProtocol,
        # No route upgrades.
        ws="none",
        # The middleware logs requests, without addresses and ids.
        access_log=False,
        log_config=None,
        # Warnings are one line for each malformed request: strangers would write the log.
        log_level="error",
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=settings.api_keep_alive_s,
        timeout_graceful_shutdown=_GRACE_S,
        # A thousand apps that come back at once wait in the kernel's queue instead of being refused.
        backlog=4096,
        limit_concurrency=None,
    )


def run_api(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    app = create_app(settings, Database.of(settings))
    hub: EventHub = app.state.hub
    page = MetricsPage("api", disks_of(settings))
    server = ApiServer(server_config(app, settings), hub)
    server.health = HealthServer.of(settings, settings.api_health_port, lambda: states(app), page.render)
    page.gauge("http_connections", "Open connections of phones and browsers.", lambda: server.open_connections)
    page.gauge("event_streams", "Open event streams.", lambda: hub.open_streams)
    server.run()
