"""Requests of strangers against the real process: slow, large and endless ones cost bounded memory and bounded time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator
from time import monotonic

import httpx
import pytest
import pytest_asyncio

from services.api.body_limits import STRANGERS_MAX_BYTES
from services.api.http_server import HEADERS_WITHIN_S
from services.core.platform.settings import Settings
from tests.support.api_process import RunningApi, running_api
from tests.support.http import new_address, new_phone

STRANGERS = 600
RECORDING = f"/v1/children/{uuid.UUID(int=7)}/voice-messages"
# What 600 sockets, their parsers, tasks and read buffers weigh: 34 to 49 MiB on CPython 3.11. Without bounds the same
# attack takes 220 to 988 MiB.
CONNECTIONS_WEIGH_BYTES = 72 * 1024 * 1024
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Answer = tuple[int, dict[str, object]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def api(settings: Settings) -> AsyncIterator[RunningApi]:
    """The API as operators run it."""
    async with running_api(settings) as running:
        assert await _honest_log_in(running) == 202
        yield running


@pytest.fixture(scope="module")
def idle_bytes(api: RunningApi) -> int:
    """How much memory the process holds before anybody attacks it."""
    return api.resident_bytes()


def _head(path: str, length: int, media_type: str, token: str = "") -> bytes:
    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
    return (
        f"POST {path} HTTP/1.1\r\nHost: api.test\r\nX-Forwarded-For: {new_address()}\r\n{bearer}"
        f"Content-Type: {media_type}\r\nContent-Length: {length}\r\nIdempotency-Key: {uuid.uuid4()}\r\n\r\n"
    ).encode()


async def _connect(api: RunningApi) -> Connection:
    return await asyncio.open_connection("127.0.0.1", api.port)


@contextlib.asynccontextmanager
async def _strangers(api: RunningApi, sent: bytes) -> AsyncIterator[list[asyncio.Task[Answer]]]:
    """Open the connections of many strangers, each of whom sends this much and then no more; yields their answers.

    Each reads from the beginning: whoever looks only after the server has given up has no answer but a reset.
    """
    connections: list[Connection] = []
    answers: list[asyncio.Task[Answer]] = []

    async def come() -> None:
        reader, writer = await _connect(api)
        connections.append((reader, writer))
        answers.append(asyncio.create_task(_read_answer(reader, 120)))
        with contextlib.suppress(ConnectionError):
            writer.write(sent)
            async with asyncio.timeout(30):
                await writer.drain()

    await asyncio.gather(*(come() for _ in range(STRANGERS)))
    try:
        yield answers
    finally:
        for answer in answers:
            answer.cancel()
        await asyncio.gather(*answers, return_exceptions=True)
        for _, writer in connections:
            writer.transport.abort()


async def _honest_log_in(api: RunningApi) -> int:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{api.port}", timeout=60) as client:
        answer = await client.post(
            "/v1/auth/codes", json={"phone": new_phone()}, headers={"X-Forwarded-For": new_address()}
        )
        return answer.status_code


async def _read_answer(reader: asyncio.StreamReader, within_s: float = 30) -> Answer:
    async with asyncio.timeout(within_s):
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.partition(b":")[2]) for line in head.lower().splitlines() if line.startswith(b"content-length:")
        )
        return int(head.split()[1]), json.loads(await reader.readexactly(length))


async def test_large_bodies_without_a_token_are_not_read(api: RunningApi, idle_bytes: int) -> None:
    async with _strangers(api, _head(RECORDING, 600_000, "audio/webm") + b"\x00" * 500_000) as answers:
        assert await _honest_log_in(api) == 202
        assert {(status, body["code"]) for status, body in await asyncio.gather(*answers)} == {
            (401, "access_token_invalid")
        }
        assert api.resident_bytes() - idle_bytes < CONNECTIONS_WEIGH_BYTES


async def test_bodies_that_stop_half_way_are_bounded_in_all_and_the_newcomer_is_served(
    api: RunningApi, idle_bytes: int
) -> None:
    half = _head("/v1/auth/codes", 60_000, "application/json") + b" " * 59_000
    async with _strangers(api, half) as answers:
        assert await _honest_log_in(api) == 202
        assert api.resident_bytes() - idle_bytes < CONNECTIONS_WEIGH_BYTES + STRANGERS_MAX_BYTES
        # Beyond the bound the oldest ones are answered, so that there is room for whoever comes.
        status, body = await answers[0]
        assert (status, body["code"], body["retry_after_s"]) == (503, "try_again", 2)


async def test_headers_that_never_end_are_answered_and_closed(api: RunningApi) -> None:
    reader, writer = await _connect(api)
    silent_reader, silent_writer = await _connect(api)
    writer.write(b"GET /v1/me HTTP/1.1\r\nHost: api.test\r\n")
    started_at_s = monotonic()

    async def drip() -> None:
        with contextlib.suppress(ConnectionError):
            for number in range(1_000):
                writer.write(f"X-{number}: x\r\n".encode())
                await writer.drain()
                await asyncio.sleep(0.5)

    dripping = asyncio.create_task(drip())
    try:
        status, body = await _read_answer(reader, HEADERS_WITHIN_S + 10)
        assert (status, body["code"]) == (408, "request_too_slow")
        assert await reader.read() == b""
        # A connection on which nothing was ever asked is closed without a word.
        assert await silent_reader.read() == b""
        assert monotonic() - started_at_s >= HEADERS_WITHIN_S - 0.5
    finally:
        dripping.cancel()
        writer.transport.abort()
        silent_writer.transport.abort()


@pytest.mark.parametrize("sent", [b"NONSENSE\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: " + b"y" * 40_000])
async def test_what_is_no_http_is_refused_as_a_problem(api: RunningApi, sent: bytes) -> None:
    reader, writer = await _connect(api)
    writer.write(sent)
    status, body = await _read_answer(reader)
    assert (status, body["code"]) == (400, "malformed")
    # Closed with bytes unread, which the kernel tells the sender as a reset.
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""
    writer.close()


async def test_a_refused_upload_leaves_the_connection_usable_until_the_body_has_passed(api: RunningApi) -> None:
    reader, writer = await _connect(api)
    writer.write(_head(RECORDING, 300_000, "audio/webm") + b"\x00" * 100_000)
    assert (await _read_answer(reader))[0] == 401
    writer.write(b"\x00" * 200_000 + b"GET /healthz HTTP/1.1\r\nHost: api.test\r\n\r\n")
    assert await _read_answer(reader) == (200, {"status": "ok"})
    writer.close()


async def test_a_connection_stays_open_longer_than_proxies_keep_it(api: RunningApi, settings: Settings) -> None:
    # nginx and most load balancers keep an idle connection to a backend for 60 s, HAProxy and AWS up to 75 s.
    assert settings.api_keep_alive_s > 75
    reader, writer = await _connect(api)
    request = b"GET /healthz HTTP/1.1\r\nHost: api.test\r\n\r\n"
    writer.write(request)
    assert (await _read_answer(reader))[0] == 200
    # Longer than the server waits for the headers of a first request.
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(HEADERS_WITHIN_S + 1):
            await reader.read(1)
    writer.write(request)
    assert (await _read_answer(reader))[0] == 200
    writer.close()
