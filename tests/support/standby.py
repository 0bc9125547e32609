"""A primary and its synchronous standby: two servers on loopback, and the address that names both."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.own_server import DATABASE, OwnServer

STANDBY = "two"


@dataclass
class Pair:
    """Two servers; the second follows the first, which commits only with it."""

    primary: OwnServer
    standby: OwnServer

    def url(self, role: str = "smartwatch_owner") -> str:
        """The address of both, as the processes are given it."""
        hosts = f"127.0.0.1:{self.primary.port},127.0.0.1:{self.standby.port}"
        return f"postgresql://{role}:{self.primary.passwords[role]}@{hosts}/{DATABASE}?target_session_attrs=read-write"

    def commit_with_standby(self, *, wanted: bool) -> None:
        """Have each commit of the primary wait for the standby, or not."""
        names = STANDBY if wanted else ""
        self.primary.psql("postgres", f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
        self.primary.psql("postgres", "SELECT pg_reload_conf()")

    def lose_primary(self) -> None:
        """Kill the primary and promote the standby, as an operator or software made for it does."""
        self.primary.kill()
        self.standby.psql("postgres", "SELECT pg_promote()")


@contextlib.contextmanager
def primary_and_standby(claim_port: Callable[[], int]) -> Iterator[Pair]:
    """Run both for the block; a commit waits for both."""
    folder = Path(tempfile.mkdtemp(prefix="smartwatch-standby-"))
    folder.chmod(0o755)
    primary = OwnServer(folder / "one", claim_port())
    standby = OwnServer(folder / "two", claim_port())
    try:
        primary.make()
        standby.passwords = primary.passwords
        password = primary.passwords["postgres"]
        source = f"host=127.0.0.1 port={primary.port} user=postgres password={password} application_name={STANDBY}"
        with (primary.data / "pg_hba.conf").open("a") as access:
            access.write("host replication postgres 127.0.0.1/32 scram-sha-256\n")
        primary.psql("postgres", "SELECT pg_reload_conf()")
        standby.user.own(standby.folder)
        command = [
            *standby.user.prefix, str(standby.user.programs / "pg_basebackup"), "--write-recovery-conf",
            f"--pgdata={standby.data}", f"--dbname={source}", "--checkpoint=fast", "--no-sync",
        ]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, cwd="/")  # noqa: S603 - Postgres' own program
        standby.start()
        pair = Pair(primary, standby)
        pair.commit_with_standby(wanted=True)
        yield pair
    finally:
        primary.stop()
        standby.stop()
        shutil.rmtree(folder, ignore_errors=True)
