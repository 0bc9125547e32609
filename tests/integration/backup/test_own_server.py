"""A database server of the operator's own, and sound on S3: backed up by a role that reads nothing, and restored."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx
import pytest

from services.backup.errors import BackupError
from services.backup.programs import Programs
from services.backup.server import faults_of
from services.backup.targets import server_target
from services.core.platform.settings import Settings
from services.devstack.postgres_user import NOBODY_ID, copy_programs
from tests.support.backups import System, command, open_folder, received, texts_of
from tests.support.http import make_family
from tests.support.own_server import OwnServer
from tests.support.s3 import S3Server
from tests.support.sounds import encoded


class OwnSystem(System):
    """The same processes on another server and another store."""

    def __init__(self, base: Path, name: str, server: OwnServer, s3: str) -> None:
        super().__init__(base, name)
        self.postgres = self._server = server
        self._s3 = {
            "blob_url": "s3://recordings/pilot", "s3_endpoint": s3, "s3_region": "us-east-1",
            "s3_access_key_id": "key-id",
        }  # fmt: skip

    @property
    def settings(self) -> Settings:
        secret = {"s3_secret_access_key": "secret"}
        return Settings.model_validate(super().settings.model_dump() | self._s3 | secret)

    @property
    def environment(self) -> dict[str, str]:
        return (
            super().environment
            | self._server.environment
            | {
                f"SMARTWATCH_{name.upper()}": value
                for name, value in (self._s3 | {"s3_secret_access_key": "secret"}).items()
            }
        )


@pytest.fixture
def s3() -> Iterator[str]:
    """The address of an S3 server on loopback with an empty bucket."""
    with S3Server() as server:
        server.add_bucket("recordings")
        yield server.url


@pytest.fixture
def base() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder


@pytest.fixture
def server(base: Path, claim_port: Callable[[], int]) -> Iterator[OwnServer]:
    server = OwnServer(base / "server", claim_port())
    server.make()
    yield server
    server.stop()


async def test_rows_and_sound_on_s3_are_one_set_after_a_restore_into_a_server_of_ones_own(
    base: Path, server: OwnServer, s3: str
) -> None:
    system = OwnSystem(base, "lost", server, s3)
    await system.start()
    async with system.followed(), system.served() as (client, database):
        parent = await make_family(client, database)
        before = await parent.speak(encoded("amr-nb", 1.0))
        await system.take("full")
        after = await parent.speak(encoded("amr-nb", 2.0))
        await parent.send("the last one")
        await received(base / "backup", datetime.now(UTC))
    assert await faults_of(server.backup_dsn(), 18) == []
    await check_rights(server)

    server.kill()
    async with httpx.AsyncClient(base_url=s3) as store:
        (await store.post("/moto-api/reset")).raise_for_status()
        (await store.put("/recordings")).raise_for_status()
    server.data.rename(base / "lost-data")

    where = ["--data-dir", str(server.data)]
    if os.geteuid() == 0:
        code, printed = await restored(base, system, *where)
        assert (code, "--server-user postgres" in printed) == (1, True)
        assert not server.data.exists()
        check_closed_programs(base, system, server)
    code, printed = await restored(base, system, *where, *server.user_option)
    assert code == 0, printed
    assert "2 recordings, 0 lost" in printed
    assert server.data.stat().st_mode & 0o077 == 0

    await asyncio.to_thread(server.start)
    async with system.served() as (client, _):
        parent.client = client
        assert await texts_of(parent) == ["the last one", None, None]
        for message in (before, after):
            heard = await parent.ask("GET", f"{parent.child}/messages/{message['message_id']}/audio")
            assert heard.status_code == 200


def check_closed_programs(base: Path, system: System, server: OwnServer) -> None:
    """Programs that the server's user cannot load are refused before anything is made, not when the log is replayed."""
    closed = base / "closed"
    closed.mkdir(mode=0o700)
    programs = Programs(copy_programs(server.user.programs, closed))
    with (
        pytest.raises(BackupError, match="SMARTWATCH_POSTGRES_PROGRAMS"),
        server_target(system.settings, server.data, programs, server_user=str(NOBODY_ID)),
    ):
        pytest.fail("it was accepted")


async def restored(base: Path, system: System, *words: str) -> tuple[int, str]:
    process = command(base, "restore", "--to", "latest", *words, **system.environment)
    printed = "".join(await asyncio.to_thread(process.communicate))
    return process.returncode, printed


async def check_rights(server: OwnServer) -> None:
    """The role of backups replicates and nothing else; the role of the processes changes rows and no table."""
    backup, processes = await asyncpg.connect(server.backup_dsn()), await asyncpg.connect(server.dsn())
    try:
        rights = await backup.fetchrow(
            "SELECT rolreplication, rolsuper OR rolcreatedb OR rolcreaterole OR rolbypassrls AS more,"
            " (SELECT count(*) FROM pg_auth_members m WHERE m.member = r.oid) AS groups,"
            " (SELECT count(*) FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S')"
            "  AND CASE WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, 'USAGE, SELECT')"
            "  ELSE has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE') END) AS readable,"
            " has_schema_privilege('public', 'CREATE') OR has_database_privilege(current_database(), 'CREATE, TEMP')"
            " AS makes FROM pg_roles r WHERE rolname = current_user"
        )
        assert rights is not None
        assert dict(rights) == {"rolreplication": True, "more": False, "groups": 0, "readable": 0, "makes": False}
        for connection, statement in ((backup, "SELECT FROM guardian"), (processes, "CREATE TABLE made (one int)")):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await backup.close()
        await processes.close()
