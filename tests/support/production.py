"""One machine in production: the processes of the units with the settings of the example, beside a server of its own.

What the example has below /var/lib and /etc lies below one folder, ports are free ones, the provider of text messages
is a gateway on loopback. Everything else is as it is installed.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final
from urllib.request import urlopen

from services.broker.certificates import development_certificates
from services.devstack.tied import Child, start_child, stop_child, tied
from tests.support.own_server import CHECKOUT, OwnServer

UNITS: Final = CHECKOUT / "infra" / "systemd"
# As the unit's `After=` and `Wants=` order them.
PROCESSES: Final = ("broker", "api", "worker", "bridge", "backup")
WEBHOOK_SECRET: Final = "a secret that this machine shares with the gateway"
READY_WITHIN_S: Final = 300.0
_INSTALLED: Final = "/opt/smartwatch/.venv/bin/smartwatch "
_PORTS: Final = (
    "api_port", "api_health_port", "mosquitto_tls_port", "mosquitto_inner_port", "mqtt_backend_port",
    "bridge_health_port", "broker_health_port", "worker_health_port", "backup_health_port",
)  # fmt: skip


def example() -> dict[str, str]:
    """Return the settings of the example."""
    lines = (UNITS / "environment.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def made_secrets(folder: Path) -> dict[str, str]:
    """Return what `make_secrets.py` writes, as the operator copies it."""
    file = folder / "secrets.env"
    script = CHECKOUT / "infra" / "setup" / "make_secrets.py"
    subprocess.run([sys.executable, script, file], check=True, capture_output=True)  # noqa: S603 - our own script
    return dict(line.split("=", 1) for line in file.read_text().splitlines() if not line.startswith("#"))


class Production:
    """The machine. What `safe` holds is kept elsewhere: secrets, certificates, and the address of the database."""

    def __init__(self, base: Path, server: OwnServer, gateway_url: str, claim_port: Callable[[], int]) -> None:
        self.machine = base / "machine"
        self.backups = base / "other-disk"
        self.safe = base / "safe"
        for folder in (self.machine, self.backups, self.safe):
            folder.mkdir()
        self.server = server
        self.ports = {name: claim_port() for name in _PORTS}
        self.ca_file = development_certificates(self.safe / "certificates", "watches.example.org").ca_file
        self._gateway_url = gateway_url
        self._secrets = made_secrets(self.safe)
        self._running: dict[str, Child] = {}

    # ------------------------------------------------------------------------- settings

    def settings(self, public_url: str) -> dict[str, str]:
        """Return the filled-in /etc/smartwatch/environment."""
        certificates = self.safe / "certificates"
        filled = {
            "SMARTWATCH_DATABASE_URL": self.server.url("smartwatch"),
            "SMARTWATCH_PUBLIC_URL": public_url,
            "SMARTWATCH_WATCH_HOST": "127.0.0.1",
            "SMARTWATCH_WATCH_PORT": str(self.ports["mosquitto_tls_port"]),
            "SMARTWATCH_MOSQUITTO_BIND": "127.0.0.1",
            "SMARTWATCH_TLS_CERTIFICATE_FILE": str(certificates / "server.pem"),
            "SMARTWATCH_TLS_KEY_FILE": str(certificates / "server-key.pem"),
            "SMARTWATCH_SMS_WEBHOOK_URL": f"{self._gateway_url}/send",
            "SMARTWATCH_SMS_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "SMARTWATCH_BACKUP_DIR": str(self.backups),
        }
        settings = {
            name: filled.get(name) or self._secrets.get(name) or value.replace("/var/lib", str(self.machine))
            for name, value in example().items()
        }
        assert not [name for name, value in settings.items() if "<" in value]
        settings |= self.server.environment
        return settings | {f"SMARTWATCH_{name.upper()}": str(port) for name, port in self.ports.items()}

    def environment_of(self, unit: str, public_url: str) -> dict[str, str]:
        """Return what a unit is given: the files that its `EnvironmentFile=` name, and nothing more."""
        files = {
            "environment": self.settings(public_url),
            "environment.owner": {"SMARTWATCH_MIGRATION_DATABASE_URL": self.server.url("smartwatch_owner")},
            "environment.backup": {"SMARTWATCH_BACKUP_DATABASE_URL": self.server.url("smartwatch_backup")},
        }
        named = re.findall(r"^EnvironmentFile=/etc/smartwatch/(\S+)$", _unit(unit), re.MULTILINE)
        outside = {name: value for name, value in os.environ.items() if not name.startswith("SMARTWATCH_")}
        return outside | {name: value for file in named for name, value in files[file].items()}

    def all_settings(self, public_url: str) -> dict[str, str]:
        """Return what root reads by hand: all three files."""
        return self.environment_of("schema", public_url) | self.environment_of("backup", public_url)

    # ------------------------------------------------------------------------- life

    async def start(self, public_url: str) -> None:
        """Bring the schema, start every unit, and wait until each says that it is ready."""
        for folder in ("smartwatch", "smartwatch-blobs", "smartwatch-ledger"):
            (self.machine / folder).mkdir(mode=0o700, exist_ok=True)
        await self.run(*_words("schema"), environment=self.environment_of("schema", public_url))
        for name in PROCESSES:
            with (self.safe / f"{name}.log").open("ab") as log:
                command = tied([sys.executable, "-m", "services.cli", *_words(name)], signal.SIGTERM)
                environment = self.environment_of(name, public_url)
                self._running[name] = start_child(command, log=log, environment=environment, folder=CHECKOUT)
        end_s = time.monotonic() + READY_WITHIN_S
        for name in PROCESSES:
            while not await asyncio.to_thread(_is_ready, self.ports[f"{name}_health_port"]):
                log_file = self.safe / f"{name}.log"
                assert self._running[name].poll() is None, log_file.read_text()[-3000:]
                assert time.monotonic() < end_s, log_file.read_text()[-3000:]
                await asyncio.sleep(0.1)

    async def stop(self) -> None:
        """Stop every process; a repeat does nothing."""
        for child in self._running.values():
            await asyncio.to_thread(stop_child, child, (signal.SIGTERM, 15.0))
        self._running.clear()

    async def destroy(self) -> None:
        """Lose the machine: every process, the database, the sound and the ledger."""
        for child in self._running.values():
            child.kill()
            await asyncio.to_thread(child.wait)
        self._running.clear()
        self.server.kill()
        self.server.stop()
        shutil.rmtree(self.server.data)
        shutil.rmtree(self.machine)
        self.machine.mkdir()

    async def run(self, *words: str, environment: dict[str, str]) -> str:
        """Run a command of the product to its end and return what it printed."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.cli", *words, env=environment, cwd=CHECKOUT,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        printed = (await process.communicate())[0].decode()
        assert process.returncode == 0, printed
        return printed

    def logs(self) -> Iterator[str]:
        """Yield what each process has logged."""
        for name in PROCESSES:
            yield (self.safe / f"{name}.log").read_text()


def _unit(name: str) -> str:
    return (UNITS / f"smartwatch-{name}.service").read_text()


def _words(name: str) -> list[str]:
    [words] = re.findall(rf"^ExecStart={_INSTALLED}(.*)$", _unit(name), re.MULTILINE)
    return str(words).split()


def _is_ready(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
