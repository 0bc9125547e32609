"""The local Postgres: real servers, really killed."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from services.devstack import postgres_user
from services.devstack.ports import is_free
from services.devstack.postgres import LocalPostgres, PostgresInUseError, processes_in
from services.devstack.postgres_user import find_server_user, outside_folder
from services.devstack.tied import can_tie

CHECKOUT = Path(__file__).parents[3]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that `nobody` can reach: pytest's own temporary folders are closed to others."""
    base = Path(tempfile.mkdtemp(prefix="smartwatch-test-"))
    base.chmod(0o755)
    yield base / "postgres"
    shutil.rmtree(base)


@pytest.fixture
def new_server(folder: Path) -> Iterator[LocalPostgres]:
    """A server whose first start makes its rows' folder."""
    server = LocalPostgres(folder, durable=False)  # kill -9 needs no fsync: what is written is the system's by then
    yield server
    server.stop()


@pytest.fixture(scope="module")
def started_once() -> Iterator[Path]:
    """The folder of a server that was started and stopped: copying it takes a fraction of making it."""
    base = Path(tempfile.mkdtemp(prefix="smartwatch-test-"))
    base.chmod(0o755)
    with LocalPostgres(base / "postgres", durable=False):
        pass
    yield base / "postgres"
    shutil.rmtree(base)


def copy_of(started_once: Path, folder: Path) -> Path:
    """Copy the folder of a stopped server, with the owner of its files and without the port it had."""
    subprocess.run(["cp", "-a", str(started_once), str(folder)], check=True)  # noqa: S603, S607 - paths of our own
    (folder / "port").unlink()
    return folder


@pytest.fixture
def server(folder: Path, started_once: Path) -> Iterator[LocalPostgres]:
    """A server that was started and stopped before."""
    server = LocalPostgres(copy_of(started_once, folder), durable=False)
    yield server
    server.stop()


def wait_until(holds: Callable[[], bool], what: str, deadline_s: float = 20.0) -> None:
    end = time.monotonic() + deadline_s
    while not holds():
        assert time.monotonic() < end, f"never came true: {what}"
        time.sleep(0.01)


def rows_of(folder: Path) -> Path:
    """Where the server's rows are while it runs: at home, or outside where nothing else works (see postgres_user)."""
    outside = outside_folder(folder) / "instance" / "data"
    return outside if outside.exists() else folder / "data"


