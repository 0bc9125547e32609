"""The frames on the wire, as the checks see them and as the report shows them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

_SHOWN_BYTES = 300
# Values that identify or admit somebody; a report is mailed around.
_SECRET_FIELDS = frozenset({"password", "iccid"})


class FrameKind(StrEnum):
    """Kinds of frames; all but SENT and SUBACK come from the watch."""

    CONNECT = "CONNECT"
    SUBSCRIBE = "SUBSCRIBE"
    SUBACK = "SUBACK sent to the watch"
    PUBLISH = "PUBLISH"
    PUBACK = "PUBACK"
    DISCONNECT = "DISCONNECT"
    LOST = "connection lost"
    REFUSED = "log-in refused"
    SENT = "sent to the watch"


@dataclass(frozen=True, slots=True)
class Connect:
    """Fields of a CONNECT packet. `first_byte_s` and `whole_s` count from the TCP connection."""

    level: int
    clean_session: bool
    client_id: str
    username: str
    password: str
    keepalive_s: int
    will_topic: str | None
    will_payload: bytes
    will_retain: bool
    first_byte_s: float
    whole_s: float


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame. `connection` counts connections; `at_s` is a steady clock."""

    kind: FrameKind
    at_s: float
    connection: int
    user: str
    level: str = ""  # the topic below <prefix>/up/ or <prefix>/down/
    topic: str = ""
    payload: bytes = b""
    qos: int = 1
    retain: bool = False
    connect: Connect | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """The JSON object of the payload; empty for anything else."""
        try:
            value = json.loads(self.payload)
        except (ValueError, UnicodeDecodeError):
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The objects of the payload: one, or those of an array."""
        try:
            value = json.loads(self.payload)
        except (ValueError, UnicodeDecodeError):
            return []
        values = value if isinstance(value, list) else [value]
        return [entry for entry in values if isinstance(entry, dict)]

    def shown(self) -> str:
        """Return one line for people, without passwords."""
        if self.connect is not None:
            given = self.connect
            return (
                f"{self.kind} level={given.level} client_id={given.client_id} user={given.username} "
                f"clean_session={int(given.clean_session)} keepalive={given.keepalive_s} "
                f"will={given.will_topic or '-'} {_text(given.will_payload)}".rstrip()
            )
        flags = f" qos={self.qos}" if self.qos != 1 else ""
        flags += " retain" if self.retain else ""
        return f"{self.kind} {self.topic or self.level}{flags} {_text(self.payload)}".rstrip()


def _text(payload: bytes) -> str:
    try:
        given = json.loads(payload)
    except (ValueError, UnicodeDecodeError):
        return f"<{len(payload)} bytes>" if payload else ""
    text = json.dumps(_without_secrets(given), ensure_ascii=False, separators=(",", ":"))
    return text if len(text) <= _SHOWN_BYTES else f"{text[:_SHOWN_BYTES]}…"


def _without_secrets(value: object) -> object:
    if isinstance(value, dict):
        return {name: "…" if name in _SECRET_FIELDS else _without_secrets(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_without_secrets(part) for part in value]
    return value
