"""The endpoint that an external broker asks, on a real Postgres; tests/cluster puts a real RabbitMQ in front of it."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
import pytest_asyncio

from services.broker.external.authority import Authority, Backend
from services.broker.external.kick_passwords import make_kick_password
from services.broker.external.server import BODY_MAX_BYTES, Endpoint
from services.core.devices.watches.queries import (
    usernames_without_access,
    watch_by_serial,
)
from services.core.pairing.actions import unpair_child
from services.core.pairing.rules import UnpairReason
from services.core.platform.broker_settings import networks
from services.core.platform.db.database import Database
from services.core.platform.settings import Environment, Settings
from tests.support.world import Worn, make_home, wear

INSIDE, OUTSIDE = "10.0.0.7", "203.0.113.7"


class Asker:
    """A broker that asks."""

    def __init__(self, http: httpx.AsyncClient, settings: Settings) -> None:
        self._http = http
        self._backend_password = settings.mqtt_backend_password.get_secret_value()

    async def form(self, path: str, **fields: str) -> str:
        response = await self._http.post(f"/rabbitmq/{path}", data=fields)
        assert response.status_code == 200, response.text
        return response.text

    async def log_in(self, username: str, password: str, client_id: str = "", **more: str) -> str:
        return await self.form(
            "user", username=username, password=password, client_id=client_id or username, vhost="/", **more
        )

    async def speak(self, username: str, topic: str, permission: str) -> str:
        key = topic.replace("/", ".").replace("+", "*")
        return await self.form(
            "topic", username=username, vhost="/", resource="topic", name="amq.topic", permission=permission,
            routing_key=key,
        )  # fmt: skip

    async def post(self, path: str, **options: object) -> httpx.Response:
        return await self._http.post(path, **options)  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def asker(settings: Settings, database: Database, client: str = "127.0.0.1") -> AsyncIterator[Asker]:
    endpoint = Endpoint(Authority(database, Backend.of(settings)), networks("127.0.0.0/8"))
    transport = httpx.ASGITransport(endpoint.application, client=(client, 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://broker-auth") as http:
        yield Asker(http, settings)


@pytest_asyncio.fixture(loop_scope="session")
async def broker(settings: Settings, database: Database) -> AsyncIterator[Asker]:
    ours = settings.model_copy(update={"broker_inside": "10.0.0.0/8"})
    async with asker(ours, database) as asking:
        yield asking


@pytest_asyncio.fixture(loop_scope="session")
async def worn(database: Database) -> Worn:
    return await wear(database, await make_home(database))


async def test_a_watch_logs_in_under_its_own_name_and_speaks_on_its_own_topics(broker: Asker, worn: Worn) -> None:
    name = worn.username
    assert await broker.log_in(name, worn.password) == "allow"
    assert await broker.log_in(name, worn.password, client_id="w-bbbbbbbbbbbb") == "deny"
    assert await broker.log_in(name, f"{worn.password}x") == "deny"
    assert await broker.form("vhost", username=name, vhost="/", ip=OUTSIDE) == "allow"
    assert await broker.form("vhost", username=name, vhost="other", ip=OUTSIDE) == "deny"
    queue = f"mqtt-subscription-{name}qos1"
    assert await broker.form("resource", username=name, resource="queue", name=queue, permission="configure") == "allow"
    assert await broker.speak(name, f"sw/v1/{name}/down/#", "read") == "allow"
    assert await broker.speak(name, f"sw/v1/{name}/up/hello", "write") == "allow"
    assert await broker.speak(name, "sw/v1/+/down/#", "read") == "deny"
    assert await broker.speak(name, "sw/v1/w-bbbbbbbbbbbb/up/hello", "write") == "deny"


async def test_emqx_asks_in_json(broker: Asker, worn: Worn) -> None:
    body = {"username": worn.username, "clientid": worn.username, "password": worn.password, "peerhost": OUTSIDE}
    assert (await broker.post("/emqx/login", json=body)).json() == {"result": "allow", "is_superuser": False}
    assert (await broker.post("/emqx/login", json=body | {"clientid": "x"})).json()["result"] == "deny"
    topic = {"username": worn.username, "action": "subscribe", "topic": f"sw/v1/{worn.username}/down/#"}
    assert (await broker.post("/emqx/topic", json=topic)).json()["result"] == "allow"
    assert (await broker.post("/emqx/topic", json=topic | {"topic": "#"})).json()["result"] == "deny"


async def test_the_backends_user_comes_from_inside(broker: Asker, settings: Settings) -> None:
    name, password = "sw-backend", settings.mqtt_backend_password.get_secret_value()
    assert await broker.log_in(name, password, "sw-uplink") == "allow"
    assert await broker.form("vhost", username=name, vhost="/", ip=INSIDE) == "allow"
    assert await broker.form("vhost", username=name, vhost="/", ip=OUTSIDE) == "deny"
    assert await broker.log_in(name, password, "sw-uplink", ip=OUTSIDE) == "deny"
    assert await broker.log_in(name, "guessed", "sw-uplink") == "deny"
    # Where neither an address nor a further question comes, nobody knows where it is.
    assert await broker.form("user", username=name, password=password, client_id="sw-uplink") == "deny"
    assert await broker.log_in("guest", "guest") == "deny"


async def test_a_revoked_watch_may_do_nothing_and_its_session_can_be_taken_over_once(
    broker: Asker, database: Database, settings: Settings
) -> None:
    home = await make_home(database)
    worn = await wear(database, home)
    name = worn.username
    async with database.begin() as work:
        before = work.now - timedelta(seconds=1)
        await unpair_child(work, home.guardian_id, home.child_id, UnpairReason.LOST)
    assert await broker.log_in(name, worn.password) == "deny"
    assert await broker.form("vhost", username=name, vhost="/", ip=OUTSIDE) == "deny"
    assert await broker.speak(name, f"sw/v1/{name}/up/hello", "write") == "deny"
    assert await broker.speak(name, f"sw/v1/{name}/down/#", "read") == "deny"
    async with database.begin() as work:
        assert name in await usernames_without_access(work, before)

    password = make_kick_password(database.vault, name, database.clock())
    assert await broker.log_in(name, password) == "allow kick"
    assert await broker.log_in(name, password) == "deny"
    async with asker(settings.model_copy(update={"broker_cache_s": 3}), database) as keeping:
        # RabbitMQ's cache asks twice about one log-in.
        asked_twice = make_kick_password(database.vault, name, database.clock())
        answers = [await keeping.log_in(name, asked_twice) for _ in range(3)]
    assert answers == ["allow kick", "allow kick", "deny"]
    assert await broker.form("vhost", username=name, vhost="/", ip=INSIDE, tags="kick") == "allow"
    assert await broker.form("vhost", username=name, vhost="/", ip=OUTSIDE, tags="kick") == "deny"
    from_outside = make_kick_password(database.vault, name, database.clock())
    assert await broker.log_in(name, from_outside, ip=OUTSIDE) == "deny"


async def test_a_watch_out_of_use_may_not_log_in_with_either_identity(broker: Asker, database: Database) -> None:
    home = await make_home(database)
    assert await broker.log_in(f"f-{home.serial}", home.secret) == "allow"
    async with database.begin() as work:
        watch = await watch_by_serial(work, home.serial)
        assert watch is not None
        watch.state = "lost"
        work.add(watch)
    assert await broker.log_in(f"f-{home.serial}", home.secret) == "deny"


async def test_bad_questions_get_a_clear_refusal_and_no_password_is_logged(
    broker: Asker, settings: Settings, database: Database, capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    secret = "the-password-of-somebody"
    for body in (f"username=&password={secret}", f"password={secret}", "\0", f"a={secret}" * 5_000):
        response = await broker.post("/rabbitmq/user", content=body.encode())
        assert (response.status_code, response.text) == (400, "deny")
    assert (await broker.post("/rabbitmq/user", content=b"x" * (BODY_MAX_BYTES + 1))).status_code == 400
    assert (await broker.post("/emqx/login", content=b"[1]")).status_code == 400
    async with asker(settings, database, client=OUTSIDE) as stranger:
        form = {"username": "w-aaaaaaaaaaaa", "client_id": "w-aaaaaaaaaaaa", "password": secret, "vhost": "/"}
        assert (await stranger.post("/rabbitmq/user", data=form)).status_code == 403
    printed = capfd.readouterr()
    assert secret not in printed.out + printed.err + caplog.text


async def test_while_postgres_is_away_the_answer_is_503(settings: Settings, worn: Worn) -> None:
    away = Settings(environment=Environment.TEST, database_url="postgresql://nobody@127.0.0.1:9/none")
    database = Database.of(away)
    async with asker(settings, database) as broker:
        body = {"username": worn.username, "client_id": worn.username, "password": "x", "vhost": "/"}
        response = await broker.post("/rabbitmq/user", data=body)
        assert (response.status_code, response.text) == (503, "deny")
    await database.close()
