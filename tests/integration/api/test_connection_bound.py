"""A bounded number of connections: the oldest one without a request gives way, a request in progress never does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
import uvicorn

from services.api import http_server
from services.api.http_server import BoundedHttpProtocol

BOUND = 4
DEADLINE_S = 60.0
BODY = b'{"phone": "12"}'
Serve = Callable[[type[BoundedHttpProtocol]], contextlib.AbstractAsyncContextManager[uvicorn.Server]]


class FewConnections(BoundedHttpProtocol):
    """The protocol with a bound that a test reaches."""

    max_connections = BOUND


class Connection:
    """One connection to the API, on which nothing has been sent."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def request(self) -> int:
        """Send a request without a body and return the status of the answer, which is read to its end."""
        self._writer.write(b"GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n")
        return await self._answer()

    async def begin_request(self) -> None:
        """Send the headers of a request and wait until the server asks for its body."""
        self._writer.write(
            b"POST /v1/auth/codes HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
            + f"Content-Length: {len(BODY)}\r\nExpect: 100-continue\r\n\r\n".encode()
        )
        async with asyncio.timeout(DEADLINE_S):
            assert (await self._reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")

    async def end_request(self) -> int:
        """Send the body of the request and return the status of the answer."""
        self._writer.write(BODY)
        return await self._answer()

    async def is_closed(self) -> bool:
        """Wait until the server has closed the connection; False if it has not within a minute."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                return await self._reader.read(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    async def _answer(self) -> int:
        async with asyncio.timeout(DEADLINE_S):
            head = await self._reader.readuntil(b"\r\n\r\n")
            lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            await self._reader.readexactly(int(lengths[0].split(b":")[1]))
        return int(head.split()[1])


Connect = Callable[[], Awaitable[Connection]]


@pytest_asyncio.fixture(loop_scope="session", params=["setting", "descriptors"])
async def connect(
    request: pytest.FixtureRequest, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Connect]:
    """Return what opens a connection to an API that serves four, by its own bound or by the limit of descriptors."""
    protocol: type[BoundedHttpProtocol] = FewConnections
    if request.param == "descriptors":
        protocol = BoundedHttpProtocol
        monkeypatch.setattr(http_server, "descriptor_limit", lambda: http_server._RESERVED_DESCRIPTORS + BOUND)  # noqa: SLF001
    opened: list[Connection] = []
    async with serve(protocol) as server:
        port = server.servers[0].sockets[0].getsockname()[1]

        async def open_one() -> Connection:
            connection = Connection(*await asyncio.open_connection("127.0.0.1", port))
            opened.append(connection)
            return connection

        yield open_one
        for connection in opened:
            await connection.close()


async def test_the_oldest_connection_without_a_request_gives_way_to_the_newcomer(
    connect: Connect,
) -> None:
    # Given one connection that has asked, and then three that never did.
    probe = await connect()
    assert await probe.request() == 200
    silent = [await connect() for _ in range(BOUND - 1)]
    # When two more arrive, then the oldest silent ones are closed, although the one that has asked is older.
    newcomers = [await connect()]
    assert await silent[0].is_closed()
    newcomers.append(await connect())
    assert await silent[1].is_closed()
    for connection in (probe, silent[2], *newcomers):
        assert await connection.request() == 200
    # When every connection has asked, then the oldest of all is closed.
    newcomers.append(await connect())
    assert await probe.is_closed()
    for connection in (silent[2], *newcomers):
        assert await connection.request() == 200


async def test_requests_in_progress_are_never_closed_and_a_newcomer_is_served_after_them(
    connect: Connect,
) -> None:
    busy = [await connect() for _ in range(BOUND)]
    for connection in busy:
        await connection.begin_request()
    # There is none to close but the newcomer itself.
    assert await (await connect()).is_closed()
    for connection in busy:
        assert await connection.end_request() == 422
    newcomer = await connect()
    assert await busy[0].is_closed()
    assert await newcomer.request() == 200
