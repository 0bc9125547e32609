"""The order in which waiting rows are claimed, and the pauses between attempts. Pure."""

from __future__ import annotations

from datetime import timedelta
from enum import IntEnum
from typing import Final

_PAUSE_MAX_S: Final = 300
# Of an effect that waits for nothing but the outside to be well again, and is urgent.
SHORT_PAUSE_MAX_S: Final = 15
# Every kind of row; one that is missing here is counted as `other`.
KINDS: Final = ("watch", "factory", "sms", "clip", "decoy", "wake", "push")


class Urgency(IntEnum):
    """How urgent a row is: a row of a lower value is claimed before every row of a higher one."""

    SOS = 0
    LOG_IN_CODE = 1
    NORMAL = 2
    # What a watch that said hello may lack: after a power cut there is a row of every watch, and a message is ahead.
    AFTER_HELLO = 3


def pause_after(attempts: int, max_s: float = _PAUSE_MAX_S) -> timedelta:
    """Return the pause after the given number of failed attempts: 1, 2, 4 ... seconds, at most ``max_s``."""
    # The exponent is bounded: a row may have failed for weeks.
    return timedelta(seconds=min(2 ** min(attempts - 1, 9), max_s))
