"""The watchdog's service and timer are units that systemd accepts, and the service can do little else."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from services.cli.main import app

FOLDER = Path(__file__).parents[3] / "infra" / "systemd"
ANALYZE = shutil.which("systemd-analyze")
EXPOSURE_MAX = 2.0


@pytest.mark.skipif(ANALYZE is None, reason="a system without systemd")
def test_systemd_accepts_the_units_and_finds_the_service_well_confined(tmp_path: Path) -> None:
    service, timer = (tmp_path / f"smartwatch-watchdog.{kind}" for kind in ("service", "timer"))
    text = (FOLDER / service.name).read_text()
    # The program is installed on the machine that the unit is for.
    service.write_text(text.replace("/opt/smartwatch/.venv/bin/smartwatch", "/bin/true"))
    timer.write_text((FOLDER / timer.name).read_text())
    verified = subprocess.run([str(ANALYZE), "verify", service, timer], capture_output=True, text=True, check=False)  # noqa: S603
    assert (verified.returncode, verified.stderr) == (0, "")
    command = [str(ANALYZE), "security", "--offline=true", str(service)]
    judged = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
    assert float(judged.rpartition("service: ")[2].split()[0]) <= EXPOSURE_MAX


def test_the_service_runs_a_command_that_there_is() -> None:
    command = (FOLDER / "smartwatch-watchdog.service").read_text().partition("ExecStart=")[2].split()[1]
    assert command in {one.callback.__name__ for one in app.registered_commands if one.callback is not None}