async def run_sql(dsn: str, *statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def count_rows(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM kept"))
    finally:
        await connection.close()


async def count_rows_after(server: LocalPostgres) -> int:
    server.start()
    return await count_rows(server.owner_dsn())


def start_elsewhere(folder: Path) -> subprocess.Popen[str]:
    """Another process that starts a server on the folder, says so, and then waits."""
    script = (
        "import sys, time; from pathlib import Path; from services.devstack.postgres import LocalPostgres\n"
        "server = LocalPostgres(Path(sys.argv[1])); server.start()\n"
        "print(server.process_id, server.owner_dsn(), flush=True); time.sleep(600)\n"
    )
    return subprocess.Popen(  # noqa: S603 - our own interpreter and text
        [sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE, text=True, cwd=CHECKOUT
    )


def first_line(child: subprocess.Popen[str]) -> list[str]:
    assert child.stdout is not None
    return child.stdout.readline().split()


async def test_a_first_start_makes_role_and_database_and_a_second_keeps_rows_and_port(
    new_server: LocalPostgres,
) -> None:
    server = new_server
    server.start()
    dsn = server.owner_dsn()
    await run_sql(dsn, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (1)")
    # Kept for it: other tests start servers at the same moment.
    server.stop(for_good=False)
    server.start()
    assert server.owner_dsn() == dsn
    assert await count_rows(dsn) == 1


async def test_start_and_stop_may_be_repeated(server: LocalPostgres) -> None:
    dsn = server.start()
    process_id = server.process_id
    assert server.start() == dsn
    assert server.process_id == process_id
    server.stop()
    server.stop()
    assert not server.is_running()


async def test_every_committed_row_survives_kill_9_of_the_server(server: LocalPostgres) -> None:
    server.start()
    dsn = server.owner_dsn()
    await run_sql(dsn, "CREATE TABLE kept (n int)", *["INSERT INTO kept VALUES (1)"] * 200)
    server.kill()
    server.stop()
    assert await count_rows_after(server) == 200


@pytest.mark.skipif(not can_tie(), reason="this machine cannot end children of a killed process")
async def test_the_server_dies_with_a_supervisor_that_was_killed_and_starts_again_with_every_row(
    server: LocalPostgres, folder: Path
) -> None:
    elsewhere = start_elsewhere(folder)
    process_id, dsn = first_line(elsewhere)
    await run_sql(dsn, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (1)")
    elsewhere.kill()
    elsewhere.communicate()
    wait_until(lambda: not Path("/proc", process_id).exists(), "the server has ended")
    assert await count_rows_after(server) == 1


async def test_a_server_left_behind_by_a_killed_supervisor_is_ended_by_the_next_start(
    server: LocalPostgres, folder: Path
) -> None:
    elsewhere = start_elsewhere(folder)
    process_id, dsn = first_line(elsewhere)
    await run_sql(dsn, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (1)")
    os.kill(int(process_id), signal.SIGSTOP)  # so that the signal of its parent's death cannot reach it
    elsewhere.kill()
    elsewhere.communicate()
    assert int(process_id) in processes_in(rows_of(folder))
    server.start()
    assert int(process_id) not in processes_in(rows_of(folder))
    assert await count_rows(server.owner_dsn()) == 1


async def test_a_pid_file_of_a_dead_server_does_not_prevent_a_start(server: LocalPostgres, folder: Path) -> None:
    server.start()
    server.stop()
    # A power cut leaves the file, with a process id that now belongs to another live process.
    (folder / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n{folder / 'data'}\n1\n5433\n\n\n\nready\n")
    assert server.start()


def test_a_second_supervisor_is_refused_and_told_who_has_the_folder(server: LocalPostgres, folder: Path) -> None:
    server.start()
    with pytest.raises(PostgresInUseError, match=str(os.getpid())):
        LocalPostgres(folder).start()
    assert server.is_running()


def test_another_port_is_taken_when_the_one_of_last_time_is_in_use(server: LocalPostgres) -> None:
    server.start()
    port = server.port
    server.stop(for_good=False)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        server.start()
        assert server.port != port
    server.stop(for_good=False)
    chosen = server.port
    server.start()
    assert server.port == chosen


@pytest.mark.skipif(sys.platform != "linux", reason="claims are names that Linux keeps")
@pytest.mark.parametrize("how", ["killed", "held down"])
def test_its_port_is_kept_from_others_until_it_is_stopped_for_good(
    server: LocalPostgres, folder: Path, started_once: Path, how: str
) -> None:
    server.start()
    port = server.port
    server.kill() if how == "killed" else server.stop(for_good=False)
    # Another one that would like the very port, while nobody listens there.
    others = copy_of(started_once, folder.with_name("others"))
    (others / "port").write_text(str(port))
    with LocalPostgres(others, durable=False) as other:
        assert other.port != port
        server.start()
        assert server.port == port


def test_a_first_start_killed_half_way_is_made_again(new_server: LocalPostgres, folder: Path) -> None:
    (folder / "coming" / "base").mkdir(parents=True)
    assert new_server.start()


async def test_a_wrong_password_and_the_operating_system_s_user_are_refused(server: LocalPostgres) -> None:
    server.start()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(f"postgresql://postgres:wrong@127.0.0.1:{server.port}/postgres")
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await asyncpg.connect(f"postgresql://nobody@127.0.0.1:{server.port}/postgres", password="")


async def test_rows_and_statements_are_not_in_the_log(server: LocalPostgres, folder: Path) -> None:
    server.start()
    dsn = server.owner_dsn()
    await run_sql(dsn, "CREATE TABLE kept (phone text UNIQUE)", "INSERT INTO kept VALUES ('+84901234567')")
    with pytest.raises(asyncpg.UniqueViolationError):
        await run_sql(dsn, "INSERT INTO kept VALUES ('+84901234567')")
    server.stop()
    log = (folder / "postgres.log").read_text()
    assert "duplicate key" in log
    assert "4901234567" not in log


def test_passwords_are_readable_by_their_owner_only(new_server: LocalPostgres, folder: Path) -> None:
    new_server.start()
    for role in ("postgres", "smartwatch", "smartwatch_owner"):
        assert (folder / f"password-{role}").stat().st_mode & 0o077 == 0
    assert rows_of(folder).stat().st_mode & 0o077 == 0


# ------------------------------------------------------------------------- as root

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to change its user")


@as_root
async def test_as_root_below_a_closed_folder_it_runs_in_a_user_namespace(
    new_server: LocalPostgres, folder: Path
) -> None:
    server = new_server
    folder.parent.chmod(0o700)
    user, refused = find_server_user(folder.parent)
    if user is None:
        pytest.skip(f"user namespaces are refused here: {refused}")
    server.start()
    dsn = server.owner_dsn()
    await run_sql(dsn, "CREATE TABLE kept (n int)")
    assert (folder / "data").stat().st_uid == 0
    assert not outside_folder(folder).exists()
    # And as `nobody` once the folder is opened: the same rows, given to the other user.
    server.stop()
    folder.parent.chmod(0o755)
    assert await count_rows_after(server) == 0
    user, _ = find_server_user(folder)
    programs_are_open_too = user is not None and user.name == "nobody"
    assert ((folder / "data").stat().st_uid == postgres_user.NOBODY_ID) == programs_are_open_too


@as_root
async def test_where_namespaces_are_refused_too_it_runs_from_an_announced_folder_which_is_then_removed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_user, "_candidates", lambda *_: [])
    folder.parent.chmod(0o700)
    announced: list[str] = []
    server = LocalPostgres(folder, announce=announced.append)
    server.start()
    dsn = server.owner_dsn()
    await run_sql(dsn, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (1)")
    assert str(outside_folder(folder)) in announced[0]
    # Killed: the rows wait outside, and the next start finds them there.
    server.kill()
    assert await count_rows_after(server) == 1
    server.stop()
    assert not outside_folder(folder).exists()
    # And they are at home again, for whichever way the next start takes.
    assert await count_rows_after(server) == 1
    server.stop()


def test_free_means_nobody_listens() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert not is_free(other.getsockname()[1])
