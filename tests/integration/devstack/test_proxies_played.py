"""nginx and Caddy in front of the API, with the configuration that the examples have."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from services.api.body_limits import RECORDING_BODY_MAX_BYTES
from services.core.platform.db.database import Database
from services.core.platform.limits.rules import Limits
from services.core.platform.limits.tables import LimitBucket
from services.core.platform.settings import Settings
from tests.support.api_process import api_process, database_of_today
from tests.support.http import Parent, make_family
from tests.support.proxies import HOST, PHONE, Proxy, running_proxy
from tests.support.sounds import encoded

FORGED = "203.0.113.9"
EVENT_WITHIN_S = 60.0


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def api_port(settings: Settings) -> AsyncIterator[int]:
    async with api_process(settings) as port:
        yield port


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def today(settings: Settings) -> AsyncIterator[Database]:
    async with database_of_today(settings) as database:
        yield database


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=["nginx", "caddy"])
async def proxy(
    request: pytest.FixtureRequest, api_port: int, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Proxy]:
    folder: Path = tmp_path_factory.mktemp(request.param)
    async with running_proxy(request.param, folder, api_port) as proxy:
        yield proxy


@pytest_asyncio.fixture(loop_scope="session")
async def phone(proxy: Proxy) -> AsyncIterator[httpx.AsyncClient]:
    async with proxy.phone() as phone:
        yield phone


async def test_pages_are_served_by_tls_alone_and_those_of_operators_never(
    proxy: Proxy, phone: httpx.AsyncClient
) -> None:
    assert (await phone.get("/version")).status_code == 200
    for path in ("/metrics", "/healthz", "/readyz"):
        assert (await phone.get(path)).status_code == 404
    async with httpx.AsyncClient() as plain:
        moved = await plain.get(f"http://127.0.0.1:{proxy.http_port}/version", headers={"Host": HOST})
    assert moved.status_code in {301, 308}
    assert moved.headers["location"].startswith(f"https://{HOST}")


async def test_the_address_of_a_phone_is_the_one_that_the_proxy_saw(phone: httpx.AsyncClient, today: Database) -> None:
    parent = Parent(phone, today, "+8613900001111", address=FORGED)
    await parent.post("/v1/auth/codes", {"phone": parent.phone, "locale": "en"})
    async with today.begin() as work:
        seen = {
            address: await work.session.get(
                LimitBucket, work.vault.keyed_hash(f"{Limits.CODES_OF_ADDRESS.name}/{address}", "limit-bucket")
            )
            for address in (PHONE, FORGED)
        }
    assert seen[PHONE] is not None
    assert seen[FORGED] is None


async def test_events_arrive_at_once_and_the_stream_stays_open(phone: httpx.AsyncClient, today: Database) -> None:
    parent = await make_family(phone, today)
    async with asyncio.timeout(EVENT_WITHIN_S), phone.stream("GET", "/v1/events", headers=parent.headers) as stream:
        assert stream.status_code == 200
        lines = stream.aiter_lines()
        assert await _next_event(lines) == "ready"
        for _ in range(2):
            await parent.send("good night")
            assert await _next_event(lines) == "message.created"


async def _next_event(lines: AsyncIterator[str]) -> str:
    async for line in lines:
        if line.startswith("data: ") and (kind := json.loads(line.removeprefix("data: ")).get("kind")):
            return str(kind)
        if line == "event: ready":
            return "ready"
    raise AssertionError("the stream has ended")


async def test_a_recording_passes_while_it_arrives_and_one_that_is_too_long_is_refused_by_the_api(
    phone: httpx.AsyncClient, today: Database
) -> None:
    parent = await make_family(phone, today)
    sound = encoded("amr-nb", 3.0)
    sent = await parent.speak(sound)
    heard = await parent.ask("GET", f"{parent.child}/messages/{sent['message_id']}/audio")
    assert heard.status_code == 200
    assert len(heard.content) > 1000
    refused = await parent.ask(
        "POST", f"{parent.child}/voice-messages", content=bytes(RECORDING_BODY_MAX_BYTES + 1),
        headers={"Idempotency-Key": uuid.uuid4().hex, "Content-Type": "audio/amr"},
    )  # fmt: skip
    assert (refused.status_code, refused.headers["content-type"]) == (413, "application/problem+json")
