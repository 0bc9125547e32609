"""One node of RabbitMQ 4 in Mosquitto's place: families speak through it, strangers and revoked watches do not."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import re
import subprocess
import time
import uuid
from collections.abc import AsyncIterator

import aiomqtt
import pytest
import pytest_asyncio
from sqlmodel import col, select

from services.broker.certificates import development_certificates
from services.broker.external.kicks import inner_tls
from services.core.conversation.messages.actions import send_to_child
from services.core.conversation.messages.rules import text_body
from services.core.conversation.messages.tables import Message
from services.core.devices.alerts.tables import Alert
from services.core.pairing.actions import pair_watch, unpair_child
from services.core.pairing.rules import UnpairReason
from services.core.platform.db.database import Database
from services.core.platform.settings import Settings
from services.devstack.doctor_brokers import brokers
from services.devstack.findings import Finding
from services.devstack.rabbitmq.node import CONFIGURATION
from services.mqtt_bridge.connection import BrokerLostError, connect
from tests.integration.broker.waiting import becomes_true
from tests.support.mqtt_client import connected, refused
from tests.support.ports import claimed_ports
from tests.support.rabbit import RabbitStand, rabbit_stand, rabbitmq_or_reason
from tests.support.watch import Stand
from tests.support.world import make_home, wear

# The promise is five seconds; a busy machine that starts nodes beside it takes longer than the tenth that was measured.
GONE_WITHIN_S = 10.0
PATIENCE_S = 30.0
SILENT = 200


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database(settings: Settings) -> AsyncIterator[Database]:
    """The module's database with the machine's clock, which the watches here have as well."""
    database = Database.of(settings)
    yield database
    await database.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def rabbit(settings: Settings, database: Database) -> AsyncIterator[RabbitStand]:
    with claimed_ports() as claim_port:
        async with rabbit_stand(settings, database, claim_port) as stand:
            yield stand


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stand(rabbit: RabbitStand) -> AsyncIterator[Stand]:
    """A bridge at the node, and watches whose messages a test writes by hand."""
    stand = Stand(None, rabbit.settings, rabbit.database, rabbit.cluster.ports[0].mqtt)  # type: ignore[arg-type]
    async with stand.bridge():
        yield stand


async def test_a_watch_is_paired_and_speaks_both_ways_through_the_cluster(rabbit: RabbitStand, stand: Stand) -> None:
    home = await make_home(rabbit.database)
    async with rabbit.watch(home) as watch:
        shown = await watch.pair(timeout_s=PATIENCE_S)
        async with rabbit.database.begin() as work:
            await pair_watch(work, home.guardian_id, home.child_id, shown.code)
        paired = await watch.wait_for("paired", timeout_s=PATIENCE_S)
        await watch.wait_for("online", username=paired["username"], timeout_s=PATIENCE_S)

        voice = await watch.wait_stored(watch.voice.record("family", seconds=2.0), timeout_s=PATIENCE_S)
        alert = await watch.wait_stored(watch.alerts.raise_alert(), timeout_s=PATIENCE_S)
        async with stand.database.begin() as work:
            await send_to_child(work, home.child_id, home.guardian_id, str(uuid.uuid4()), text_body("Home at six"))
        await watch.wait_until(lambda: any(one.text == "Home at six" for one in watch.inbox()), timeout_s=PATIENCE_S)
    async with rabbit.database.begin() as work:
        said = (await work.session.exec(select(Message).where(col(Message.ref) == voice.wire_id))).one()
        assert (said.child_id, said.direction) == (home.child_id, "to_family")
        raised = (await work.session.exec(select(Alert).where(col(Alert.ref) == alert.wire_id))).one()
        assert raised.child_id == home.child_id


async def test_a_bridge_checks_the_certificate_of_the_broker_and_passes_over_a_wrong_address(
    rabbit: RabbitStand, capsys: pytest.CaptureFixture[str]
) -> None:
    worn = await wear(rabbit.database, await make_home(rabbit.database))
    tls_port = rabbit.cluster.ports[0].tls
    with claimed_ports() as claim_port:
        # Nothing listens at the first.
        in_turn = f"127.0.0.1:{claim_port()},127.0.0.1:{tls_port}"
        trusting = rabbit.settings.model_copy(
            update={"broker_addresses": in_turn, "broker_ca_file": str(rabbit.tls_ca_file)}
        )
        async with (
            connected(tls_port, worn.username, worn.password, tls=inner_tls(trusting)) as client,
            connect(trusting, "sw-backend-tls", keep_session=False) as connection,
        ):
            await client.subscribe(f"sw/v1/{worn.username}/down/#")
            await connection.publish_all([(f"sw/v1/{worn.username}/down/time", b'{"tst":1}')])
            assert await client.hears(PATIENCE_S) == (f"sw/v1/{worn.username}/down/time", '{"tst":1}')
        assert "broker_not_reached" in capsys.readouterr().out
        other = development_certificates(rabbit.folder / "of-another-broker", "127.0.0.1")
        distrusting = trusting.model_copy(
            update={"broker_addresses": f"127.0.0.1:{tls_port}", "broker_ca_file": str(other.ca_file)}
        )
        with pytest.raises(BrokerLostError, match="SSLCertVerificationError"):
            async with connect(distrusting, "sw-backend-tls", keep_session=False):
                pass


async def test_the_doctor_finds_the_node_well_and_prints_nothing_else(
    rabbit: RabbitStand, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[Finding] = []

    async def is_well() -> bool:
        # RabbitMQ ends the connection that subscribes to everything.
        seen[:] = await brokers(rabbit.settings)
        return all(finding.ok for finding in seen)

    # A node that has just started may take longer than the doctor waits.
    await becomes_true(is_well, PATIENCE_S)
    assert len(seen) == 1
    gc.collect()
    assert [record.message for record in caplog.records if record.name == "asyncio"] == []


async def test_the_containers_are_of_this_version_and_their_health_check_passes_on_a_node_that_runs(
    rabbit: RabbitStand,
) -> None:
    compose = (CONFIGURATION.parent / "compose.cluster.yaml").read_text()
    [home] = rabbitmq_or_reason().glob("usr/lib/rabbitmq/lib/rabbitmq_server-*")
    [version] = re.findall(r"image: rabbitmq:(\S+)", compose)
    assert home.name.startswith(f"rabbitmq_server-{version}.")
    [check] = re.findall(r"test: \[CMD, (rabbitmq-\w+), ([^\]]+)\]", compose)
    program, words = check
    options = [word for word in words.split(", ") if word != "-q"]
    assert options == ["check_running"]
    assert "fully booted" in await asyncio.to_thread(rabbit.cluster.command, 0, *options, program=program)
    with pytest.raises(subprocess.CalledProcessError):
        await asyncio.to_thread(rabbit.cluster.command, 0, "check_port_listener", "1", program=program)


async def test_a_strangers_topic_is_refused_both_ways(rabbit: RabbitStand, stand: Stand) -> None:
    ana = await wear(rabbit.database, await make_home(rabbit.database))
    home = await make_home(rabbit.database)
    ben = await wear(rabbit.database, home)
    async with stand.watch(ana.username, ana.password) as watch:
        await watch.hello()
        for foreign in (f"sw/v1/{ana.username}/down/#", "sw/v1/+/down/#", "#"):
            async with connected(stand.plain_port, ben.username, ben.password) as thief:
                # RabbitMQ answers 0x80 and closes.
                with contextlib.suppress(aiomqtt.MqttError):
                    await thief.subscribe(foreign)
                await thief.is_thrown_out(PATIENCE_S)
        async with connected(stand.plain_port, ben.username, ben.password) as forger:
            with pytest.raises(aiomqtt.MqttError):
                await forger.publish(
                    f"sw/v1/{ana.username}/up/text",
                    '{"id":"t81kd02mq7zr","to":"family","text":"forged"}',
                )
        # Under the other's client id nobody gets in, and the other stays.
        with pytest.raises(aiomqtt.MqttError):
            async with connected(stand.plain_port, ben.username, ben.password, client_id=ana.username):
                pass
        await watch.say("text", {"id": "t92kd03nb4ws", "to": "family", "text": "mine", "tst": 0})
        assert (await watch.hears("receipt"))["ref"] == "t92kd03nb4ws"
    async with rabbit.database.begin() as work:
        refs = (await work.session.exec(select(Message.ref).where(col(Message.ref).is_not(None)))).all()
    assert "t81kd02mq7zr" not in refs


async def test_a_revoked_watch_is_gone_within_five_seconds_and_stays_out(rabbit: RabbitStand, stand: Stand) -> None:
    home = await make_home(rabbit.database)
    worn = await wear(rabbit.database, home)
    async with stand.watch(worn.username, worn.password) as watch:
        await watch.hello()
        began_s = time.monotonic()
        async with rabbit.database.begin() as work:
            await unpair_child(work, home.guardian_id, home.child_id, UnpairReason.UNPAIRED)
        await watch.client.is_thrown_out(PATIENCE_S)
        gone_after_s = time.monotonic() - began_s
    assert gone_after_s < GONE_WITHIN_S
    assert await refused(stand.plain_port, worn.username, worn.password)


async def test_silent_strangers_keep_no_watch_out_and_are_closed(rabbit: RabbitStand, stand: Stand) -> None:
    worn = await wear(rabbit.database, await make_home(rabbit.database))
    silent = [await asyncio.open_connection("127.0.0.1", stand.plain_port) for _ in range(SILENT)]
    try:
        async with stand.watch(worn.username, worn.password) as watch:
            await watch.hello()
        # The listener's own deadline for the log-in: ten seconds.
        async with asyncio.timeout(PATIENCE_S * 2):
            assert [await reader.read(1) for reader, _ in silent] == [b""] * SILENT
    finally:
        for _, writer in silent:
            writer.close()


async def test_while_the_endpoint_is_away_nobody_new_gets_in_and_whoever_is_there_hears(
    rabbit: RabbitStand, stand: Stand
) -> None:
    home = await make_home(rabbit.database)
    worn = await wear(rabbit.database, home)
    async with stand.watch(worn.username, worn.password) as watch:
        await watch.hello()
        other = await wear(rabbit.database, await make_home(rabbit.database))
        await rabbit.answering.stop()
        try:
            assert await refused(stand.plain_port, other.username, other.password)
            assert watch.client.connected
        finally:
            rabbit.answering.start()
        assert not await refused(stand.plain_port, other.username, other.password)
        await watch.hello()
