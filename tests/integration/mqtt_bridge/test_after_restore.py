"""After a restore a watch that stays connected is sent the lower versions of contacts and settings within a minute."""

from __future__ import annotations

import asyncio
import uuid

import asyncpg
from sqlalchemy import text
from sqlmodel import select

from services.core.devices.watches.queries import standing_identity
from services.core.pairing.after_restore import resend_lists_after_restore
from services.core.pairing.sweep import announce_overdue
from services.core.pairing.tables import DatabaseMark
from services.core.platform.crypto.vault import Vault
from services.core.platform.db.database import Database
from services.core.platform.db.migrate import upgrade
from services.core.platform.settings import Settings
from services.devstack.postgres import LocalPostgres
from tests.support.clock import FakeClock
from tests.support.watch import Stand


async def _sweep(stand: Stand) -> None:
    async with stand.database.begin() as work:
        await announce_overdue(work)


async def _put_back(stand: Stand, username: str, version: int) -> None:
    """Make the rows what an older backup holds: lower versions, acknowledged; the mark of the server of that time."""
    async with stand.database.begin() as work:
        identity = await standing_identity(work, username, lock=True)
        assert identity is not None
        identity.contacts_acked_version = identity.config_acked_version = version
        identity.contacts_sent_version = identity.config_sent_version = version
        for table in ("contact_list", "watch_settings"):
            await work.run(
                text(f"UPDATE {table} SET version = :version WHERE child_id = :child_id"),  # noqa: S608 - a list above
                {"version": version, "child_id": identity.child_id},
            )
        await work.run(text("UPDATE database_mark SET mark = 'an earlier server'"))


async def test_a_connected_watch_is_sent_the_lower_versions_at_the_next_sweep(stand: Stand, clock: FakeClock) -> None:
    _, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await _sweep(stand)
        await watch.hello(contacts_version=7, config_version=9)
        await watch.hears("contacts")
        await watch.hears("config")
        await watch.say("ack", {"ref": "contacts", "version": 1, "state": "done"})
        await watch.say("ack", {"ref": "config", "version": 1, "state": "done"})
        await watch.say("receipt", {"ref": "nothing", "state": "delivered"})
        await watch.hears("receipt")
        await _put_back(stand, worn.username, 1)
        clock.advance(seconds=5)
        await _sweep(stand)
        assert (await watch.hears("contacts"))["version"] == 1
        assert (await watch.hears("config"))["version"] == 1


async def test_a_watch_that_the_backup_holds_for_disconnected_is_sent_them_as_well(stand: Stand) -> None:
    _, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await _sweep(stand)
        await watch.hello(contacts_version=7, config_version=9)
        await watch.hears("contacts")
        await watch.hears("config")
        await _put_back(stand, worn.username, 1)
        async with stand.database.begin() as work:
            identity = await standing_identity(work, worn.username, lock=True)
            assert identity is not None
            identity.online, identity.gone_by = False, "will"
        await _sweep(stand)
        assert (await watch.hears("contacts"))["version"] == 1
        assert (await watch.hears("config"))["version"] == 1


async def test_any_version_that_differs_is_announced_although_nothing_queued_it(stand: Stand) -> None:
    _, worn = await stand.home()
    async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
        await watch.hello(contacts_version=7, config_version=9)
        await watch.hears("contacts")
        await watch.hears("config")
        async with stand.database.begin() as work:
            identity = await standing_identity(work, worn.username, lock=True)
            assert identity is not None
            identity.contacts_acked_version = identity.config_acked_version = 50
            identity.contacts_sent_at = identity.config_sent_at = None
        await _sweep(stand)
        assert (await watch.hears("contacts"))["version"] < 50
        assert (await watch.hears("config"))["version"] < 50


async def test_a_copy_of_the_database_is_recognised_once_and_the_database_itself_never(
    postgres: LocalPostgres, settings: Settings
) -> None:
    name, copy = f"original_{uuid.uuid4().hex}", f"copy_{uuid.uuid4().hex}"
    superuser = await asyncpg.connect(postgres.superuser_dsn())

    async def resent(database_name: str) -> list[bool]:
        database = Database(postgres.dsn(database_name), vault=Vault(settings.master_key.get_secret_value()))
        answers = []
        for _ in range(2):
            async with database.begin() as work:
                answers.append(await resend_lists_after_restore(work))
                await work.flush()
                assert len((await work.session.exec(select(DatabaseMark))).all()) == 1
        await database.close()
        return answers

    await superuser.execute(f"CREATE DATABASE {name} OWNER smartwatch")
    await asyncio.to_thread(upgrade, postgres.dsn(name))
    assert await resent(name) == [False, False]
    await superuser.execute(f"CREATE DATABASE {copy} TEMPLATE {name} OWNER smartwatch")
    assert await resent(copy) == [True, False]
    assert await resent(name) == [False, False]
    await superuser.close()
