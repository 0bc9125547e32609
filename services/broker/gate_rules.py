"""Rules of the gate for one address: its delay, and its connections without a log-in. Pure.

Secrets of watches have 128 bits or more, so guessing them is hopeless. These rules bound the cost of the attempts:
fifty watches behind one address of a factory's network must not notice a faulty or hostile device among them.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict, deque
from typing import Final, Generic, TypeVar

# ---------------------------------------------------------------- deadlines of a connection, seconds
# TLS and MQTT clients speak first, at once: a packet lost on a mobile network is repeated within 3 s.
FIRST_BYTE_DEADLINE_S: Final = 5.0
# A TLS handshake of four packets on a network with 1 s round trips takes 4 s; three times that is room to spare.
LOGIN_DEADLINE_S: Final = 15.0
# Bytes passed on before the log-in. A client may send its first messages behind CONNECT without waiting; beyond this
# it is not read until Mosquitto has let it in.
EARLY_BYTES_MAX: Final = 65_536

# ---------------------------------------------------------------- failures of an address
# A failure counts this long.
WINDOW_S: Final = 600.0
# A refused watch tries about seven times in ten minutes, and a site may have several of them.
FREE_FAILURES: Final = 20
DELAY_FIRST_S: Final = 0.25
# Common clients give up on a connection after 5 s: a longer delay would turn their honest retries into failures.
DELAY_MAX_S: Final = 2.0

# ---------------------------------------------------------------- connections without a log-in
PENDING_PER_ADDRESS: Final = 200
# An address from which watches logged in may keep one more for each of those log-ins, up to this many.
PENDING_PER_KNOWN_ADDRESS_MAX: Final = 1_000
LOGIN_REMEMBERED_S: Final = 3_600.0
# Addresses remembered for failures and for log-ins; the one that was quiet the longest is forgotten first.
ADDRESSES_MAX: Final = 10_000

Connection = TypeVar("Connection")


def address_key(address: str) -> str:
    """Return what counts as one address: an IPv4 address, or the /64 that one IPv6 subscriber has."""
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
    """Failed log-ins by address, in memory only; times are seconds of any steady clock."""

    def __init__(self) -> None:
        self._failed_at: OrderedDict[str, deque[float]] = OrderedDict()

    def record(self, key: str, now_s: float) -> int:
        """Count a failure and return how many of this address count now."""
        failed_at = self._failed_at.setdefault(key, deque(maxlen=FREE_FAILURES * 4))
        failed_at.append(now_s)
        self._failed_at.move_to_end(key)
        if len(self._failed_at) > ADDRESSES_MAX:
            self._failed_at.popitem(last=False)
        return self.count(key, now_s)

    def count(self, key: str, now_s: float) -> int:
        """Return how many failures of this address count now."""
        failed_at = self._failed_at.get(key)
        if failed_at is None:
            return 0
        while failed_at and failed_at[0] <= now_s - WINDOW_S:
            failed_at.popleft()
        if not failed_at:
            del self._failed_at[key]
        return len(failed_at)

    def __len__(self) -> int:
        return len(self._failed_at)


class RecentLogins:
    """Addresses from which a watch logged in within the hour, in memory only; times as in :class:`Failures`."""

    def __init__(self) -> None:
        # Address to (time of the last log-in, log-ins without a pause of an hour between them).
        self._logins: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def record(self, key: str, now_s: float) -> None:
        """Remember a log-in."""
        self._logins[key] = (now_s, self.count(key, now_s) + 1)
        self._logins.move_to_end(key)
        if len(self._logins) > ADDRESSES_MAX:
            self._logins.popitem(last=False)

    def count(self, key: str, now_s: float) -> int:
        """Return the log-ins of this address, 0 an hour after the last one."""
        last_s, count = self._logins.get(key, (now_s - LOGIN_REMEMBERED_S, 0))
        return count if now_s - last_s < LOGIN_REMEMBERED_S else 0


class Pending(Generic[Connection]):
    """Connections that have not logged in, oldest first; bounded by address and, over all addresses, by ``total_max``.

    A newcomer is never refused: beyond a bound an older connection is closed for it. An address with recent log-ins
    keeps its share: its connections are closed for those of other addresses only when no other is left to close.
    """

    def __init__(self, total_max: int) -> None:
        self._total_max = total_max
        self._by_address: dict[str, dict[Connection, None]] = {}
        self._unknown: dict[Connection, None] = {}
        self._known: dict[Connection, None] = {}

    def __len__(self) -> int:
        return len(self._unknown) + len(self._known)

    def of(self, key: str) -> int:
        """Return how many connections of this address are pending."""
        return len(self._by_address.get(key, ()))

    def add(self, connection: Connection, key: str, recent_logins: int) -> Connection | None:
        """Add a newcomer and return the connection to close for it, if any; the caller removes that one."""
        bound = min(PENDING_PER_ADDRESS + recent_logins, PENDING_PER_KNOWN_ADDRESS_MAX)
        of_address = self._by_address.get(key, {})
        victim = None
        if len(of_address) >= bound:
            victim = next(iter(of_address))
        elif len(self) >= self._total_max:
            victim = self.oldest()
        self._by_address.setdefault(key, {})[connection] = None
        (self._known if recent_logins else self._unknown)[connection] = None
        return victim

    def oldest(self) -> Connection | None:
        """Return the connection to close first: the oldest of an address without log-ins, else the oldest of all."""
        return next(iter(self._unknown or self._known), None)

    def remove(self, connection: Connection, key: str) -> None:
        """Forget a connection that logged in or ended; a repeat changes nothing."""
        self._unknown.pop(connection, None)
        self._known.pop(connection, None)
        of_address = self._by_address.get(key)
        if of_address is not None:
            of_address.pop(connection, None)
            if not of_address:
                del self._by_address[key]
