"""A wrong address and an endpoint that answers too late, at one node: a clear line, and no message is lost."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlmodel import col, select

from services.core.conversation.messages.actions import send_to_child
from services.core.conversation.messages.rules import text_body
from services.core.conversation.messages.tables import Message
from services.core.pairing.actions import pair_watch
from services.core.platform.db.database import Database
from services.core.platform.settings import Settings
from services.device_sim.watch.watch import SimWatch
from services.devstack.doctor_brokers import brokers
from services.devstack.doctor_cluster import shared_parts
from tests.integration.broker.waiting import becomes_true
from tests.support.mqtt_client import refused
from tests.support.ports import claimed_ports
from tests.support.rabbit import RabbitStand, rabbit_stand
from tests.support.watch import Stand
from tests.support.world import Home, make_home, wear

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

PATIENCE_S = 120.0
# Longer than RabbitMQ waits for an answer (auth_http.request_timeout).
SLOW_S = 10.0


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database(settings: Settings) -> AsyncIterator[Database]:
    """The module's database with the machine's clock, which the watches here have as well."""
    database = Database.of(settings)
    yield database
    await database.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def rabbit(settings: Settings, database: Database) -> AsyncIterator[RabbitStand]:
    """A node whose list has a wrong address at its head, and which bridges and kicks reach by TLS."""
    with claimed_ports() as claim_port:
        async with rabbit_stand(settings, database, claim_port) as stand:
            addresses = f"127.0.0.1:{claim_port()},127.0.0.1:{stand.cluster.ports[0].tls}"
            stand.settings = stand.settings.model_copy(
                update={"broker_addresses": addresses, "broker_ca_file": str(stand.tls_ca_file)}
            )
            yield stand


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stand(rabbit: RabbitStand) -> AsyncIterator[Stand]:
    stand = Stand(None, rabbit.settings, rabbit.database, rabbit.cluster.ports[0].mqtt)  # type: ignore[arg-type]
    async with stand.bridge():
        yield stand


async def _paired(rabbit: RabbitStand, home: Home, watch: SimWatch) -> str:
    """Pair a watch as a parent does and return its user name."""
    shown = await watch.pair(timeout_s=PATIENCE_S)
    async with rabbit.database.begin() as work:
        await pair_watch(work, home.guardian_id, home.child_id, shown.code)
    return str((await watch.wait_for("paired", timeout_s=PATIENCE_S))["username"])


async def test_with_a_wrong_broker_in_the_list_everything_goes_through_the_other(
    rabbit: RabbitStand, stand: Stand
) -> None:
    home = await make_home(rabbit.database)
    async with rabbit.watch(home) as watch:
        await _paired(rabbit, home, watch)
        await watch.wait_stored(watch.voice.record("family", seconds=1.0), timeout_s=PATIENCE_S)
        async with stand.database.begin() as work:
            await send_to_child(work, home.child_id, home.guardian_id, str(uuid.uuid4()), text_body("Home at six"))
        await watch.wait_until(lambda: any(one.text == "Home at six" for one in watch.inbox()), timeout_s=PATIENCE_S)
    wrong = stand.settings.broker_addresses.partition(",")[0]
    # In a thread: `doctor` has a loop of its own.
    named = [finding for finding in await asyncio.to_thread(shared_parts, stand.settings) if not finding.ok]
    assert [finding.name for finding in named] == ["broker"]
    assert wrong in named[0].what


async def test_while_the_endpoint_is_slow_nobody_new_gets_in_and_nothing_is_lost(
    rabbit: RabbitStand, stand: Stand
) -> None:
    home = await make_home(rabbit.database)
    async with rabbit.watch(home) as watch:
        username = await _paired(rabbit, home, watch)
        await watch.wait_for("online", username=username, timeout_s=PATIENCE_S)
        other = await wear(rabbit.database, await make_home(rabbit.database))
        rabbit.answering.delay_s = SLOW_S
        try:
            said = watch.write("family", "while nobody answers")
            assert await refused(stand.plain_port, other.username, other.password)
            findings = await brokers(rabbit.settings)
            assert not any(finding.ok for finding in findings)
        finally:
            rabbit.answering.delay_s = 0.0

        async def says_why() -> bool:
            return "timeout" in rabbit.cluster.log_file(0).read_text(errors="replace")

        await becomes_true(says_why, PATIENCE_S)
        await watch.wait_stored(said, timeout_s=PATIENCE_S)
    assert not await refused(stand.plain_port, other.username, other.password)
    async with rabbit.database.begin() as work:
        rows = await work.session.exec(select(Message.ref).where(col(Message.child_id) == home.child_id))
        assert rows.all() == [said.wire_id]
