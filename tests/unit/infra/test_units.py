"""The systemd units: systemd accepts them, finds them well confined, and what they run exists."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from services.cli.commands import app
from services.core.platform.settings import Environment, Settings
from tests.support.debian_programs import Program, program

CHECKOUT = Path(__file__).parents[3]
FOLDER = CHECKOUT / "infra" / "systemd"
SERVICES = sorted(path.name for path in FOLDER.glob("*.service"))
OF_OURS = [name for name in SERVICES if "caddy" not in name]
# docs/deployment.md names it.
EXPOSURE_MAX = 1.5
INSTALLED = "/opt/smartwatch/.venv/bin/smartwatch"


@pytest.fixture(scope="module")
def analyze() -> Program:
    if os.geteuid() != 0 and not Path("/run/systemd").is_dir():
        pytest.skip("only root can make /run/systemd, without which systemd-analyze does nothing")
    return program("systemd-analyze", "systemd")


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The units, with a program that exists here in place of the installed one."""
    folder = tmp_path_factory.mktemp("units")
    for path in FOLDER.iterdir():
        if path.suffix in {".service", ".timer", ".path", ".target"}:
            (folder / path.name).write_text(path.read_text().replace(INSTALLED, "/bin/true"))
    return folder


def test_systemd_accepts_every_unit(analyze: Program, units: Path) -> None:
    done = analyze.run("verify", *sorted(units.iterdir()))
    # Units of the machine that verifies are not ours.
    complaints = [
        line for line in (done.stdout + done.stderr).splitlines() if "smartwatch" in line or str(units) in line
    ]
    assert complaints == []


@pytest.mark.parametrize("name", SERVICES)
def test_systemd_finds_every_service_well_confined(analyze: Program, units: Path, name: str) -> None:
    done = analyze.run("security", "--offline=true", units / name)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.rpartition("service: ")[2].split()[0]) <= EXPOSURE_MAX


@pytest.mark.parametrize("name", OF_OURS)
def test_every_service_runs_a_command_that_there_is_as_our_user(name: str) -> None:
    text = (FOLDER / name).read_text()
    [words] = re.findall(rf"^ExecStart={INSTALLED} (.*)$", text, re.MULTILINE)
    command: Any = typer.main.get_command(app)
    for word in words.split():
        assert word in command.commands, f"{name}: smartwatch has no {words}"
        command = command.commands[word]
    assert "\nUser=smartwatch\n" in text
    assert "\nEnvironmentFile=/etc/smartwatch/environment\n" in text


def test_the_target_wants_every_process_and_the_schema_comes_first() -> None:
    target = (FOLDER / "smartwatch.target").read_text()
    for name in ("broker", "api", "worker", "bridge"):
        assert f"smartwatch-{name}.service" in target
        unit = (FOLDER / f"smartwatch-{name}.service").read_text()
        assert "Wants=smartwatch-schema.service" in unit
        assert "Requires=" not in unit
        assert "smartwatch-schema.service" in unit.partition("After=")[2].splitlines()[0]
        assert "LimitNOFILE=65536" in unit
        assert "Restart=always" in unit


def test_production_starts_with_the_example_and_made_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secrets.env"
    script = CHECKOUT / "infra" / "setup" / "make_secrets.py"
    subprocess.run([sys.executable, script, file], check=True, capture_output=True)  # noqa: S603 - our own script
    made = dict(line.split("=", 1) for line in file.read_text().splitlines() if not line.startswith("#"))
    lines = [line for line in (FOLDER / "environment.example").read_text().splitlines() if line and line[0] != "#"]
    known = {f"SMARTWATCH_{name.upper()}" for name in Settings.model_fields}
    for name in [name for name in os.environ if name.startswith("SMARTWATCH_")]:
        monkeypatch.delenv(name)
    for line in lines:
        name, value = line.split("=", 1)
        assert name in known
        if value.startswith("<"):
            value = made.get(name, "x" * 40)
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.environment is Environment.PRODUCTION
    assert settings.development_secrets() == []
    # The folders of the settings are state of the units that use them.
    worker = (FOLDER / "smartwatch-worker.service").read_text()
    for folder in (settings.blob_url.removeprefix("file:"), str(settings.erasure_ledger.parent)):
        assert folder.removeprefix("/var/lib/") in worker


def test_the_hook_of_certbot_hands_a_pair_over_and_ignores_other_names(tmp_path: Path) -> None:
    target, lineage = tmp_path / "certificates", tmp_path / "live" / "watches.example.org"
    target.mkdir()
    lineage.mkdir(parents=True)
    (lineage / "privkey.pem").write_text("key")
    (lineage / "fullchain.pem").write_text("chain")
    script = (FOLDER / "certbot-deploy-hook.sh").read_text()
    # Owners exist on the machine that the hook is for.
    script = script.replace("/etc/smartwatch/certificates", str(target)).replace("-o root -g smartwatch ", "")
    for name, handed_over in (("api.example.org", False), ("watches.example.org", True)):
        environment = {**os.environ, "RENEWED_LINEAGE": str(tmp_path / "live" / name)}
        subprocess.run(["sh", "-c", script], env=environment, check=True)  # noqa: S603, S607 - our own script
        assert (target / "watches.pem").exists() is handed_over
    assert sorted(path.name for path in target.iterdir()) == ["watches-key.pem", "watches.pem"]
    assert (target / "watches-key.pem").stat().st_mode & 0o007 == 0
