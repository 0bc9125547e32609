"""A real Prometheus of Debian with the shipped alert rules, for tests that prove which alerts fire."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import yaml

from services.devstack.tied import start_child, stop_child, tied
from tests.support.debian_programs import program

_RULES: Final = Path(__file__).parents[2] / "infra" / "monitoring" / "alerts.yaml"


@dataclass(frozen=True)
class Prometheus:
    """A running server."""

    url: str
    log_file: Path

    async def firing(self) -> dict[str, str]:
        """Return the summary of each alert that fires, by its name; nothing while the server starts."""
        async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
            with contextlib.suppress(httpx.TransportError):
                answer = await client.get(f"{self.url}/api/v1/alerts")
                if answer.is_success:
                    alerts = answer.json()["data"]["alerts"]
                    return {
                        alert["labels"]["alertname"]: alert["annotations"]["summary"]
                        for alert in alerts
                        if alert["state"] == "firing"
                    }
        return {}


@contextlib.contextmanager
def prometheus(folder: Path, port: int, targets: Mapping[str, Sequence[int]]) -> Iterator[Prometheus]:
    """Run it for the block; ``targets`` are ports of this machine by the name of the job."""
    folder.mkdir(parents=True, exist_ok=True)
    configuration = {
        "global": {"scrape_interval": "2s", "evaluation_interval": "2s"},
        "rule_files": [str(_RULES)],
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{port}" for port in ports]}]}
            for job, ports in targets.items()
        ],
    }
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(configuration))
    server = program("prometheus", "prometheus")
    environment = os.environ | {"LD_LIBRARY_PATH": ":".join(map(str, server.libraries))}
    command = tied(
        [
            str(server.path), f"--config.file={folder / 'prometheus.yaml'}", f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        signal.SIGTERM,
    )  # fmt: skip
    log_file = folder / "prometheus.log"
    with log_file.open("wb") as log:
        child = start_child(command, log=log, environment=environment)
    try:
        yield Prometheus(f"http://127.0.0.1:{port}", log_file)
    finally:
        stop_child(child, (signal.SIGTERM, 10.0))
