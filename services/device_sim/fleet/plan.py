"""The work of a fleet, and who takes part in it."""

from __future__ import annotations

import csv
import ssl
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

from services.device_sim.fleet.tls_wire import fleet_tls

# Columns of a file of credentials; the last two are needed only where parents take part.
COLUMNS: Final = ("username", "password", "child_id", "refresh_token")


class CredentialsError(Exception):
    """A file of credentials that cannot be used; the message is for people."""


@dataclass(frozen=True)
class Member:
    """A paired watch of a test family. With a refresh token its parent can take part as well; a token works once."""

    username: str
    password: str
    child_id: str = ""
    refresh_token: str = ""
    # Versions of the lists that the watch holds, as its hello states them; with 0 both are sent to it.
    contacts_version: int = 0
    config_version: int = 0

    @property
    def has_parent(self) -> bool:
        """Whether a parent of this family can take part."""
        return bool(self.child_id and self.refresh_token)


@dataclass(frozen=True)
class FleetPlan:
    """The work of a fleet. Rates are those of the whole fleet. Without `tls_ca_file` it speaks plain MQTT."""

    host: str
    port: int
    tls_ca_file: str | None = None
    api_url: str = ""
    connects_per_s: float = 1000.0
    texts_per_s: float = 20.0
    parent_texts_per_s: float = 0.0
    seconds: float = 10.0
    parents: int = 0
    online_within_s: float = 120.0
    answered_within_s: float = 60.0

    def tls(self) -> ssl.SSLContext | None:
        """Return the TLS settings that every connection shares."""
        return None if self.tls_ca_file is None else fleet_tls(self.tls_ca_file)

    def as_fields(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        return asdict(self)

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """Return the plan of `as_fields`."""
        return cls(**fields)


def read_members(file: Path, count: int) -> list[Member]:
    """Return the first watches of a CSV with the columns `username,password[,child_id,refresh_token]`; 0: all.

    Raises CredentialsError, also where there are fewer.
    """
    members = _members_of(file)
    if not members or len(members) < count:
        raise CredentialsError(f"{file} names {len(members)} watches, {count or 'at least one'} are wanted")
    return members[: count or None]


def _members_of(file: Path) -> list[Member]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines))
        return [
            Member(row["username"], row["password"], row.get("child_id") or "", row.get("refresh_token") or "")
            for row in rows
        ]
    except (OSError, KeyError, UnicodeDecodeError) as error:
        reason = f"the column {error} is missing" if isinstance(error, KeyError) else str(error)
        raise CredentialsError(f"{file}: {reason}; expected a CSV with the columns {', '.join(COLUMNS)}") from None
