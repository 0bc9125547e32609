"""The health page of bridge, broker and worker: what runs, what is ready, and what is not."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
from collections.abc import AsyncIterator, Mapping

import httpx
import pytest

from services.core.platform.log.health import (
    Check,
    HealthServer,
    Render,
    clear_warning,
    may_read_metrics,
    readiness_answer,
    set_warning,
)
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
async def page(checks: Mapping[str, Check], metrics: Render | None = None) -> AsyncIterator[str]:
    """Serve a page for the block and yield its address."""
    with claimed_ports() as claim_port:
        port = claim_port()
        server = HealthServer(port, checks, metrics=metrics)
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
        ready = {"status": "ok", "checks": {"postgres": "ok", "mosquitto": "ok"}, "own_fault": []}
        assert answer.json() == ready | {"warnings": {}}
        set_warning("postgres", "old_primary_refused")
        try:
            answer = await client.get(f"{address}/readyz")
        finally:
            clear_warning("postgres")
        # The process works: a fault beside it does not make it unready.
        assert (answer.status_code, answer.json()) == (200, ready | {"warnings": {"postgres": "old_primary_refused"}})


@pytest.mark.parametrize(
    ("checks", "expected"),
    [
        ({"postgres": "ok", "blobs": "ok", "hung_loops": "ok"}, []),
        ({"postgres": "ok", "blobs": "ok", "hung_loops": "sms_1"}, ["hung_loops"]),
        ({"postgres": "no answer in time", "blobs": "ok", "hung_loops": "sms_1"}, []),
        ({"postgres": "ok", "blobs": "refused", "hung_loops": "sms_1"}, []),
        ({"postgres": "ok", "blobs": "ok", "sweeps": "erasure", "hung_loops": "sms_1"}, ["hung_loops"]),
        ({"postgres": "refused", "blobs": "ok", "hung_loops": "ok"}, []),
    ],
)
def test_what_waits_for_its_surroundings_has_no_fault_of_its_own(checks: dict[str, str], expected: list[str]) -> None:
    _, answer = readiness_answer(checks, {"hung_loops": frozenset({"postgres", "blobs"})})
    assert answer["own_fault"] == expected


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
            answer = await asyncio.wait_for(reader.read(), 60)
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


# ------------------------------------------------------------------------- metrics

OFFICE = (ipaddress.ip_network("10.20.0.0/16"), ipaddress.ip_network("2001:db8::/32"))
PLAIN = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    ("peer", "may_read"),
    [
        ("127.0.0.1", True), ("127.0.0.9", True), ("::1", True), ("::ffff:127.0.0.1", True), ("10.20.1.2", True),
        ("2001:db8::5", True), ("::ffff:10.20.1.2", True), ("10.21.1.2", False), ("203.0.113.5", False),
        ("2001:db9::5", False), ("", False), ("/run/socket", False),
    ],
)  # fmt: skip
def test_metrics_are_for_this_machine_and_configured_readers(peer: str, may_read: bool) -> None:  # noqa: FBT001
    assert may_read_metrics(PLAIN, peer, OFFICE) is may_read
    assert not may_read_metrics(PLAIN, "10.20.1.2", ())


@pytest.mark.parametrize("name", ["X-Forwarded-For", "x-forwarded-proto", "Forwarded", "Via", "X-Real-IP"])
async def test_a_proxy_on_this_machine_publishes_no_metrics(name: str) -> None:
    async def content() -> bytes:
        return b"smartwatch_x 1\n"

    async with page({}, metrics=content) as address, httpx.AsyncClient(base_url=address) as client:
        read = await client.get("/metrics")
        assert (read.status_code, read.text) == (200, "smartwatch_x 1\n")
        assert read.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert (await client.get("/metrics", headers={name: "203.0.113.5"})).status_code == 403
        assert (await client.post("/metrics")).status_code == 405


async def test_a_page_without_metrics_has_no_such_path() -> None:
    async with page({}) as address, httpx.AsyncClient() as client:
        assert (await client.get(f"{address}/metrics")).status_code == 404
