"""Three nodes of RabbitMQ, two of each process, a bucket, Postgres with a standby: each part is killed in turn.

A hundred watches and their parents speak meanwhile, through a load balancer and two APIs, texts and voice messages.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiomqtt
import httpx
import pytest
import pytest_asyncio

from services.core.pairing.actions import unpair_child
from services.core.pairing.rules import UnpairReason
from services.core.platform.crypto.vault import Vault
from services.core.platform.db.database import Database
from services.devstack.cluster import NODES, ClusterInstallation
from tests.e2e.conftest import Play
from tests.integration.broker.waiting import becomes_true
from tests.support.balancer import balanced
from tests.support.families import talking_families
from tests.support.mqtt_client import connected, refused
from tests.support.own_server import DATABASE
from tests.support.ports import claimed_ports
from tests.support.prometheus import prometheus
from tests.support.rabbit import rabbitmq_or_reason
from tests.support.s3 import s3_process
from tests.support.standby import Pair, primary_and_standby
from tests.support.watch import HandWatch
from tests.support.world import make_home, wear

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]

FAMILIES = 100
# Between two messages of one side, on the mean.
PAUSE_S = 20.0
# The promise is a minute after the crash of any one process. Here a hundred of them share two cores with every part.
MOVING_WITHIN_S = 600.0
GONE_WITHIN_S = 5.0
PATIENCE_S = 60.0
BRIDGES = {"bridge": "bridge_health_port", "bridge-2": "bridge_health_port_2"}
# In the tests of one fault each, where the fault lasts for a minute.
FEW_FAMILIES = 10
ALARM_S = 60.0
TOO_LITTLE_MEMORY, ENOUGH_MEMORY = "10MB", "512MB"


@dataclass
class Scene:
    cluster: ClusterInstallation
    pair: Pair
    play: Play
    balancer_port: int
    folder: Path
    rows_on_old_primary: int = 0
    _frozen: list[int] = field(default_factory=list)
    _kept_down: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @property
    def database(self) -> Database:
        return self.play.database

    @property
    def ports(self) -> list[int]:
        return [ports.mqtt for ports in self.cluster.cluster.ports]

    @property
    def apis(self) -> list[str]:
        return [self.cluster.installation.api_url, self.cluster.second_api_url]

    def reader(self) -> str:
        """Return the bridge that reads uplinks at this moment; waits until one does."""
        settings = self.cluster.installation.settings
        pages = {name: settings[port] for name, port in BRIDGES.items()}
        ends_at_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < ends_at_s:
            for name, port in pages.items():
                with contextlib.suppress(httpx.TransportError):
                    page = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False, timeout=5).text
                    if 'smartwatch_bridge_connected{part="uplink"} 1' in page:
                        return name
            time.sleep(0.2)
        pytest.fail("no bridge reads uplinks")

    def freeze(self, name: str) -> None:
        """Stop a process as a machine that swaps does: its connections stay, and it does nothing."""
        process_id = self.cluster.installation.process_ids()[name]
        assert process_id is not None
        os.kill(process_id, signal.SIGSTOP)
        self._frozen.append(process_id)

    def keep_down(self, name: str) -> None:
        """Kill -9 a process that does not come back before `thaw`."""
        self._kept_down.enter_context(self.cluster.installation.kept_down(name, how=signal.SIGKILL))

    def return_old_primary(self) -> None:
        """Start the primary that was lost, first in the address; processes that start now see both."""
        self.rows_on_old_primary = self.count_on_old_primary()
        self.cluster.installation.kill(self.reader())
        self.cluster.installation.kill("api")

    def count_on_old_primary(self) -> int:
        """Return how many messages the old primary has: after a restart also those whose commits wait for a standby."""
        self.pair.primary.kill()
        self.pair.primary.start()
        return int(self.pair.primary.psql(DATABASE, "SELECT count(*) FROM message"))

    def thaw(self) -> None:
        """Let go on what was frozen, unless it was replaced meanwhile, and what was kept down."""
        self._kept_down.close()
        for process_id in self._frozen:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process_id, signal.SIGCONT)
        self._frozen.clear()

    def wait_whole(self) -> None:
        """Wait until every node and every process serves again."""
        for number in range(NODES):
            self.cluster.cluster.wait_for_node(number)
        self.cluster.installation.wait_ready(MOVING_WITHIN_S)


def _memory_folder() -> str | None:
    """Where two hundred simulated memories, each with its own file, wait for no disk."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - a folder of its own is made below it


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scene() -> AsyncIterator[Scene]:
    rabbitmq_or_reason()
    folder = Path(tempfile.mkdtemp(prefix="smartwatch-cluster-"))
    os.chmod(folder, 0o711)  # noqa: PTH101, S103 - the server's own user passes through it
    memories = Path(tempfile.mkdtemp(prefix="smartwatch-drill-", dir=_memory_folder()))
    with contextlib.ExitStack() as ending:
        ending.callback(shutil.rmtree, memories, ignore_errors=True)
        ending.callback(shutil.rmtree, folder, ignore_errors=True)
        claim_port = ending.enter_context(claimed_ports())
        pair = ending.enter_context(primary_and_standby(claim_port))
        s3_url = ending.enter_context(s3_process(claim_port(), folder))
        made = await asyncio.to_thread(httpx.put, f"{s3_url}/programme", trust_env=False)
        assert made.status_code == 200
        balancer_port = claim_port()
        overrides = {
            "database_url": pair.url("smartwatch"), "migration_database_url": pair.primary.owner_dsn(),
            "blob_url": "s3://programme/recordings", "erasure_ledger_url": "s3://programme/ledger",
            "s3_endpoint": s3_url, "s3_region": "us-east-1", "s3_access_key_id": "key-id",
            "s3_secret_access_key": "secret", "watch_port": str(balancer_port),
        }  # fmt: skip
        cluster = ClusterInstallation(folder / "var", "cluster", overrides=overrides)
        ending.callback(cluster.stop, at_once=True)
        await asyncio.to_thread(cluster.start)
        settings = cluster.installation.settings
        database = Database(settings["database_url"], vault=Vault(settings["master_key"]))
        async with balanced(balancer_port, [ports.tls for ports in cluster.cluster.ports]):
            yield Scene(cluster, pair, Play(cluster.installation, database, memories), balancer_port, folder)
        await database.close()


