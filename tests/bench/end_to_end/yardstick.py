"""A fixed piece of work: how fast the machine is while a row is measured.

A virtual machine with busy neighbours was half as fast at the end of a run as in its beginning. Growth with the data is
told in yardsticks, so that it is the data's.
"""

from __future__ import annotations

import hashlib
import json
import time
from typing import Final

_TURNS: Final = 1500
_BODY: Final = {
    "id": "0123456789abcdef",
    "at": 1767225600,
    "places": [23.02, 113.75, 18.0],
    "words": ["one", "two"] * 8,
}


def yardstick_us() -> float:
    """Return the CPU time of the work in microseconds, the least of three: 20,000 to 60,000."""
    return min(_once_us() for _ in range(3))


def _once_us() -> float:
    began_s = time.process_time()
    mark = b""
    for _ in range(_TURNS):
        mark = hashlib.sha256(mark + json.dumps(json.loads(json.dumps(_BODY))).encode()).digest()
    return 1e6 * (time.process_time() - began_s)
