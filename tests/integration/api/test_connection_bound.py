"""A bounded number of connections: the oldest one without a request gives way, a request in progress never does."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
import uvicorn

from services.api import http_server
from services.api.http_server import BoundedHttpProtocol
from tests.support.raw_http import Connect, RawConnection, raw_connections

BOUND = 4
BODY = b'{"phone": "12"}'
Serve = Callable[[type[BoundedHttpProtocol]], contextlib.AbstractAsyncContextManager[uvicorn.Server]]


class FewConnections(BoundedHttpProtocol):
    """The protocol with a bound that a test reaches."""

    max_connections = BOUND


async def request(connection: RawConnection) -> int:
    """Send a request without a body and return the status of the answer, which is read to its end."""
    await connection.send(b"GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n")
    return (await connection.answer())[0]


async def begin_request(connection: RawConnection) -> None:
    """Send the headers of a request and wait until the server asks for its body."""
    await connection.send(
        b"POST /v1/auth/codes HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
        + f"Content-Length: {len(BODY)}\r\nExpect: 100-continue\r\n\r\n".encode()
    )
    assert (await connection.head()).startswith(b"HTTP/1.1 100 ")


async def end_request(connection: RawConnection) -> int:
    """Send the body of the request and return the status of the answer."""
    await connection.send(BODY)
    return (await connection.answer())[0]


@pytest_asyncio.fixture(loop_scope="session", params=["setting", "descriptors"])
async def connect(
    request: pytest.FixtureRequest, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Connect]:
    """Return what opens a connection to an API that serves four, by its own bound or by the limit of descriptors."""
    protocol: type[BoundedHttpProtocol] = FewConnections
    if request.param == "descriptors":
        protocol = BoundedHttpProtocol
        monkeypatch.setattr(http_server, "descriptor_limit", lambda: http_server._RESERVED_DESCRIPTORS + BOUND)  # noqa: SLF001
    async with serve(protocol) as server, raw_connections(server) as opening:
        yield opening


async def test_the_oldest_connection_without_a_request_gives_way_to_the_newcomer(
    connect: Connect,
) -> None:
    # Given one connection that has asked, and then three that never did.
    probe = await connect()
    assert await request(probe) == 200
    silent = [await connect() for _ in range(BOUND - 1)]
    # When two more arrive, then the oldest silent ones are closed, although the one that has asked is older.
    newcomers = [await connect()]
    assert await silent[0].is_closed()
    newcomers.append(await connect())
    assert await silent[1].is_closed()
    for connection in (probe, silent[2], *newcomers):
        assert await request(connection) == 200
    # When every connection has asked, then the oldest of all is closed.
    newcomers.append(await connect())
    assert await probe.is_closed()
    for connection in (silent[2], *newcomers):
        assert await request(connection) == 200


async def test_requests_in_progress_are_never_closed_and_a_newcomer_is_served_after_them(
    connect: Connect,
) -> None:
    busy = [await connect() for _ in range(BOUND)]
    for connection in busy:
        await begin_request(connection)
    # There is none to close but the newcomer itself.
    assert await (await connect()).is_closed()
    for connection in busy:
        assert await end_request(connection) == 422
    newcomer = await connect()
    assert await busy[0].is_closed()
    assert await request(newcomer) == 200
