"""The health page of bridge, broker and worker: what runs, what is ready, and what is not."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping

import httpx
import pytest

from services.core.platform.log.health import Check, HealthServer
from services.devstack.ports import is_answering
from tests.support.ports import claimed_ports


async def well() -> None:
    """Nothing to complain of."""


async def unwell() -> str:
    """Return a reason."""
    return "the database does not answer"


async def failing() -> None:
    """Fail in a way nobody foresaw."""
    message = "a secret in a message"
    raise ZeroDivisionError(message)


async def silent() -> None:
    """Never answer."""
    await asyncio.Event().wait()


@contextlib.asynccontextmanager
async def page(checks: Mapping[str, Check]) -> AsyncIterator[str]:
    """Serve a page for the block and yield its address."""
    with claimed_ports() as claim_port:
        port = claim_port()
        server = HealthServer(port, checks)
        await server.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            await server.stop()
            assert not is_answering(port)


async def test_it_is_ready_when_every_dependency_is_well() -> None:
    async with page({"postgres": well, "mosquitto": well}) as address, httpx.AsyncClient() as client:
        answer = await client.get(f"{address}/readyz")
        assert answer.status_code == 200
        assert answer.json() == {"status": "ok", "checks": {"postgres": "ok", "mosquitto": "ok"}, "own_fault": []}


async def test_each_dependency_that_is_unwell_is_named_and_the_process_itself_is_still_healthy() -> None:
    checks = {"postgres": unwell, "mosquitto": well, "broken": failing, "silent": silent}
    async with page(checks) as address, httpx.AsyncClient() as client:
        answer = await client.get(f"{address}/readyz")
        assert answer.status_code == 503
        assert answer.json()["checks"] == {
            "postgres": "the database does not answer",
            "mosquitto": "ok",
            "broken": "ZeroDivisionError",
            "silent": "no answer in time",
        }
        assert (await client.get(f"{address}/healthz")).json() == {"status": "ok"}


async def test_other_paths_and_methods_get_a_clear_answer() -> None:
    async with page({}) as address, httpx.AsyncClient() as client:
        assert (await client.get(f"{address}/")).status_code == 404
        assert (await client.get(f"{address}/healthz?verbose=1")).status_code == 200
        assert (await client.post(f"{address}/healthz")).status_code == 405
        head = await client.head(f"{address}/healthz")
        assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize("garbage", [b"\x00\xff\r\n\r\n", b"GET\r\n\r\n", b"x" * 20_000, b"GET /healthz HTTP/1.1\r\n"])
async def test_what_is_no_request_disturbs_nobody(garbage: bytes) -> None:
    async with page({"postgres": well}) as address:
        port = int(address.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(garbage)
        writer.write_eof()
        with contextlib.suppress(ConnectionResetError):
            answer = await asyncio.wait_for(reader.read(), 10)
            assert not answer or b" 404 " in answer.splitlines()[0]
        writer.close()
        async with httpx.AsyncClient() as client:
            assert json.loads((await client.get(f"{address}/readyz")).content)["status"] == "ok"


async def test_without_a_port_there_is_no_page() -> None:
    server = HealthServer(0, {"postgres": well})
    await server.start()
    await server.stop()


async def test_a_taken_port_is_an_error_at_the_start() -> None:
    async with page({}) as address:
        with pytest.raises(OSError, match="in use"):
            await HealthServer(int(address.rpartition(":")[2]), {}).start()
