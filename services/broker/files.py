"""Writes files in one step, readable by Mosquitto's user alone."""

from __future__ import annotations

import os
import pwd
import secrets
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Owner:
    """The user that Mosquitto runs as when this process is root."""

    uid: int
    gid: int


def broker_owner() -> Owner | None:
    """Return the user that Mosquitto runs as when this process is root; None: the user of this process.

    It is the package's own user if there is one, else ``nobody``: a daemon on the network never runs as root.
    """
    if os.geteuid() != 0:
        return None
    for name in ("mosquitto", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Owner(entry.pw_uid, entry.pw_gid)
    raise RuntimeError("this machine has neither a user `mosquitto` nor `nobody`, and Mosquitto must not run as root")


def make_folder(path: Path, owner: Owner | None) -> None:
    """Make a folder, and those above it, that only its owner may read; a repeat restores owner and mode."""
    path.mkdir(parents=True, exist_ok=True)
    if owner is not None:
        os.chown(path, owner.uid, owner.gid)
    path.chmod(0o700)


def replace_file(path: Path, content: bytes, owner: Owner | None) -> None:
    """Replace a file in one step, on disk when this returns, mode 0600; a crash leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if owner is not None:
                os.fchown(file.fileno(), owner.uid, owner.gid)
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
