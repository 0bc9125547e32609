"""Everything on one machine: started, killed part by part, and stopped."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from services.devstack.doctor import diagnose
from services.devstack.installation import Installation
from services.devstack.instance import InstanceInUseError, acquire_instance, is_running
from services.devstack.ports import is_free
from services.devstack.tied import can_tie
from tests.support.process_tree import descendants

CHECKOUT = Path(__file__).parents[3]
# Promised for a machine with nothing else to do; a busy one is compared with how long it takes to load one process.
STOPS_WITHIN_S, STOPS_WITHIN_IMPORTS = 5.0, 4.0
SERVES_WITHIN_S, SERVES_WITHIN_IMPORTS = 15.0, 12.0
PARTS = ("api", "bridge", "worker", "broker", "postgres")


def wait_until(holds: Callable[[], bool], what: str, deadline_s: float = 60.0) -> None:
    end = time.monotonic() + deadline_s
    while not holds():
        assert time.monotonic() < end, f"never came true: {what}"
        time.sleep(0.02)


def is_alive(process_id: int) -> bool:
    """Whether a process runs; one that has ended and waits to be noticed does not."""
    try:
        return Path("/proc", str(process_id), "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture(scope="module")
def announced() -> list[str]:
    return []


@pytest.fixture(scope="module")
def installation(open_folder: Path, announced: list[str]) -> Iterator[Installation]:
    with Installation.acquire(open_folder / "var", announce=announced.append, durable=False) as installation:
        yield installation


# ------------------------------------------------------------------------- as it runs


def test_everything_is_ready_and_each_dependency_is_named(installation: Installation) -> None:
    assert installation.unready() == {}
    readiness = httpx.get(f"{installation.api_url}/readyz").json()
    assert readiness.get("checks", readiness)["postgres"] == "ok"
    assert all(process_id is not None for process_id in installation.process_ids().values())


def test_secrets_are_random_and_for_the_owner_only(installation: Installation) -> None:
    for name in ("secrets.json", "environment", "ports.json"):
        assert stat.S_IMODE((installation.instance.folder / name).stat().st_mode) == 0o600
    kept = json.loads((installation.instance.folder / "secrets.json").read_text())
    assert len({*kept.values()}) == len(kept)
    assert all(len(value) >= 40 for value in kept.values())


def test_a_secret_is_in_no_command_line_and_no_log(installation: Installation) -> None:
    hidden = [*json.loads((installation.instance.folder / "secrets.json").read_text()).values()]
    hidden += [password.read_text() for password in (installation.instance.folder / "postgres").glob("password-*")]
    ours = [process_id for process_id in installation.process_ids().values() if process_id]
    shown = [Path("/proc", str(process_id), "cmdline").read_text() for process_id in ours]
    shown += [log.read_text() for log in installation.instance.folder.glob("**/*.log")]
    assert not [secret for secret in hidden if any(secret in text for text in shown)]


def test_the_same_instance_cannot_be_run_twice_but_the_next_can(installation: Installation, open_folder: Path) -> None:
    with pytest.raises(InstanceInUseError, match=str(os.getpid())):
        acquire_instance(open_folder / "var")
    beside = acquire_instance(open_folder / "var", or_next=True)
    assert beside.name == "default-2"
    assert not {*beside.choose_ports({}).values()} & {*installation.ports.values()}
    assert beside.secrets() != installation.instance.secrets()
    beside.release()


# One of each kind of start. In tests/faults, test_kills.py and test_kills_while_speaking.py kill every part in use and
# wait until it is ready again; test_own_faults.py has all processes replaced at once.
KILLED = ["bridge", "postgres", *(pytest.param(part, marks=pytest.mark.long) for part in ("api", "worker", "broker"))]


@pytest.mark.parametrize("part", KILLED)
def test_a_part_that_is_killed_is_back_within_a_minute(
    installation: Installation, part: str, announced: list[str]
) -> None:
    before = installation.process_ids()[part]
    announced.clear()
    installation.kill(part)
    wait_until(lambda: installation.process_ids()[part] not in {None, before}, f"{part} runs again")
    installation.wait_ready(60)
    assert any(line.startswith(f"{part} has ended") for line in announced)


def test_a_part_that_is_held_down_stays_away_and_the_others_say_so(installation: Installation) -> None:
    with installation.kept_down("postgres", how=signal.SIGKILL):
        wait_until(lambda: "api" in installation.unready(), "the API misses its database")
        assert installation.process_ids()["postgres"] is None
        assert installation.process_ids()["api"] is not None
    installation.wait_ready(60)


def test_chores_reach_it_with_the_environment_it_leaves(installation: Installation) -> None:
    lines = (installation.instance.folder / "environment").read_text().splitlines()
    done = subprocess.run(
        [sys.executable, "-m", "services.cli", "db", "upgrade"],
        cwd=CHECKOUT,
        env=os.environ | dict(line.split("=", 1) for line in lines),
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_the_doctor_finds_nothing_wrong_with_it(installation: Installation) -> None:
    findings = {finding.name: finding for finding in diagnose(installation.instance.folder)}
    assert [finding for finding in findings.values() if not finding.ok] == []
    assert findings["bridge"].what == "ready"
    assert findings["database"].ok


def test_the_doctor_names_the_part_that_is_away_and_where_to_look(installation: Installation) -> None:
    with installation.kept_down("worker"):
        [wrong] = [finding for finding in diagnose(installation.instance.folder) if not finding.ok]
        assert wrong.name == "worker"
        assert "worker.log" in wrong.mend
    installation.wait_ready(60)


# ------------------------------------------------------------------------- the command


StartUp = Callable[[Path], subprocess.Popen[str]]


@pytest.fixture
def start_up() -> Iterator[StartUp]:
    """Run `smartwatch up` in a folder, with Ctrl-C ignored as a shell does for what it starts in the background."""
    started = []

    def start(folder: Path) -> subprocess.Popen[str]:
        outside = {name: value for name, value in os.environ.items() if not name.startswith("SMARTWATCH_")}
        up = subprocess.Popen(
            ["/bin/sh", "-c", 'trap "" INT; exec "$0" -m services.cli up', sys.executable],
            cwd=folder,
            env=outside | {"PYTHONPATH": str(CHECKOUT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(up)
        return up

    yield start
    for up in started:
        # A test that went well has ended it and read all it said.
        if up.poll() is None:
            up.kill()
            up.communicate()


def read_until_ready(up: subprocess.Popen[str]) -> str:
    """Its lines up to `everything is ready in FOLDER`."""
    lines = []
    for line in up.stdout or ():
        lines.append(line)
        if "Ctrl-C" in line:
            return "".join(lines)
    raise AssertionError("up ended: " + "".join(lines))


@pytest.mark.skipif(not can_tie(), reason="this machine cannot end children of a killed process")
async def test_up_takes_free_ports_leaves_nothing_after_kill_9_has_every_row_again_and_stops_cleanly(
    open_folder: Path, start_up: StartUp
) -> None:
    instance = open_folder / "killed" / "var" / "default"
    instance.mkdir(parents=True)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken_port = other.getsockname()[1]
        (instance / "ports.json").write_text(json.dumps({"api_port": taken_port}))
        up = start_up(open_folder / "killed")
        assert "is ready" in read_until_ready(up)
    ports = json.loads((instance / "ports.json").read_text())
    assert ports["api_port"] != taken_port
    assert len({*ports.values()}) == len(ports)

    environment = environment_of(instance)
    await run_sql(environment, "CREATE TABLE kept AS SELECT 1 AS n")
    below = descendants(up.pid)
    assert len(below) > len(PARTS)
    # Before the kill: afterwards its ports are for others to take.
    import_s = import_of_the_api_s()
    up.kill()
    up.communicate()
    wait_until(lambda: not any(is_alive(process_id) for process_id in below), "all have ended", 90)
    assert all(is_free(port) for port in ports.values())

    started_at_s = time.monotonic()
    again = start_up(open_folder / "killed")
    read_until_ready(again)
    assert time.monotonic() - started_at_s < max(SERVES_WITHIN_S, SERVES_WITHIN_IMPORTS * import_s)
    assert environment_of(instance) == environment  # same secrets, same ports
    assert await run_sql(environment, "SELECT n FROM kept") == 1
    below = descendants(again.pid)
    stopped_at_s = time.monotonic()
    again.send_signal(signal.SIGTERM)
    assert again.wait(60) == 0
    assert time.monotonic() - stopped_at_s < max(STOPS_WITHIN_S, STOPS_WITHIN_IMPORTS * import_s)
    again.communicate()
    assert [process_id for process_id in below if is_alive(process_id)] == []
    assert not (instance / "environment").exists()
    assert not is_running(instance)


def import_of_the_api_s() -> float:
    """Return how long this machine takes now to load one process."""
    started_at_s = time.monotonic()
    subprocess.run([sys.executable, "-c", "import services.api.app"], cwd=CHECKOUT, check=True)
    return time.monotonic() - started_at_s


def environment_of(instance: Path) -> dict[str, str]:
    """The environment that a running instance leaves for chores."""
    return dict(line.split("=", 1) for line in (instance / "environment").read_text().splitlines())


async def run_sql(environment: dict[str, str], statement: str) -> object:
    """Run a statement as the owner of the tables; return the first value of the first row."""
    connection = await asyncpg.connect(environment["SMARTWATCH_MIGRATION_DATABASE_URL"])
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_signals_that_end_a_command_end_up_also_where_a_shell_ignores_ctrl_c(number: signal.Signals) -> None:
    script = (
        "import threading; from services.devstack.up import end_on_signals\n"
        "try: end_on_signals(); print('up', flush=True); threading.Event().wait()\n"
        "except KeyboardInterrupt: print('stopping')"
    )
    with subprocess.Popen(  # noqa: S603 - our own interpreter and text
        ["/bin/sh", "-c", 'trap "" INT; exec "$0" -c "$1"', sys.executable, script],
        cwd=CHECKOUT, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(number)
        assert process.stdout.read() == "stopping\n"
    assert process.returncode == 0
