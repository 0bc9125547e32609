"""How long an address that fails to log in again and again has to wait at the gate. Pure.

Secrets of watches have 128 bits and more: nobody guesses one. What this bounds is the noise of trying, and what it may
cost the others; fifty watches behind one address of a factory's network must not notice a broken one among them.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict, deque
from typing import Final

# Failures count for so long.
WINDOW_S: Final = 600.0
# So many are free: a watch that is refused tries about seven times in ten minutes, and there may be some at one site.
FREE_FAILURES: Final = 20
DELAY_FIRST_S: Final = 0.25
# Less than any watch waits for its connection, so that who may log in still does.
DELAY_MAX_S: Final = 5.0
# Connections of one address that have not logged in yet. Beyond, new ones are closed at once.
PENDING_MAX: Final = 200
# Addresses remembered; the one that was quiet the longest is forgotten first.
ADDRESSES_MAX: Final = 10_000


def address_key(address: str) -> str:
    """Return what is counted as one: an IPv4 address, or the /64 of an IPv6 address, which one subscriber has whole."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def delay_s(failures: int) -> float:
    """Return how long the next connection of an address with so many failures waits, in seconds."""
    beyond = failures - FREE_FAILURES
    return 0.0 if beyond <= 0 else min(DELAY_MAX_S, DELAY_FIRST_S * 2.0 ** min(beyond - 1, 10))


class Failures:
    """Which addresses failed when, in memory only; times are seconds of any steady clock."""

    def __init__(self) -> None:
        self._failed_at: OrderedDict[str, deque[float]] = OrderedDict()

    def note(self, key: str, now: float) -> int:
        """Count a failure and return how many of this address count now."""
        failed_at = self._failed_at.setdefault(key, deque(maxlen=FREE_FAILURES * 4))
        failed_at.append(now)
        self._failed_at.move_to_end(key)
        if len(self._failed_at) > ADDRESSES_MAX:
            self._failed_at.popitem(last=False)
        return self.count(key, now)

    def count(self, key: str, now: float) -> int:
        """Return how many failures of this address count now."""
        failed_at = self._failed_at.get(key)
        if failed_at is None:
            return 0
        while failed_at and failed_at[0] <= now - WINDOW_S:
            failed_at.popleft()
        if not failed_at:
            del self._failed_at[key]
        return len(failed_at)

    def __len__(self) -> int:
        return len(self._failed_at)
