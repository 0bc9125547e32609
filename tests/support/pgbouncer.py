"""A real PgBouncer in transaction mode, of Debian 13, in front of a database of a test."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest

from services.devstack.debian13 import NotBroughtError
from services.devstack.pgbouncer import PGBOUNCER
from services.devstack.postgres_user import NOBODY_ID, prefix_of
from services.devstack.tied import start_child, stop_child, tied

_STARTS_WITHIN_S: Final = 30.0


@dataclass(frozen=True)
class Pooler:
    """A running PgBouncer: the address through it, and its log."""

    url: str
    log_file: Path


def pgbouncer_or_reason() -> Path:
    """Return its folder. Without one, root fails and a normal user's test is skipped with the reason."""
    try:
        return PGBOUNCER.bring(print)
    except NotBroughtError as error:
        if os.geteuid() == 0:
            raise
        pytest.skip(f"pooler not played: {error}")


@contextlib.contextmanager
def pooled(
    database_url: str, claim_port: Callable[[], int], *, prepared: bool, connections: int = 4
) -> Iterator[Pooler]:
    """Run a pooler in front of this database for the block, with so many connections to the server.

    ``prepared``: as docs/decisions/0080 sets it up; without, as a PgBouncer before 1.21, which knows no statement.
    """
    program = pgbouncer_or_reason()
    folder = Path(tempfile.mkdtemp(prefix="smartwatch-pooler-"))
    port, server = claim_port(), urlsplit(database_url)
    # As root it refuses to run; the other user may not be able to enter the checkout.
    shutil.copytree(program, folder / "program", symlinks=True)
    (folder / "users.txt").write_text(f'"{server.username}" "{server.password}"\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n{server.path[1:]} = host={server.hostname} port={server.port}\n[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = scram-sha-256\n"
        f"auth_file = {folder / 'users.txt'}\npool_mode = transaction\ndefault_pool_size = {connections}\n"
        f"max_prepared_statements = {200 if prepared else 0}\n"
        "ignore_startup_parameters = idle_in_transaction_session_timeout\nserver_tls_sslmode = disable\n"
    )
    prefix: tuple[str, ...] = ()
    if os.geteuid() == 0:
        prefix = prefix_of(NOBODY_ID, NOBODY_ID)
        for path in (folder, folder / "users.txt", folder / "pgbouncer.ini"):
            os.chown(path, NOBODY_ID, NOBODY_ID)
    log_file = folder / "pgbouncer.log"
    command = tied([str(folder / "program/usr/sbin/pgbouncer"), str(folder / "pgbouncer.ini")], signal.SIGTERM)
    with log_file.open("wb") as log:
        child = start_child([*prefix, *command], log=log, environment={"LC_ALL": "C", "PATH": os.defpath})
    try:
        ends_at_s = time.monotonic() + _STARTS_WITHIN_S
        while not _listens(port):
            assert child.poll() is None, log_file.read_text()[-2000:]
            assert time.monotonic() < ends_at_s, log_file.read_text()[-2000:]
            time.sleep(0.02)
        yield Pooler(server._replace(netloc=f"{server.username}:{server.password}@127.0.0.1:{port}").geturl(), log_file)
    finally:
        # PgBouncer: SIGINT waits for its clients, SIGTERM does not since 1.23 by a second one; SIGQUIT ends it at once.
        stop_child(child, (signal.SIGQUIT, 5.0))
        shutil.rmtree(folder, ignore_errors=True)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
