"""A small system of several machines on one: three nodes of RabbitMQ, two of each process, one Postgres.

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
# Of each second process: the settings that hold its ports.
_SECOND: Final[Mapping[str, tuple[str, ...]]] = {
    "api": ("api_port", "api_health_port"), "worker": ("worker_health_port",), "bridge": ("bridge_health_port",),
}  # fmt: skip


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
        auth_port = self._port()
        self.certificates = development_certificates(instance.folder / "certificates", "127.0.0.1")
        self.cluster = RabbitCluster(
            instance.folder / "rabbitmq", program, ports, self._port(), f"http://127.0.0.1:{auth_port}",
            certificates=self.certificates,
        )  # fmt: skip
        settings = {
            "broker": "external", "broker_addresses": self.cluster.addresses, "broker_auth_port": str(auth_port),
            "watch_port": str(ports[0].tls),
        }  # fmt: skip
        further = []
        log = instance.folder / "log"
        for process, port_settings in _SECOND.items():
            own = {setting: str(self._port()) for setting in port_settings}
            health = f"second_{port_settings[0]}"
            settings[health] = own[port_settings[0]]
            further.append(
                SupervisedProcess(f"{process}-2", health, log / f"{process}-2.log", words=(process,), settings=own)
            )
        self.installation = Installation(
            instance, overrides=settings | dict(overrides or {}), announce=announce, durable=durable, further=further
        )
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
        return f"http://127.0.0.1:{self.installation.settings['second_api_port']}"

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
