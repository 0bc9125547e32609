"""The empty system into which a restore goes: an instance of `smartwatch up`, or the files of a server of one's own."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from services.backup.errors import BackupError
from services.backup.programs import Programs
from services.backup.restoring import RestoreTarget, check_empty
from services.core.platform.db.grants import role_of
from services.core.platform.settings import Settings
from services.devstack.instance import InstanceInUseError, acquire_instance
from services.devstack.postgres import LocalPostgres
from services.devstack.postgres_user import (
    PostgresUnavailableError,
    ServerUser,
    bring_back,
    choose_server_user,
    outside_folder,
    prefix_of,
)

_PREFIX = "SMARTWATCH_"
_FILE = "file:"


@contextmanager
def instance_target(var: Path, name: str, *, store_survived: bool = False) -> Iterator[RestoreTarget]:
    """Hold an instance that does not run for the block; raises BackupError.

    Its keys must be there already: those of the lost system, from where they were kept.
    """
    folder = (var / name).absolute()
    given = {key.removeprefix(_PREFIX).lower() for key in os.environ if key.startswith(_PREFIX)}
    if not (folder / "secrets.json").exists() and not {"master_key", "master_keys"} & given:
        raise BackupError(
            "restore_keys_missing",
            f"There are no keys in {folder / 'secrets.json'}: bring the file of the lost system. No backup holds them.",
        )
    try:
        instance = acquire_instance(var, name)
    except InstanceInUseError as error:
        raise BackupError("restore_target_running", f"{error}: stop it first.") from error
    try:
        defaults = {
            **instance.secrets(), "environment": "development", "blob_url": f"file:{folder / 'blobs'}",
            "erasure_ledger": str(folder / "erasures.jsonl"),
        }  # fmt: skip
        # The environment's own values fill in the rest.
        settings = Settings.model_validate({key: value for key, value in defaults.items() if key not in given})
        postgres = LocalPostgres(folder / "postgres")
        postgres.folder.mkdir(parents=True, exist_ok=True)
        check_empty(postgres.folder / "data")  # before a choice that moves rows
        if (outside_folder(postgres.folder) / "instance" / "data").exists():
            raise BackupError("restore_target_not_empty", f"{folder} has rows outside the checkout: start and stop it.")
        try:
            user = choose_server_user(postgres.folder, print)
        except PostgresUnavailableError as error:
            raise BackupError("restore_failed", str(error)) from error
        target = RestoreTarget(
            data=user.home / "data", user=user, settings=settings, database="smartwatch", app_role="smartwatch",
            owner_role="smartwatch_owner", passwords=postgres.passwords(), store_survived=store_survived,
        )  # fmt: skip
        try:
            yield target
        finally:
            # The mark of a restore that failed half-way stays for the next one.
            if target.data.exists() or not target.work.exists():
                bring_back(postgres.folder)
    finally:
        instance.release()


@contextmanager
def server_target(
    settings: Settings, data: Path, programs: Programs, *, server_user: str = "", store_survived: bool = False
) -> Iterator[RestoreTarget]:
    """Hold the data folder of a server that is not `smartwatch up`'s for the block; raises BackupError.

    Root names the server's user. The audio store and the ledger are given back to their owners afterwards.
    """
    if not settings.database_url:
        raise BackupError("database_unknown", "SMARTWATCH_DATABASE_URL is empty: it names the database and its role.")
    app_role = role_of(settings.database_url)
    with _owners_kept(settings):
        yield RestoreTarget(
            data=data.absolute(), user=_server_user(server_user, programs, data.absolute().parent), settings=settings,
            database=urlsplit(settings.database_url).path.lstrip("/") or app_role, app_role=app_role,
            owner_role=role_of(settings.migration_database_url) or app_role, store_survived=store_survived,
        )  # fmt: skip


def _server_user(name: str, programs: Programs, home: Path) -> ServerUser:
    if os.geteuid() != 0:
        if name and name not in {str(os.geteuid()), _name_of(os.geteuid())}:
            raise BackupError("restore_user_refused", f"Only root can restore as {name}: leave --server-user out.")
        return ServerUser("as it is", (), None, programs.folder, home)
    try:
        entry = pwd.getpwuid(int(name)) if name.isdecimal() else pwd.getpwnam(name)
        user_id, group_id = entry.pw_uid, entry.pw_gid
    except KeyError:
        # Containers share a number with the server's, not its name.
        if not name.isdecimal():
            raise BackupError(
                "restore_user_unknown",
                f"There is no user {name or '(none named)'}: name the database server's user, as in "
                "--server-user postgres. Postgres refuses to run as root.",
            ) from None
        user_id = group_id = int(name)
    if user_id == 0:
        raise BackupError("restore_as_root", "Postgres refuses to run as root: name its user in --server-user.")
    user = ServerUser(name, prefix_of(user_id, group_id), user_id, programs.folder, home, group_id)
    if refusal := user.can_run_programs():
        raise BackupError(
            "restore_user_refused",
            f"User {name} cannot run the programs in {programs.folder}: install Postgres' programs where that user "
            "reaches them, and set SMARTWATCH_POSTGRES_PROGRAMS to their folder.",
            (refusal,),
        )
    return user


def _name_of(user_id: int) -> str:
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return ""


@contextmanager
def _owners_kept(settings: Settings) -> Iterator[None]:
    """As root, give what the block made in the folders of the processes to the owners of those folders."""
    folders = [settings.erasure_ledger.absolute().parent]
    if settings.blob_url.startswith(_FILE):
        folders.append(Path(settings.blob_url.removeprefix(_FILE)))
    owners = {folder: folder.stat() for folder in folders if folder.is_dir()} if os.geteuid() == 0 else {}
    try:
        yield
    finally:
        for top, owner in owners.items():
            for folder, _, files in os.walk(top):
                for path in (Path(folder), *(Path(folder, name) for name in files)):
                    if path.lstat().st_uid != owner.st_uid:
                        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
