"""Mosquitto's password files: rendered whole, verified as read back, never handed over empty or half."""

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

# The only names a watch can have: no wildcard, slash or colon can enter a topic pattern or a line of the file, and
# none of the backend's own names can be taken.
_WATCH_USERNAME = re.compile(r"f-[A-Z0-9]{4,20}|w-[a-z2-7]{12,32}")


@dataclass(frozen=True)
class BrokerLogin:
    """One user of the broker; ``password_hash`` is in Mosquitto's own form."""

    username: str
    password_hash: str


def is_watch_login(login: BrokerLogin) -> bool:
    """Tell whether a login may be written for a watch; one that may not would confuse topics or the file."""
    return _WATCH_USERNAME.fullmatch(login.username) is not None and is_mosquitto_hash(login.password_hash)


def render_passwords(logins: Iterable[BrokerLogin]) -> bytes:
    """Return the file's content, one ``name:hash`` a line, sorted so that the same users give the same bytes."""
    lines = sorted(f"{login.username}:{login.password_hash}\n" for login in logins)
    return "".join(lines).encode("ascii")


def verify_passwords(path: Path, expected: Mapping[str, str]) -> None:
    """Read a password file back and raise PasswordFileBrokenError unless it holds exactly ``expected`` (name to hash).

    An empty file would lock everybody out, half a file somebody; ``expected`` always holds one of our own users.
    """
    if not expected:
        raise PasswordFileBrokenError(path, "it would hold nobody")
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        if is_exhaustion(error):
            raise DescriptorsExhaustedError from error
        raise PasswordFileBrokenError(path, "it cannot be read") from error
    found: dict[str, str] = {}
    for line in lines:
        name, _, password_hash = line.partition(":")
        if not name or not is_mosquitto_hash(password_hash) or name in found:
            raise PasswordFileBrokenError(path, "a line is malformed")
        found[name] = password_hash
    if found != dict(expected):
        raise PasswordFileBrokenError(path, "it does not hold the users it should")
