"""Restore a system to a time: the database, the sound that belongs to it, and every erasure since, as one set.

Nothing appears under its final name before all of it is complete. The erasures are repeated before any process of the
product can connect: the server that replays the log listens on no network.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import shutil
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import asyncpg
from alembic.util.exc import CommandError

from services.backup.blobs import PAGE, copy_of
from services.backup.choosing import Choice, choose, read_target
from services.backup.errors import BackupError
from services.backup.folder import BackupFolder
from services.backup.ledger import bring_ledger
from services.backup.programs import Programs
from services.backup.recovering import Recovered, lay_out, recovered, target_unwritable
from services.backup.sums import read_sums
from services.core.conversation.audio_assets.storing import give_up_lost
from services.core.people.households.child_key import unopened_keys
from services.core.platform.blobs.actions import add_for_deletion
from services.core.platform.blobs.queries import kept_after, unknown_among
from services.core.platform.blobs.store import BlobExistsError, BlobStore, BlobStoreAwayError
from services.core.platform.crypto.vault import Vault
from services.core.platform.db import migrate
from services.core.platform.db.database import Database
from services.core.platform.opened_ledger import open_ledger
from services.core.platform.settings import Settings
from services.core.privacy.erasure.replay import replay
from services.devstack.postgres import end_orphans
from services.devstack.postgres_user import ServerUser

_AT_ONCE: Final = 32


@dataclass(frozen=True)
class RestoreTarget:
    """The empty system: where the database's files go, as whom Postgres runs, and the settings with its keys."""

    data: Path
    user: ServerUser
    settings: Settings
    database: str
    app_role: str
    owner_role: str
    # Set as the superuser `postgres`; without any, the roles keep the passwords of the backup.
    passwords: Mapping[str, str] = field(default_factory=dict)
    # The audio store outlived the system: what is in it stays, what the database does not know is deleted later.
    store_survived: bool = False
    # False is for tests: a loss of power may cost the restored system.
    durable: bool = True

    @property
    def work(self) -> Path:
        """The folder in which everything is made; a later restore removes what an interrupted one left."""
        return self.data.with_name(f"{self.data.name}.restoring")


@dataclass(frozen=True)
class Restored:
    """The outcome of a restore."""

    choice: Choice
    erasures: int
    recordings: int
    lost_recordings: int


async def restore(
    folder: BackupFolder, programs: Programs, target: RestoreTarget, to: str, announce: Callable[[str], None]
) -> Restored:
    """Restore to the time ``to`` or to `latest`; raises BackupError, and the empty system is as empty as before."""
    wanted = read_target(to, datetime.now(UTC))
    choice = choose(folder, wanted)
    with folder.locked():
        store = BlobStore.of(target.settings)
        await _check_target(target, choice, programs, store)
        _check_ledger(folder, target)
        data = _prepare_work(target)
        try:
            announce(f"backup {choice.newest.backup_id}: verifying and copying the database's files")
            await lay_out(choice, programs, data)
            announce("replaying the log")
            with recovered(choice, folder, target.user, data, announce, durable=target.durable) as server:
                outcome = await _complete(folder, target, server, choice, store, announce)
        except BaseException:
            await _clean_up(target, store)
            raise
        if target.durable:
            await asyncio.to_thread(os.sync)
        try:
            data.rename(target.data)
        except OSError as error:
            raise target_unwritable(error) from error
        shutil.rmtree(target.work, ignore_errors=True)
    return outcome


async def _clean_up(target: RestoreTarget, store: BlobStore) -> None:
    """Remove what was made. The folder stays as a mark while the audio store holds a part of the sound."""
    shutil.rmtree(target.work / "data", ignore_errors=True)
    with contextlib.suppress(BlobStoreAwayError):
        if target.store_survived or await store.is_empty():
            shutil.rmtree(target.work, ignore_errors=True)


async def _check_target(target: RestoreTarget, choice: Choice, programs: Programs, store: BlobStore) -> None:
    version = programs.major_version()
    if version != choice.newest.major_version:
        raise BackupError(
            "backup_version_differs",
            f"The backup is of Postgres {choice.newest.major_version}, {programs.folder} has version {version}.",
        )
    check_empty(target.data)
    # An interrupted restore has brought a part of the sound.
    if not target.store_survived and not target.work.exists():
        try:
            is_empty = await store.is_empty()
        except BlobStoreAwayError as error:
            raise BackupError(
                "restore_store_away", "The audio store of the restored system does not answer."
            ) from error
        if not is_empty:
            raise BackupError(
                "restore_store_not_empty",
                "The audio store is not empty: empty it, or use --store-survived if it is that of the lost system.",
            )


def check_empty(data: Path) -> None:
    """Raise BackupError when the database's files have something in their place already."""
    if data.exists() and (not data.is_dir() or any(data.iterdir())):
        raise BackupError(
            "restore_target_not_empty", f"{data} is not empty: a restore never replaces a system. Move it away."
        )


def _check_ledger(folder: BackupFolder, target: RestoreTarget) -> None:
    if not folder.ledger.exists() and not open_ledger(target.settings).exists():
        raise BackupError(
            "backup_ledger_missing",
            "The ledger of erasures is neither in the backup folder nor at SMARTWATCH_ERASURE_LEDGER: without it "
            "erased families would come back.",
        )


