"""Rules of traces: what a line may say, and how much is kept. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

OPEN_FOR: Final = timedelta(hours=24)
KEPT_FOR: Final = timedelta(days=7)
LINES_MAX: Final = 200
# Lines of one process that wait to be written; beyond it the oldest are dropped.
WAITING_MAX: Final = 2_000
DETAIL_MAX_CHARS: Final = 60


class Seen(StrEnum):
    """What was seen of a watch."""

    CONNECTED = "connected"
    GONE = "gone"
    HELLO = "hello"
    # A whole message, or an entry of an array, that was answered `rejected`; the detail has the kind and the reason.
    REFUSED = "refused"
    # In development only: the receipt of a message that was stored, is known, or lacks chunks.
    RECEIPT = "receipt"
    # A message that was answered `retry`.
    PUT_OFF = "put_off"


@dataclass(frozen=True)
class SeenOfWatch:
    """One line before it is written: a user name of the broker, and words of a closed vocabulary."""

    username: str
    at: datetime
    what: Seen
    detail: str = ""


def newest(lines: Iterable[SeenOfWatch]) -> list[SeenOfWatch]:
    """Return at most LINES_MAX lines of each user name, the newest, in their order."""
    kept: dict[str, int] = {}
    chosen = []
    for line in reversed(list(lines)):
        kept[line.username] = kept.get(line.username, 0) + 1
        if kept[line.username] <= LINES_MAX:
            chosen.append(line)
    return chosen[::-1]