def _load() -> str:
    return f"load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores"


async def test_a_revoked_watch_is_gone_from_every_node_and_stays_out(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    worn = []
    async with contextlib.AsyncExitStack() as stack:
        for port in scene.ports:
            home = await make_home(scene.database)
            identity = await wear(scene.database, home)
            client = await stack.enter_async_context(connected(port, identity.username, identity.password))
            await client.subscribe(f"sw/v1/{identity.username}/down/#")
            worn.append((home, identity, client))
        began_s = time.monotonic()
        for home, _, _ in worn:
            async with scene.database.begin() as work:
                await unpair_child(work, home.guardian_id, home.child_id, UnpairReason.UNPAIRED)
        for _, _, client in worn:
            await client.is_thrown_out(PATIENCE_S)
        gone_after_s = time.monotonic() - began_s
    with capsys.disabled():
        sys.stdout.write(f"\nthree revoked watches were gone after {gone_after_s:.2f} s ({_load()})\n")
    assert gone_after_s < GONE_WITHIN_S
    for _, identity, _ in worn:
        for port in scene.ports:
            assert await refused(port, identity.username, identity.password)


async def test_a_strangers_topic_is_refused_both_ways_on_every_node(scene: Scene) -> None:
    ana = await wear(scene.database, await make_home(scene.database))
    ben = await wear(scene.database, await make_home(scene.database))
    for number, port in enumerate(scene.ports):
        # Ana is connected to another node than the stranger: what one node refuses must not pass through the next.
        async with connected(scene.ports[number - 1], ana.username, ana.password) as client:
            await client.subscribe(f"sw/v1/{ana.username}/down/#")
            watch = HandWatch(client, f"sw/v1/{ana.username}")
            await watch.hello()
            for foreign in (f"sw/v1/{ana.username}/down/#", f"sw/v1/{ana.username}/up/#", "sw/v1/+/down/#", "#"):
                async with connected(port, ben.username, ben.password) as thief:
                    # RabbitMQ answers 0x80 and closes.
                    with contextlib.suppress(aiomqtt.MqttError):
                        await thief.subscribe(foreign)
                    await thief.is_thrown_out(PATIENCE_S)
            forged = f"t81kd02mq7z{number}"
            for leaf in (f"{ana.username}/up/text", f"{ana.username}/down/item/{forged}"):
                async with connected(port, ben.username, ben.password) as forger:
                    with pytest.raises(aiomqtt.MqttError):
                        await forger.publish(f"sw/v1/{leaf}", f'{{"id":"{forged}","to":"family","text":"forged"}}')
            with pytest.raises(aiomqtt.MqttError):
                async with connected(port, ben.username, ben.password, client_id=ana.username):
                    pass
            await watch.say("text", {"id": f"t92kd03nb4w{number}", "to": "family", "text": "mine", "tst": 0})
            # Nothing that the stranger published came before the answer to the watch's own message.
            assert "item" not in await watch.leaves_until("receipt")
    async with scene.database.begin() as work:
        refs = await work.fetch("SELECT ref FROM message WHERE ref LIKE 't81kd02mq7z%'")
    assert refs == []


async def test_a_node_whose_broker_auth_is_away_lets_nobody_in_and_the_next_node_does(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each node asks its own. A watch of the first node that says something is closed, and comes in elsewhere."""
    home = await make_home(scene.database)
    worn = await wear(scene.database, home)
    name, secret = worn.username, worn.password
    async with connected(scene.ports[0], name, secret) as client:
        await client.subscribe(f"sw/v1/{name}/down/#")
        scene.keep_down("broker")
        try:
            with pytest.raises(aiomqtt.MqttError):
                await client.publish(f"sw/v1/{name}/up/text", '{"id":"t93kd04qd2v1","to":"family","text":"x","tst":0}')
            assert [await refused(port, name, secret) for port in scene.ports] == [True, False, False]
            async with connected(scene.ports[1], name, secret) as elsewhere:
                await elsewhere.subscribe(f"sw/v1/{name}/down/#")
                began_s = time.monotonic()
                async with scene.database.begin() as work:
                    await unpair_child(work, home.guardian_id, home.child_id, UnpairReason.UNPAIRED)
                # Kicks are tried at each node; whoever held their lease may be the one that was killed.
                await elsewhere.is_thrown_out(PATIENCE_S)
                gone_after_s = time.monotonic() - began_s
        finally:
            scene.thaw()
    await asyncio.to_thread(scene.wait_whole)
    with capsys.disabled():
        sys.stdout.write(f"\nwithout one broker-auth a revoked watch was gone after {gone_after_s:.2f} s ({_load()})\n")


async def test_a_memory_alarm_of_a_minute_loses_nothing_and_staff_are_told(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = scene.cluster.cluster
    with (
        claimed_ports() as claim_port,
        prometheus(
            scene.folder / "prometheus", claim_port(), {"rabbitmq": [ports.metrics for ports in cluster.ports]}
        ) as watching,
    ):
        async with talking_families(
            scene.play, FEW_FAMILIES, apis=scene.apis, watch_port=scene.balancer_port, pause_s=1.0,
            deadline_s=MOVING_WITHIN_S,
        ) as families:  # fmt: skip
            await families.all_move(MOVING_WITHIN_S)
            assert "RabbitHoldsUpPublishers" not in await watching.firing()
            limit = ("set_vm_memory_high_watermark", "absolute")
            await asyncio.to_thread(cluster.command, 0, *limit, TOO_LITTLE_MEMORY)
            began_s = time.monotonic()

            async def is_told() -> bool:
                return "RabbitHoldsUpPublishers" in await watching.firing()

            await becomes_true(is_told, PATIENCE_S)
            told_after_s = time.monotonic() - began_s
            spoken = sum(len(family.talk.up) for family in families.families)
            # The load goes on: watches and phones keep what they cannot send.
            await asyncio.sleep(max(0.0, ALARM_S - told_after_s))
            held_up = sum(len(family.talk.up) for family in families.families) - spoken
            await asyncio.to_thread(cluster.command, 0, *limit, ENOUGH_MEMORY)
            moved_after_s = await families.all_move(MOVING_WITHIN_S)
            await families.finish()
            await asyncio.to_thread(scene.wait_whole)
            for family in families.families:
                await family.talk.check()
    with capsys.disabled():
        sys.stdout.write(
            f"\nmemory alarm of {ALARM_S:.0f} s: told after {told_after_s:.0f} s, {held_up} messages of watches"
            f" confirmed meanwhile, all had another one {moved_after_s:.0f} s after its end, nothing lost ({_load()})\n"
        )


async def test_in_a_memory_alarm_watches_come_in_at_the_nodes_that_have_memory(scene: Scene) -> None:
    """RabbitMQ tells a connection that is opened of the alarm of its own node alone; older ones wait on every node."""
    cluster = scene.cluster.cluster
    worn = [await wear(scene.database, await make_home(scene.database)) for _ in scene.ports]
    late = await wear(scene.database, await make_home(scene.database))
    limit = ("set_vm_memory_high_watermark", "absolute")
    async with contextlib.AsyncExitStack() as stack:
        older = []
        for port, identity in zip(scene.ports, worn, strict=True):
            client = await stack.enter_async_context(connected(port, identity.username, identity.password))
            await client.subscribe(f"sw/v1/{identity.username}/down/#")
            watch = HandWatch(client, f"sw/v1/{identity.username}")
            await watch.hello()
            older.append(watch)
        await asyncio.to_thread(cluster.command, 0, *limit, TOO_LITTLE_MEMORY)
        try:
            for number in range(NODES):

                async def is_alarmed(number: int = number) -> bool:
                    told = await asyncio.to_thread(cluster.command, number, "alarms", program="rabbitmq-diagnostics")
                    return "Memory alarm" in told

                await becomes_true(is_alarmed, PATIENCE_S)
            for number, watch in enumerate(older):
                with pytest.raises(aiomqtt.MqttError):
                    await watch.say("text", {"id": f"t94kd05rs3w{number}", "to": "family", "text": "held", "tst": 0})
            assert [await refused(port, late.username, late.password) for port in scene.ports] == [True, False, False]
            async with connected(scene.ports[1], late.username, late.password) as client:
                said = {"id": "t94kd05rs3wz", "to": "family", "text": "passes", "tst": 0}
                await HandWatch(client, f"sw/v1/{late.username}").say("text", said)
        finally:
            await asyncio.to_thread(cluster.command, 0, *limit, ENOUGH_MEMORY)


async def test_a_node_that_lost_its_disk_is_taken_back_once_it_is_forgotten(scene: Scene) -> None:
    cluster = scene.cluster.cluster
    async with talking_families(
        scene.play, FEW_FAMILIES, apis=scene.apis, watch_port=scene.balancer_port, pause_s=2.0,
        deadline_s=MOVING_WITHIN_S,
    ) as families:  # fmt: skip
        await families.all_move(MOVING_WITHIN_S)
        await asyncio.to_thread(cluster.wipe_node, 2)
        # Its supervisor starts it again and again; the others go on, and say why it is not one of them.
        await families.all_move(MOVING_WITHIN_S)

        async def is_refused() -> bool:
            return "inconsistent_cluster" in cluster.log_file(2).read_text(errors="replace")

        await becomes_true(is_refused, MOVING_WITHIN_S)
        await asyncio.to_thread(cluster.command, 0, "forget_cluster_node", cluster.names[2])
        await asyncio.to_thread(scene.wait_whole)
        await families.all_move(MOVING_WITHIN_S)
        await families.finish()
        for family in families.families:
            await family.talk.check()


async def test_each_part_is_killed_in_turn_and_nothing_confirmed_is_lost(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    installation, cluster = scene.cluster.installation, scene.cluster.cluster
    kills: dict[str, Callable[[], None]] = {
        # The first of the addresses is where the reader of uplinks connects, and the next one afterwards.
        "the reader's node was killed": lambda: cluster.signal_node(0, signal.SIGKILL),
        "its next node was killed": lambda: cluster.signal_node(1, signal.SIGKILL),
        "the bridge that reads was killed": lambda: installation.kill(scene.reader()),
        "the bridge that reads froze": lambda: scene.freeze(scene.reader()),
        # The first node asks it; the others have their own.
        "broker-auth was killed and stayed away": lambda: scene.keep_down("broker"),
        **{
            f"{name} was killed": (lambda name=name: installation.kill(name))  # type: ignore[misc]
            for name in ("api", "api-2", "worker")
        },
        "Postgres' primary was killed": scene.pair.lose_primary,
        "it returned, and the bridge that reads and an API were killed": scene.return_old_primary,
    }
    began_s, returned, loads = time.monotonic(), {}, []
    async with talking_families(
        scene.play,
        FAMILIES,
        apis=scene.apis,
        watch_port=scene.balancer_port,
        pause_s=PAUSE_S,
        deadline_s=MOVING_WITHIN_S,
    ) as families:
        returned["the start"] = await families.all_move(MOVING_WITHIN_S)
        returned["nothing happened"] = await families.all_move(MOVING_WITHIN_S)
        for name, kill in kills.items():
            await asyncio.to_thread(kill)
            returned[name] = await families.all_move(MOVING_WITHIN_S)
            loads.append(os.getloadavg()[0])
            scene.thaw()
            await asyncio.to_thread(scene.wait_whole)
        await families.finish()
        assert scene.count_on_old_primary() == scene.rows_on_old_primary
        # Raises where a confirmed message is missing, doubled, out of order, or has other bytes.
        for family in families.families:
            await family.talk.check()
    up, down = ([item for family in families.families for item in getattr(family.talk, way)] for way in ("up", "down"))
    with capsys.disabled():
        sys.stdout.write(
            f"\n{FAMILIES} watches and parents, {time.monotonic() - began_s:.0f} s, load {min(loads):.0f} to"
            f" {max(loads):.0f} on {os.cpu_count()} cores\n"
            + "".join(f"each side had another message confirmed after {name}: {took_s:.0f} s\n"
                      for name, took_s in returned.items())
            + "".join(
                f"{way}: {len(items)} confirmed, {sum(isinstance(item.content, bytes) for item in items)} of them"
                " voice; 0 lost, 0 doubled, 0 out of order\n"
                for way, items in (("to families", up), ("to children", down))
            )
        )  # fmt: skip
