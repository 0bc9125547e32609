"""A small system of several machines on one: three nodes of RabbitMQ, two of each process, one Postgres.

Each node asks a `broker-auth` of its own, as on three machines: RabbitMQ takes one address, and asks no other one.

What `smartwatch up --cluster` and the tests of a cluster run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Self

from services.broker.certificates import development_certificates
from services.devstack.installation import Installation
from services.devstack.instance import acquire_instance
from services.devstack.ports import PortClaims
from services.devstack.rabbitmq.bringing import bring_rabbitmq
from services.devstack.rabbitmq.node import NodePorts, RabbitCluster
from services.devstack.supervised import SupervisedProcess

NODES: Final = 3
_WATCH_EVERY_S: Final = 0.5
# Ports are remembered by nobody: any free ones from here on.
_FIRST_PORT: Final = 18_830
# Of each further process: the settings that hold its ports, the one that tells whether it is ready first.
_FURTHER: Final[Mapping[str, tuple[str, ...]]] = {
    "api-2": ("api_port", "api_health_port"), "worker-2": ("worker_health_port",),
    "bridge-2": ("bridge_health_port",),
    **{f"broker-{number}": ("broker_health_port",) for number in range(2, NODES + 1)},
}  # fmt: skip
# Each question is one row: with the usual pools the processes of a cluster would want more than Postgres' connections.
_AUTH_POOL_SIZE: Final = 4


class ClusterInstallation:
    """Nodes and processes, started, watched and stopped together. A node that dies is started again."""

    def __init__(
        self, var: Path, name: str, *, overrides: Mapping[str, str] | None = None,
        announce: Callable[[str], None] = lambda _: None, durable: bool = True,
    ) -> None:  # fmt: skip
        program = bring_rabbitmq(announce)
        instance = acquire_instance(var, name)
        self._announce = announce
        self._claims = PortClaims()
        self._taken: set[int] = set()
        ports = [NodePorts(self._port(), self._port(), self._port(), self._port()) for _ in range(NODES)]
        auth_ports = [self._port() for _ in range(NODES)]
        self.certificates = development_certificates(instance.folder / "certificates", "127.0.0.1")
        self.cluster = RabbitCluster(
            instance.folder / "rabbitmq", program, ports, self._port(),
            [f"http://127.0.0.1:{port}" for port in auth_ports], certificates=self.certificates,
        )  # fmt: skip
        settings = {
            "broker": "external", "broker_addresses": self.cluster.addresses, "broker_auth_port": str(auth_ports[0]),
            "watch_port": str(ports[0].tls),
        }  # fmt: skip
        further = []
        of_auth = {"database_pool_size": str(_AUTH_POOL_SIZE)}
        log = instance.folder / "log"
        for further_name, port_settings in _FURTHER.items():
            process, _, number = further_name.partition("-")
            own = {setting: str(self._port()) for setting in port_settings}
            if process == "broker":
                own |= of_auth | {"broker_auth_port": str(auth_ports[int(number) - 1])}
            health = f"{port_settings[0]}_{number}"
            settings[health] = own[port_settings[0]]
            word = "broker-auth" if process == "broker" else process
            further.append(
                SupervisedProcess(further_name, health, log / f"{further_name}.log", words=(word,), settings=own)
            )
        self.installation = Installation(
            instance, overrides=settings | dict(overrides or {}), announce=announce, durable=durable, further=further
        )
        self.installation.processes["broker"].settings = of_auth
        self._ending = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="watches-nodes", daemon=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def second_api_url(self) -> str:
        """The address of the second API on this machine."""
        return f"http://127.0.0.1:{self.installation.settings['api_port_2']}"

    def start(self) -> None:
        """Start the nodes, then everything else. Raises what these raise; then nothing runs."""
        try:
            self.cluster.start()
            self.installation.start()
        except BaseException:
            self.stop()
            raise
        self._watcher.start()

    def stop(self, *, at_once: bool = False) -> None:
        """Stop everything, the nodes last; ``at_once`` kills the nodes, for a folder that is deleted."""
        self._ending.set()
        if self._watcher.is_alive():
            self._watcher.join()
        self.installation.stop()
        self.cluster.stop(at_once=at_once)
        self._claims.release()

    def _port(self) -> int:
        port = self._claims.free_port(range(_FIRST_PORT, _FIRST_PORT + 400), avoid=self._taken)
        self._taken.add(port)
        return port

    def _watch(self) -> None:
        while not self._ending.wait(_WATCH_EVERY_S):
            for number, node in enumerate(self.cluster.nodes):
                if node is not None and node.poll() is not None:
                    self._announce(f"node {number + 1} has ended; starting it again")
                    self.cluster.start_node(number)