def _prepare_work(target: RestoreTarget) -> Path:
    data = target.work / "data"
    try:
        if data.exists():
            end_orphans(data)
        shutil.rmtree(target.work, ignore_errors=True)
        target.work.mkdir(mode=0o700, parents=True)
        target.user.own(target.work)
    except OSError as error:
        raise target_unwritable(error) from error
    return data


async def _complete(
    folder: BackupFolder, target: RestoreTarget, server: Recovered, choice: Choice, store: BlobStore,
    announce: Callable[[str], None],
) -> Restored:  # fmt: skip
    """Bring the schema, the erasures and the sound to the database that was recovered."""
    url = server.url(target.app_role, target.database)
    database = Database(url, vault=Vault.of(target.settings))
    try:
        await _check_keys(database)
        try:
            bring_ledger(folder.ledger, target.settings)
            owner_url = server.url(target.owner_role, target.database)
            await asyncio.to_thread(migrate.upgrade, owner_url, role=target.app_role)
        except OSError as error:
            raise target_unwritable(error) from error
        except CommandError as error:
            raise BackupError(
                "restore_version_older", "The backup was made by a newer version of the product: install that version."
            ) from error
        erasures = await replay(database, open_ledger(target.settings))
        announce(f"{erasures} erasures repeated; copying the sound")
        recordings, lost = await _bring_sound(folder, database, store)
        if target.store_survived:
            await _delete_unknown(database, store)
    finally:
        await database.close()
    await _set_passwords(server, target.passwords)
    return Restored(choice, erasures, recordings, lost)


async def _check_keys(database: Database) -> None:
    try:
        unopened = await unopened_keys(database)
    except (OSError, asyncpg.PostgresError) as error:
        raise BackupError(
            "restore_failed", f"The restored database does not answer ({type(error).__name__})."
        ) from error
    if unopened:
        names = ", ".join(sorted(key_id or "(without id)" for key_id in unopened))
        raise BackupError(
            "restore_keys_differ",
            f"The configured master keys do not open this backup (wanted: {names}): bring the keys of its time.",
        )


async def _bring_sound(folder: BackupFolder, database: Database, store: BlobStore) -> tuple[int, int]:
    """Copy every recording that the database refers to; return how many are there, and how many are lost."""
    present = lost = 0
    sums: dict[Path, dict[str, str]] = {}
    after = uuid.UUID(int=0)
    while True:
        async with database.begin() as work:
            page = await kept_after(work, after, PAGE)
        if not page:
            return present, lost
        missing: list[uuid.UUID] = []
        for start in range(0, len(page), _AT_ONCE):
            batch = page[start : start + _AT_ONCE]
            for blob_id, is_there in zip(batch, await _bring(folder, store, batch, sums), strict=True):
                present += is_there
                if not is_there:
                    missing.append(blob_id)
        if missing:
            async with database.begin() as work:
                await give_up_lost(work, missing)
            lost += len(missing)
        after = page[-1]


def _sound_copy(folder: BackupFolder, name: str, sums: dict[Path, dict[str, str]]) -> bytes | None:
    """Return a recording as it was copied; None when there is no copy, or it was altered."""
    file = copy_of(folder.blobs, name)
    if file.parent not in sums:
        sums[file.parent] = read_sums(file.parent)
    try:
        sealed = file.read_bytes()
    except OSError:
        return None
    return sealed if hashlib.sha256(sealed).hexdigest() == sums[file.parent].get(name) else None


async def _delete_unknown(database: Database, store: BlobStore) -> None:
    """Give a row that is to be deleted to every object that the restored database does not know."""
    async for page in store.stored_ids():
        async with database.begin() as work:
            for blob_id in await unknown_among(work, page):
                add_for_deletion(work, blob_id)


async def _set_passwords(server: Recovered, passwords: Mapping[str, str]) -> None:
    if not passwords:
        return
    connection = await asyncpg.connect(server.url("postgres", "postgres"), timeout=10)
    try:
        for role, password in passwords.items():
            exists = await connection.fetchval("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", role)
            if exists:
                # Passwords are hexadecimal digits, roles are ours: neither can be a parameter.
                await connection.execute(f"ALTER ROLE {role} PASSWORD '{password}'")
    finally:
        await connection.close(timeout=2)


async def _bring(
    folder: BackupFolder, store: BlobStore, blob_ids: Sequence[uuid.UUID], sums: dict[Path, dict[str, str]]
) -> list[bool]:
    async def bring(blob_id: uuid.UUID) -> bool:
        sealed = await asyncio.to_thread(_sound_copy, folder, blob_id.hex, sums)
        if sealed is None:
            return await store.holds(blob_id)
        try:
            await store.put_sealed(blob_id, sealed)
        except BlobExistsError:
            pass  # an interrupted restore brought it, or the store survived
        except BlobStoreAwayError as error:
            raise BackupError(
                "restore_store_away", "The audio store of the restored system is full or does not answer."
            ) from error
        return True

    return list(await asyncio.gather(*(bring(blob_id) for blob_id in blob_ids)))
