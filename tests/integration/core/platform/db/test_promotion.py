"""A primary with a synchronous standby: the primary is killed, the standby promoted, and the processes find it."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from services.backup.errors import BackupError
from services.backup.server import identify_source
from services.core.platform.crypto.vault import Vault
from services.core.platform.db.database import Database
from services.core.platform.db.faults import is_database_unavailable
from services.core.platform.db.newest_primary import NoServerError, OldPrimaryRefusedError, Servers, hosts_of
from services.core.platform.db.notifications import DatabaseLostError, Notification
from services.core.platform.log.health import readiness, readiness_answer
from services.core.platform.settings import Settings
from services.devstack.doctor_postgres import servers
from tests.integration.broker.waiting import becomes_true
from tests.support.own_server import DATABASE, OwnServer
from tests.support.standby import Pair, primary_and_standby

PROMOTED_WITHIN_S = 60.0


@pytest.fixture
def pair(claim_port: Callable[[], int]) -> Iterator[Pair]:
    with primary_and_standby(claim_port) as pair:
        yield pair


async def test_after_the_promotion_every_confirmed_row_is_there_and_writing_goes_on(
    pair: Pair, settings: Settings
) -> None:
    database = Database(pair.url(), vault=Vault.of(settings))
    try:
        async with database.begin() as work:
            await work.fetch("CREATE TABLE said (number integer PRIMARY KEY)")
        for number in range(20):
            async with database.begin() as work:
                await work.fetch("INSERT INTO said VALUES ($1)", number)
        async with database.listen("broker_users"):
            pass
        await asyncio.to_thread(pair.lose_primary)

        async def goes_on() -> bool:
            try:
                async with database.begin() as work:
                    await work.fetch("INSERT INTO said VALUES (100) ON CONFLICT DO NOTHING")
                    return True
            except Exception:  # noqa: BLE001 - whatever the driver says of a server that is gone
                return False

        await becomes_true(goes_on, PROMOTED_WITHIN_S)
        async with database.begin() as work:
            said = [number for (number,) in await work.fetch("SELECT number FROM said ORDER BY number")]
        assert said == [*range(20), 100]
    finally:
        await database.close()


async def test_a_standby_that_is_behind_lets_nothing_be_confirmed(pair: Pair, settings: Settings) -> None:
    database = Database(pair.url(), vault=Vault.of(settings))
    try:
        async with database.begin() as work:
            await work.fetch("CREATE TABLE said (number integer PRIMARY KEY)")
        assert [finding.ok for finding in await servers(pair.url())] == [True]
        pair.standby.freeze()

        async def say() -> None:
            async with database.begin() as work:
                await work.fetch("INSERT INTO said VALUES (1)")

        saying = asyncio.create_task(say())
        await becomes_true(lambda: waits_for_standby(pair.primary), PROMOTED_WITHIN_S)
        assert not saying.done()
        pair.primary.kill()
        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever the driver says of a server that is gone
            await saying
        pair.standby.thaw()
        await asyncio.to_thread(pair.standby.psql, "postgres", "SELECT pg_promote()")
        # The old primary returns with the row that was never confirmed, and would accept writes.
        await asyncio.to_thread(pair.primary.start)
        [finding] = await servers(pair.url())
        assert not finding.ok
        assert f"127.0.0.1:{pair.primary.port} has returned with old data" in finding.what
    finally:
        await database.close()


@pytest.fixture
def returned(pair: Pair) -> Pair:
    """Return the two after the promotion: the old primary, first in the address, accepts writes again."""
    table = "CREATE TABLE said (number integer PRIMARY KEY); ALTER TABLE said OWNER TO smartwatch_owner"
    pair.primary.psql(DATABASE, table)
    pair.lose_primary()
    # Without the standby that its commits waited for they would be confirmed at once.
    (pair.primary.data / "postgresql.auto.conf").write_text("synchronous_standby_names = ''\n")
    pair.primary.start()
    return pair


def written(server: OwnServer) -> list[int]:
    return [int(number) for number in server.psql(DATABASE, "SELECT number FROM said ORDER BY number").split()]


async def test_a_fresh_process_writes_to_the_promoted_one_although_the_old_primary_stands_first(
    returned: Pair, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    database = Database(returned.url(), vault=Vault.of(settings))
    try:
        for number in range(3):
            async with database.begin() as work:
                await work.fetch("INSERT INTO said VALUES ($1)", number)
        async with database.begin(to_replay=True) as work:
            await work.fetch("INSERT INTO said VALUES (3)")
        # What lives as long as a connection: a lock, a listener, and who notifies it.
        async with database.listen("a_channel") as heard, database.try_lock("a lock of a test") as is_held:
            assert is_held
            async with database.begin() as work:
                work.notify("a_channel", "hello")
            assert await heard.next(PROMOTED_WITHIN_S) == Notification("a_channel", "hello")
            kept = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
            assert await asyncio.to_thread(returned.primary.psql, "postgres", kept) == "0"
            assert await asyncio.to_thread(returned.standby.psql, "postgres", kept) == "1"
        assert readiness_answer({})[1]["warnings"] == {"postgres": "old_primary_refused"}
        await asyncio.to_thread(returned.primary.kill)
        await database.look_at_servers()
        assert readiness_answer({})[1]["warnings"] == {}
    finally:
        await database.close()
    assert capsys.readouterr().out.count("old_primary_refused") == 1
    assert await asyncio.to_thread(written, returned.standby) == [0, 1, 2, 3]
    await asyncio.to_thread(returned.primary.start)
    assert await asyncio.to_thread(written, returned.primary) == []


async def test_a_process_that_was_connected_to_the_old_primary_leaves_it_as_soon_as_it_sees_the_new_one(
    pair: Pair, settings: Settings
) -> None:
    """The old primary never died: the standby was promoted beside it."""
    database = Database(pair.url(), vault=Vault.of(settings))
    try:
        async with database.begin() as work:
            await work.fetch("CREATE TABLE said (number integer PRIMARY KEY)")
        async with database.listen("a_channel") as heard:
            await asyncio.to_thread(pair.commit_with_standby, wanted=False)
            await asyncio.to_thread(pair.standby.psql, "postgres", "SELECT pg_promote()")
            await database.look_at_servers()
            with pytest.raises(DatabaseLostError):
                await heard.next(PROMOTED_WITHIN_S)
        async with database.begin() as work:
            await work.fetch("INSERT INTO said VALUES (1)")
    finally:
        await database.close()
    assert await asyncio.to_thread(written, pair.primary) == []
    assert await asyncio.to_thread(written, pair.standby) == [1]


async def test_while_only_the_old_primary_is_there_nothing_is_written_and_the_error_says_so(
    returned: Pair, settings: Settings
) -> None:
    database = Database(returned.url(), vault=Vault.of(settings))
    try:
        await database.ping()
        await asyncio.to_thread(returned.standby.kill)

        failures: list[Exception] = []

        async def is_refused() -> bool:
            try:
                await database.ping()
            except Exception as error:  # noqa: BLE001 - what the driver says first of a connection that is lost
                failures.append(error)
            return bool(failures) and isinstance(failures[-1], OldPrimaryRefusedError)

        await becomes_true(is_refused, PROMOTED_WITHIN_S)
        assert f"127.0.0.1:{returned.primary.port} (an old primary)" in str(failures[-1])
        assert all(map(is_database_unavailable, failures))
        assert await readiness({"postgres": lambda: _pinged(database)}) == {"postgres": "OldPrimaryRefusedError"}
        await asyncio.to_thread(returned.primary.kill)
        with pytest.raises(NoServerError, match=r"\(ConnectionRefusedError\), .*\(ConnectionRefusedError\)"):
            await database.ping()
        await asyncio.to_thread(returned.standby.start)
        await database.ping()
    finally:
        await database.close()
    await asyncio.to_thread(returned.primary.start)
    assert await asyncio.to_thread(written, returned.primary) == []


async def test_schema_and_backups_do_not_go_to_the_old_primary_that_their_own_address_names(
    returned: Pair, tmp_path: Path
) -> None:
    both = returned.url()
    with pytest.raises(BackupError) as refused:
        await identify_source(returned.primary.backup_dsn(), [both])
    assert refused.value.code == "old_primary_refused"
    assert (await identify_source(returned.standby.backup_dsn(), [both, ""])).timeline > 1
    # Where nobody says that there are several servers nothing is compared.
    assert (await identify_source(returned.primary.backup_dsn(), [returned.primary.dsn(), ""])).timeline == 1
    given = {
        "SMARTWATCH_DATABASE_URL": both, "SMARTWATCH_MIGRATION_DATABASE_URL": returned.primary.owner_dsn(),
        "SMARTWATCH_ERASURE_LEDGER": str(tmp_path / "erasures.jsonl"),
    }  # fmt: skip
    upgraded = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "services.cli", "db", "upgrade"], capture_output=True, text=True, check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith("SMARTWATCH_")} | given,
    )  # fmt: skip
    assert upgraded.returncode != 0
    assert "old_primary_refused" in upgraded.stderr
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    assert await asyncio.to_thread(returned.primary.psql, DATABASE, tables) == "1"


async def test_an_address_of_a_pooler_that_leads_to_the_old_primary_is_refused(pair: Pair, settings: Settings) -> None:
    """The address of one host stands for the pooler; the servers are named by the direct one."""
    pair.commit_with_standby(wanted=False)
    pooled_url, both = pair.primary.owner_dsn(), pair.url()
    databases = [
        Database(pooled_url, direct_url=both, vault=Vault.of(settings), prepares=prepares) for prepares in (True, False)
    ]
    known = Servers(both)
    try:
        behind = await asyncpg.connect(pooled_url)
        for in_transaction in (True, False):
            await known.check(behind, in_transaction=in_transaction)
        for database in databases:
            await database.ping()
        await asyncio.to_thread(pair.standby.psql, "postgres", "SELECT pg_promote()")
        await known.look(stands_s=0.0)
        for in_transaction in (True, False):
            with pytest.raises(OldPrimaryRefusedError):
                await known.check(behind, in_transaction=in_transaction)
        behind.terminate()
        for database in databases:
            await database.look_at_servers()
            with pytest.raises(OldPrimaryRefusedError):
                await database.ping()
            async with database.try_lock("a lock of a test") as is_held:
                assert is_held
    finally:
        known.forget()
        for database in databases:
            await database.close()


async def test_a_server_that_stands_still_first_in_the_address_does_not_use_up_the_time_of_the_others(
    settings: Settings,
) -> None:
    """The driver by itself waits for it until the whole time is over."""
    [(host, port)] = hosts_of(settings.database_url)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        several = f"127.0.0.1:{silent.getsockname()[1]},{host}:{port}"
        url = settings.database_url.replace(f"{host}:{port}", several)
        with pytest.raises(TimeoutError):
            await asyncpg.connect(url, timeout=1.0)
        database = Database(url, vault=Vault.of(settings))
        try:
            connection = await database.connect_direct(timeout=10.0)
            assert await connection.fetchval("SELECT 1") == 1
            await connection.close()
        finally:
            await database.close()


async def _pinged(database: Database) -> None:
    await database.ping()


async def test_a_standby_that_commits_do_not_wait_for_is_named(pair: Pair) -> None:
    pair.commit_with_standby(wanted=False)

    async def is_named() -> bool:
        return [(finding.ok, finding.warns) for finding in await servers(pair.url())] == [(True, True)]

    await becomes_true(is_named, PROMOTED_WITHIN_S)
    pair.standby.kill()
    [finding] = await servers(pair.url())
    assert not finding.ok
    assert f"127.0.0.1:{pair.standby.port} is not reached" in finding.what


async def waits_for_standby(primary: OwnServer) -> bool:
    """Return whether a commit of the primary waits for its standby."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    return int(await asyncio.to_thread(primary.psql, "postgres", waiting)) > 0


async def test_without_prepared_statements_and_past_a_pooler(settings: Settings) -> None:
    """With the setting for an older PgBouncer each read has a transaction, and no statement outlives it."""
    ours = settings.model_copy(
        update={"database_prepared_statements": False, "database_direct_url": settings.database_url}
    )
    database = Database.of(ours)
    try:
        async with database.begin() as work:
            assert [tuple(row) for row in await work.read("SELECT $1::int", 7)] == [(7,)]
            kept = await work.fetch("SELECT name FROM pg_prepared_statements WHERE name LIKE '\\_\\_asyncpg%'")
            assert kept == []
            assert await work.fetch(
                "SELECT now() = transaction_timestamp() AND pg_current_xact_id_if_assigned() IS NULL"
            )
        async with database.listen("broker_users"), database.try_lock("a lock of a test") as is_held:
            assert is_held
    finally:
        await database.close()
