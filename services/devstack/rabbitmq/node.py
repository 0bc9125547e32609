"""Nodes of a RabbitMQ cluster on loopback, configured by `infra/rabbitmq` and by what is particular to this machine."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.broker.certificates import Certificates
from services.devstack.tied import Child, start_child, stop_child, tied

CONFIGURATION: Final = Path(__file__).resolve().parents[3] / "infra" / "rabbitmq"
START_DEADLINE_S: Final = 120.0  # measured: 4 s for one node on two cores, 9 s for three
_STOP_GRACE_S: Final = 15.0
_ASK_EVERY_S: Final = 0.1
_PLUGINS: Final = "enabled_plugins"


class RabbitNotStartedError(Exception):
    """A node did not begin to serve; the message ends with its log."""


@dataclass(frozen=True)
class NodePorts:
    """The ports of one node: MQTT for watches and bridges, and the one for the other nodes."""

    mqtt: int
    distribution: int
    # The watches' TLS listener, where `certificates` are given.
    tls: int = 0
    # Its numbers for Prometheus; 0: at a port that nobody knows.
    metrics: int = 0


class RabbitCluster:
    """One to many nodes, each in a folder of its own, and the name service that they share. Not thread-safe.

    ``auth_urls`` are the addresses of `smartwatch broker-auth`: node after node asks the next of them, since RabbitMQ
    takes one address a node. ``program`` is the folder of :func:`services.devstack.rabbitmq.bringing.bring_rabbitmq`.
    ``settings`` are lines that win over the shipped ones.
    """

    def __init__(
        self, folder: Path, program: Path, ports: Sequence[NodePorts], name_port: int, auth_urls: Sequence[str],
        *, certificates: Certificates | None = None, settings: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self._folder = folder
        self._erlang = program / "usr/lib/erlang"
        [self._runtime] = self._erlang.glob("erts-*/bin")
        [self._home] = program.glob("usr/lib/rabbitmq/lib/rabbitmq_server-*")
        self._name_port = name_port
        self._auth_urls = list(auth_urls)
        self._certificates = certificates
        self._settings = dict(settings or {})
        self.ports = list(ports)
        self.names = [f"sw{number}@localhost" for number in range(1, len(ports) + 1)]
        self._name_service: Child | None = None
        self.nodes: list[Child | None] = [None] * len(ports)

    @property
    def addresses(self) -> str:
        """The nodes' MQTT addresses as `SMARTWATCH_BROKER_ADDRESSES` takes them."""
        return ",".join(f"127.0.0.1:{ports.mqtt}" for ports in self.ports)

    def start(self) -> None:
        """Start every node and wait until each serves. Raises RabbitNotStartedError; then nothing runs."""
        self._folder.mkdir(parents=True, exist_ok=True)
        cookie = self._folder / ".erlang.cookie"
        if not cookie.exists():
            cookie.touch(mode=0o600)
            cookie.write_text(secrets.token_hex(24), encoding="ascii")
            cookie.chmod(0o400)
        launcher = self._folder / "bin" / "erl"
        launcher.parent.mkdir(exist_ok=True)
        launcher.write_text(f'#!/bin/sh\nexec "{self._runtime}/erlexec" "$@"\n', encoding="ascii")
        launcher.chmod(0o755)
        with (self._folder / "names.log").open("ab") as log:
            self._name_service = start_child(
                tied([str(self._runtime / "epmd"), "-port", str(self._name_port), "-address", "127.0.0.1"],
                     signal.SIGKILL),
                log=log,
            )  # fmt: skip
        try:
            for number in range(len(self.nodes)):
                self.start_node(number)
            for number in range(len(self.nodes)):
                self.wait_for_node(number)
        except BaseException:
            self.stop()
            raise

    def start_node(self, number: int) -> None:
        """Start one node, without waiting for it; call only while it does not run."""
        folder = self._node_folder(number)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "rabbitmq.conf").write_text(self._configuration(number), encoding="utf-8")
        shutil.copy(CONFIGURATION / _PLUGINS, folder / _PLUGINS)
        command = tied(["sh", str(self._home / "sbin" / "rabbitmq-server"), "-noinput"], signal.SIGKILL)
        with self.log_file(number).open("ab") as log:
            self.nodes[number] = start_child(command, log=log, environment=self._environment(number), folder=folder)

    def wait_for_node(self, number: int) -> None:
        """Wait until a node answers on its MQTT ports. Raises RabbitNotStartedError."""
        deadline_s = time.monotonic() + START_DEADLINE_S
        ports = [self.ports[number].mqtt, *([self.ports[number].tls] if self._certificates else [])]
        while not all(map(_answers, ports)):
            node = self.nodes[number]
            if node is None or node.poll() is not None or time.monotonic() > deadline_s:
                raise RabbitNotStartedError(f"node {number + 1} does not serve: {self._log_tail(number)}")
            time.sleep(_ASK_EVERY_S)

    def signal_node(self, number: int, signal_number: signal.Signals) -> None:
        """Send a signal to one node: SIGKILL, SIGSTOP, SIGCONT."""
        node = self.nodes[number]
        if node is not None and node.poll() is None:
            node.send_signal(signal_number)
            if signal_number is signal.SIGKILL:
                node.wait()

    def wipe_node(self, number: int) -> None:
        """For fault tests: kill -9 a node and remove everything that it stored."""
        shutil.rmtree(self._node_folder(number) / "data", ignore_errors=True)
        self.signal_node(number, signal.SIGKILL)
        shutil.rmtree(self._node_folder(number) / "data", ignore_errors=True)

    def command(self, number: int, *words: str, program: str = "rabbitmqctl") -> str:
        """Run a command of RabbitMQ's programs on a node and return what it prints. Raises CalledProcessError."""
        # As `escript` does, whose program goes by the name of its own file and cannot be renamed as the others are.
        tool = self._home / "escript" / program
        options = ["+B", "-noshell", "-hidden", "-boot", "no_dot_erlang", "-run", "escript", "start"]
        main = ["-escript", "main", "rabbitmqctl_escript", "-extra", str(tool)]
        ran = subprocess.run(
            [str(self._runtime / "erlexec"), *options, *main, "--quiet", "--node", self.names[number], *words],
            env=self._environment(number), cwd=self._node_folder(number), capture_output=True, text=True,
            timeout=START_DEADLINE_S, check=True,
        )  # fmt: skip
        return ran.stdout

    def stop(self, *, at_once: bool = False) -> None:
        """Stop all nodes, then the name service; a repeat does nothing. ``at_once``: for a folder that is deleted."""
        running = [node for node in self.nodes if node is not None]
        for node in running:
            if node.poll() is None:
                node.send_signal(signal.SIGKILL if at_once else signal.SIGTERM)
        for node in running:
            stop_child(node, (signal.SIGTERM, _STOP_GRACE_S))
        self.nodes = [None] * len(self.nodes)
        if self._name_service is not None:
            stop_child(self._name_service, (signal.SIGTERM, 2.0))
            self._name_service = None

    def log_file(self, number: int) -> Path:
        """Return the log of one node."""
        return self._node_folder(number) / "node.log"

    def _node_folder(self, number: int) -> Path:
        return self._folder / f"node-{number + 1}"

    def _log_tail(self, number: int) -> str:
        try:
            return " | ".join(self.log_file(number).read_text(errors="replace").splitlines()[-5:])
        except FileNotFoundError:
            return ""

    def _configuration(self, number: int) -> str:
        """Return the shipped configuration, followed by this machine's; of two equal keys RabbitMQ takes the last."""
        auth_url = self._auth_urls[number % len(self._auth_urls)]
        here = {
            "mqtt.listeners.tcp.1": f"127.0.0.1:{self.ports[number].mqtt}",
            **{f"auth_http.{path}_path": f"{auth_url}/rabbitmq/{path}"
               for path in ("user", "vhost", "resource", "topic")},
            "load_definitions": str(CONFIGURATION / "definitions.json"),
            "distribution.listener.interface": "127.0.0.1",
            # The disk and memory of a developer's machine are shared with everything else.
            "disk_free_limit.absolute": "50MB",
            "vm_memory_high_watermark.absolute": "512MB",
            "prometheus.tcp.ip": "127.0.0.1", "prometheus.tcp.port": str(self.ports[number].metrics),
            **{f"cluster_formation.classic_config.nodes.{index}": name
               for index, name in enumerate(self.names, 1) if len(self.names) > 1},
            **self._tls_lines(number),
            **self._settings,
        }  # fmt: skip
        shipped = [
            line
            for line in (CONFIGURATION / "rabbitmq.conf").read_text(encoding="utf-8").splitlines()
            if line.partition("=")[0].strip() not in {*here, "vm_memory_high_watermark.relative"}
        ]
        return "\n".join([*shipped, "", *(f"{name} = {value}" for name, value in here.items()), ""])

    def _tls_lines(self, number: int) -> dict[str, str]:
        if self._certificates is None:
            return {}
        return {
            "mqtt.listeners.ssl.1": f"127.0.0.1:{self.ports[number].tls}",
            "ssl_options.certfile": str(self._certificates.certificate_file),
            "ssl_options.keyfile": str(self._certificates.key_file),
        }

    def _environment(self, number: int) -> dict[str, str]:
        folder = self._node_folder(number)
        return {
            "PATH": f"{self._folder / 'bin'}:{os.environ.get('PATH', os.defpath)}",
            "HOME": str(self._folder), "LANG": "C.UTF-8", "ROOTDIR": str(self._erlang),
            "BINDIR": str(self._runtime), "EMU": "beam", "PROGNAME": "erl", "ERL_MAX_PORTS": "65536",
            "ERL_EPMD_ADDRESS": "127.0.0.1", "ERL_EPMD_PORT": str(self._name_port), "ERL_CRASH_DUMP_SECONDS": "0",
            "RABBITMQ_NODENAME": self.names[number], "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"), "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / _PLUGINS), "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_DIST_PORT": str(self.ports[number].distribution), "RABBITMQ_PID_FILE": str(folder / "pid"),
            # The script replaces itself by the node, so that a signal reaches it.
            "RABBITMQ_ALLOW_INPUT": "1",
        }  # fmt: skip


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
