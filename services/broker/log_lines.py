"""What Mosquitto's log says of connections: who came in, from where, with a session it keeps, and who is gone.

With the log types of our configuration no line holds a topic or a payload.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

# "New client connected from 127.0.0.1:41234 as w-... (p2, c1, k60, u'w-...')." since Mosquitto 2.0.
_CONNECTED: Final = re.compile(
    r"New client connected from (?P<address>\S+):(?P<port>\d+) as (?P<client_id>\S+)"
    r" \(p\d+, c(?P<clean>[01]), k(?P<keepalive_s>\d+)(?:, u'(?P<username>[^']*)')?\)"
)
# "Client w-... disconnected.", "... closed its connection.", "... has exceeded timeout, disconnecting." and the like.
# "already connected" is not an end: the line of the new connection follows it.
_ENDED: Final = re.compile(
    r"(?:Client |Bad socket read/write on client |Socket error on client )(?P<client_id>[A-Za-z0-9-]+)"
    r"(?![A-Za-z0-9-])(?!.*already connected)"
)


@dataclass(frozen=True)
class ClientConnected:
    """A client that was let in; ``keeps_session`` when the broker keeps its session after it leaves."""

    address: str
    port: int
    client_id: str
    username: str
    keeps_session: bool


# The ends that the client's own packet caused. 2.0.11 has no words for a retained publish: "Unknown error".
_FORBIDDEN: Final = re.compile(
    r"oversize packet|malformed packet|protocol error|QoS not supported|[Rr]etain not supported|: Unknown error\."
)
# The first that fits, of what a line says after the client's name.
_REASONS: Final = (
    ("exceeded timeout", "timeout"), ("not authorised", "not_authorised"), ("closed its connection", "closed"),
    ("disconnected.", "disconnect"),
)  # fmt: skip
# A will with the retain flag or QoS 2 is refused before the client is known: the line names nobody.
_WILL_REFUSED: Final = re.compile(r"Client <unknown> disconnected due to QoS too high or retain not supported")


@dataclass(frozen=True)
class ClientGone:
    """A client whose connection has ended; ``sent_forbidden`` when it sent a packet that the protocol forbids."""

    client_id: str
    sent_forbidden: bool = False
    # disconnect (by its own packet), closed, timeout, not_authorised, forbidden_packet, error.
    reason: str = "error"


def read_line(line: str) -> ClientConnected | ClientGone | None:
    """Return what a line says of a connection, None if it says nothing of one."""
    if match := _CONNECTED.match(line):
        return ClientConnected(
            match["address"], int(match["port"]), match["client_id"], match["username"] or "", match["clean"] == "0"
        )
    if match := _ENDED.match(line):
        sent_forbidden = _FORBIDDEN.search(line, match.end()) is not None
        return ClientGone(match["client_id"], sent_forbidden, _reason(line[match.end() :], sent_forbidden))
    return None


def _reason(rest: str, sent_forbidden: bool) -> str:  # noqa: FBT001
    if sent_forbidden:
        return "forbidden_packet"
    return next((reason for words, reason in _REASONS if words in rest), "error")


def is_refused_will(line: str) -> bool:
    """Return whether a client was refused because of the flags of its will."""
    return _WILL_REFUSED.match(line) is not None
