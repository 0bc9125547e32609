"""Kill -9 while watches are registered: no secret is lost, none is issued twice."""

from __future__ import annotations

import asyncio
import csv
import os
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.core.platform.crypto.broker_password import mosquitto_hash_fits
from services.devstack.postgres import LocalPostgres
from tests.integration.cli.conftest import Program, Smartwatch

_DEADLINE_S = 30.0
# Holds every commit that registered a watch until the test lets go of its lock.
_HOLD_COMMITS = """
CREATE FUNCTION wait_for_the_test() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN PERFORM pg_advisory_lock_shared(4711); PERFORM pg_advisory_unlock_shared(4711); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER hold_commit AFTER INSERT ON watch DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION wait_for_the_test();
"""


class Gate:
    """A connection of the test's own, in a thread and loop of its own."""

    def __init__(self, url: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = ThreadPoolExecutor(1)
        self._connection = self._do(asyncpg.connect(url))

    def _do(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self._thread.submit(self._loop.run_until_complete, coroutine).result()

    def run(self, statement: str) -> None:
        self._do(self._connection.execute(statement))

    def value(self, statement: str) -> object:
        value: object = self._do(self._connection.fetchval(statement))
        return value

    def hashes(self) -> dict[str, str]:
        rows = self._do(self._connection.fetch("SELECT serial, factory_password_hash FROM watch"))
        return {row["serial"]: row["factory_password_hash"] for row in rows}

    def close(self) -> None:
        self._do(self._connection.close())
        self._thread.shutdown()
        self._loop.close()


@pytest.fixture
def gate(postgres: LocalPostgres, database_url: str) -> Iterator[Gate]:
    gate = Gate(postgres.superuser_dsn(database_url.rpartition("/")[2]))
    gate.run(_HOLD_COMMITS)
    gate.run("SELECT pg_advisory_lock(4711)")
    yield gate
    gate.run("SELECT pg_advisory_unlock_all()")
    gate.run("DROP FUNCTION wait_for_the_test CASCADE")
    gate.close()


@pytest.mark.parametrize("fate", ["the commit goes through", "the commit never happens"])
def test_the_same_command_after_a_kill_at_the_commit_ends_with_the_secrets_of_the_file(
    office: Smartwatch, program: Program, gate: Gate, tmp_path: Path, fate: str
) -> None:
    name = "KA" if fate == "the commit goes through" else "KB"
    watches, vendor = tmp_path / "watches.csv", tmp_path / "vendor.csv"
    watches.write_text("serial,model,site\n" + "".join(f"{name}{n:02d},sim-1,Dongguan\n" for n in range(30)))
    registering = program("watches", "register", "watches.csv", "--export-for-vendor", "vendor.csv")
    wait_until(lambda: gate.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") == 1)
    assert len(vendor.read_text().splitlines()) == 31
    registering.kill()
    registering.wait()
    if fate == "the commit never happens":
        gate.run("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    gate.run("SELECT pg_advisory_unlock(4711)")
    wait_until(lambda: gate.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0)
    expected = 30 if fate == "the commit goes through" else 0
    assert sum(serial.startswith(name) for serial in gate.hashes()) == expected

    result = office("watches", "register", "watches.csv", "--export-for-vendor", "vendor.csv")
    assert result.code == 0
    with vendor.open(newline="") as lines:
        secrets = {row["serial"]: row["secret"] for row in csv.DictReader(lines)}
    hashes = gate.hashes()
    assert len(secrets) == 30
    assert all(mosquitto_hash_fits(secret, hashes[serial]) for serial, secret in secrets.items())


def test_a_kill_before_the_file_leaves_nothing_behind_that_counts(
    office: Smartwatch, program: Program, gate: Gate, tmp_path: Path
) -> None:
    (tmp_path / "watches.csv").write_text("serial,model,site\nKC01,sim-1,Dongguan\n")
    # A process killed during its write leaves an unnamed part, and no row.
    (tmp_path / f".vendor.csv.{os.getpid()}.coming").write_text("serial,secret\nKC01,ha")
    gate.run("SELECT pg_advisory_unlock(4711)")
    result = office("watches", "register", "watches.csv", "--export-for-vendor", "vendor.csv")
    assert result.code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["vendor.csv", "watches.csv"]
    assert program("watches", "register", "watches.csv", "--export-for-vendor", "other.csv").wait(_DEADLINE_S) == 0
    assert not (tmp_path / "other.csv").exists()


def wait_until(holds: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + _DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
