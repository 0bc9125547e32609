"""Mosquitto's password file: rendered whole, and verified by reading it back before Mosquitto reads it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from services.broker.errors import DescriptorsExhaustedError, PasswordFileBrokenError
from services.core.platform.crypto.broker_password import is_mosquitto_hash
from services.core.platform.descriptors import is_exhaustion

BACKEND_USERNAME = "sw-backend"
PROBE_USERNAME = "sw-probe"

# The only names a watch can have. No wildcard, slash or colon can enter a topic pattern or a line of the file, and none
# of the backend's own names matches.
_WATCH_USERNAME = re.compile(r"f-[A-Z0-9]{4,20}|w-[a-z2-7]{12,32}")


@dataclass(frozen=True)
class BrokerLogin:
    """One user of the broker; ``password_hash`` is in Mosquitto's own form."""

    username: str
    password_hash: str


def is_watch_username(username: str) -> bool:
    """Return whether a watch can have this name: factory identity ``f-`` or paired identity ``w-``."""
    return _WATCH_USERNAME.fullmatch(username) is not None


def is_watch_login(login: BrokerLogin) -> bool:
    """Return whether this login may be written for a watch: any other name could break topics or the file."""
    return is_watch_username(login.username) and is_mosquitto_hash(login.password_hash)


def render_passwords(logins: Iterable[BrokerLogin]) -> bytes:
    """Return the file's content, one ``name:hash`` a line, sorted so that the same users give the same bytes."""
    lines = sorted(f"{login.username}:{login.password_hash}\n" for login in logins)
    return "".join(lines).encode("ascii")


def verify_passwords(path: Path, expected: Mapping[str, str]) -> None:
    """Read a password file back and raise PasswordFileBrokenError unless it holds exactly ``expected`` (name to hash).

    An empty or truncated file would lock users out; ``expected`` always holds one of the backend's own users. Raises
    DescriptorsExhaustedError when the file could not be opened now.
    """
    if not expected:
        raise PasswordFileBrokenError(path, "it would hold no user")
    try:
        content = path.read_bytes()
    except OSError as error:
        if is_exhaustion(error):
            raise DescriptorsExhaustedError from error
        raise PasswordFileBrokenError(path, "it cannot be read") from error
    users = _read(content)
    if users is None:
        raise PasswordFileBrokenError(path, "a line is malformed")
    if users != dict(expected):
        raise PasswordFileBrokenError(path, "its users are not the expected ones")


def is_password_file(content: bytes) -> bool:
    """Return whether this is a password file as this module renders it, with the backend's user in it."""
    return BACKEND_USERNAME in (_read(content) or {})


def _read(content: bytes) -> dict[str, str] | None:
    """Return the users (name to hash), None if a line is malformed or a name stands there twice."""
    users: dict[str, str] = {}
    try:
        lines = content.decode("ascii").splitlines()
    except UnicodeDecodeError:
        return None
    for line in lines:
        name, _, password_hash = line.partition(":")
        if not name or not is_mosquitto_hash(password_hash) or name in users:
            return None
        users[name] = password_hash
    return users
