"""Bytes of HTTP on a real socket: what is a request is answered in its order, and what is none is refused."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
import uvicorn

from services.api.http_server import HEADERS_MAX_BYTES, READ_BYTES, BoundedHttpProtocol
from tests.support.raw_http import Connect, RawConnection, raw_connections

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
CODES = b"POST /v1/auth/codes HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
PADDED = b"GET /healthz HTTP/1.1\r\nHost: test\r\nX-Padding: "

Serve = Callable[[type[BoundedHttpProtocol]], contextlib.AbstractAsyncContextManager[uvicorn.Server]]


@pytest_asyncio.fixture(loop_scope="session")
async def connect(serve: Serve) -> AsyncIterator[Connect]:
    async with serve(BoundedHttpProtocol) as server, raw_connections(server) as opening:
        yield opening


async def refusal(connection: RawConnection) -> tuple[int, object]:
    """Return the status and code of the last answer of a connection."""
    status, body = await connection.answer()
    assert await connection.is_closed()
    return status, body["code"]


MALFORMED = {
    "no HTTP": b"NONSENSE\r\n\r\n",
    "no version": b"GET /healthz\r\nHost: test\r\n\r\n",
    "another version": b"GET /healthz HTTP/3.1\r\nHost: test\r\n\r\n",
    "the beginning of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a handshake of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
    "a request for a tunnel": b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "a path beyond ASCII": "GET /哈 HTTP/1.1\r\nHost: test\r\n\r\n".encode(),
    "a space before a colon": b"GET /healthz HTTP/1.1\r\nHost : test\r\n\r\n",
    "a zero in a header": b"GET /healthz HTTP/1.1\r\nHost: test\r\nX-A: a\x00b\r\n\r\n",
    "a negative length": CODES + b"Content-Length: -1\r\n\r\n{}",
    "two lengths": CODES + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a length and chunks": CODES + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk without a size": CODES + CHUNKED + b"xyz\r\n",
    "a trailer that never ends": CODES + CHUNKED + b"1\r\n{\r\n0\r\nX-A: " + b"y" * (3 * READ_BYTES),
    "the size of a chunk that never ends": CODES + CHUNKED + b"1;a=" + b"y" * (3 * READ_BYTES),
    "headers beyond the bound": PADDED + b"y" * HEADERS_MAX_BYTES + b"\r\n\r\n",
    "a header that never ends": PADDED + b"y" * (3 * READ_BYTES),
    "headers without number": b"GET /healthz HTTP/1.1\r\nHost: test\r\n" + b"X-A: b\r\n" * 6_000,
}


@pytest.mark.parametrize("sent", MALFORMED.values(), ids=MALFORMED)
async def test_what_is_no_request_is_refused_and_the_connection_closed(connect: Connect, sent: bytes) -> None:
    connection = await connect()
    await connection.send(sent)
    assert await refusal(connection) == (400, "malformed")


@pytest.mark.parametrize("sent", MALFORMED.values(), ids=MALFORMED)
async def test_requests_before_it_are_answered_first(connect: Connect, sent: bytes) -> None:
    connection = await connect()
    await connection.send(HEALTH + HEALTH + sent)
    assert [await connection.answer() for _ in range(2)] == [(200, {"status": "ok"})] * 2
    assert await refusal(connection) == (400, "malformed")


async def test_requests_in_one_segment_are_answered_in_their_order(connect: Connect) -> None:
    connection = await connect()
    body = b'{"phone": "12"}'
    code = CODES + b"Content-Length: %d\r\n\r\n" % len(body) + body
    unknown = b"GET /v1/nothing HTTP/1.1\r\nHost: test\r\n\r\n"
    await connection.send((HEALTH + code + unknown) * 20)
    statuses = [(await connection.answer())[0] for _ in range(60)]
    assert statuses == [200, 422, 404] * 20


@pytest.mark.parametrize("size", [1, 7, 50])
async def test_a_request_may_come_in_any_number_of_parts(connect: Connect, size: int) -> None:
    connection = await connect()
    body = b'{"phone": "12"}'
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:4], body[4:])) + b"0\r\n\r\n"
    sent = b"\r\n" + CODES + CHUNKED + chunks + HEALTH
    await connection.send(*(sent[at : at + size] for at in range(0, len(sent), size)))
    assert [(await connection.answer())[0] for _ in range(2)] == [422, 200]


async def test_an_offer_to_speak_another_protocol_is_left_alone(connect: Connect) -> None:
    # As Java's client offers HTTP/2, and a browser's socket.
    connection = await connect()
    for offer in (b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
                  b"Connection: Upgrade\r\nUpgrade: websocket\r\n"):  # fmt: skip
        await connection.send(b"GET /healthz HTTP/1.1\r\nHost: test\r\n" + offer + b"\r\n")
        assert await connection.answer() == (200, {"status": "ok"})
        body = b'{"phone": "12"}'
        await connection.send(CODES + offer + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert (await connection.answer())[0] == 422


async def test_spaces_around_a_header_do_not_count(connect: Connect) -> None:
    connection = await connect()
    body = b'{"phone": "12"}'
    head = CODES.replace(b"application/json", b" \t application/json \t ")
    await connection.send(head + b"Content-Length:  %d \r\n\r\n" % len(body) + body)
    assert (await connection.answer())[0] == 422


async def test_a_trailer_is_no_header(connect: Connect) -> None:
    connection = await connect()
    head = b"POST /v1/auth/codes HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
    await connection.send(head + b"2\r\n{}\r\n0\r\nContent-Type: application/json\r\n\r\n" + HEALTH)
    assert (await connection.answer())[0] == 415
    assert await connection.answer() == (200, {"status": "ok"})


async def test_headers_up_to_the_bound_are_read(connect: Connect) -> None:
    connection = await connect()
    await connection.send(PADDED + b"y" * (HEADERS_MAX_BYTES - 200) + b"\r\n\r\n")
    assert await connection.answer() == (200, {"status": "ok"})


@pytest.mark.parametrize(
    "head", [b"GET /healthz HTTP/1.0\r\n", b"GET /healthz HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"]
)
async def test_a_client_that_asks_to_close_is_answered_and_closed(connect: Connect, head: bytes) -> None:
    connection = await connect()
    await connection.send(head + b"\r\n")
    assert await connection.answer() == (200, {"status": "ok"})
    assert await connection.is_closed()
