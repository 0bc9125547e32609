"""Ends the connections of watches whose access was taken away, by taking their sessions over on an external broker.

A log-in under a watch's user name and client id, with a password that only this system can make, closes the watch's
connection on whichever node it is and leaves no session behind. A broker that keeps answers about log-ins for a while
may let the watch in once more: the kick is repeated after that time.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta
from typing import Final

import structlog

from services.broker.external.kick_passwords import make_kick_password
from services.broker.passwords import BrokerLogin
from services.broker.probe import probe_login
from services.core.platform.clock import Clock
from services.core.platform.crypto.vault import Vault
from services.core.platform.log.rate_limited import RateLimitedLog
from services.core.platform.metrics.registry import counter
from services.core.platform.settings import Settings

log = structlog.get_logger()

_KICKED = counter("broker_kicks", "Take-overs of revoked watches' sessions, by result.", result=("ok", "failed"))
# After a restore of the database thousands may have lost their access.
_AT_ONCE: Final = 16
_RETRY_S: Final = 0.5
_AFTER_CACHE_S: Final = 0.3
_TICK_S: Final = 0.1
# A watch that lost its access before this was kicked by an earlier process, or its connection has ended by itself.
_LATELY: Final = timedelta(hours=1)
# A transaction may commit this much later than the time that it wrote.
_OVERLAP: Final = timedelta(minutes=1)
_PROBLEM: Final = "not every revoked watch could be disconnected yet"


class ExternalBroker:
    """What :class:`services.broker.sync.UserSync` keeps in step: users live in Postgres, so only kicks are due here.

    ``without_access`` returns the paired users who lost their access since a time: also those whom nobody saw among
    the users, because they came and went between two looks.
    """

    def __init__(
        self, settings: Settings, vault: Vault, clock: Clock,
        without_access: Callable[[datetime], Awaitable[Collection[str]]],
    ) -> None:  # fmt: skip
        self._addresses = settings.backend_addresses()
        self._tls = inner_tls(settings)
        self._cache_s = settings.broker_cache_s
        self._vault = vault
        self._clock = clock
        self._without_access = without_access
        self._logins: dict[str, str] = {}
        # Up to when access that was taken away has been seen, and by whom it was lost since then and a little earlier.
        self._seen_until = clock() - _LATELY
        self._seen: set[str] = set()
        # Users to kick, by the time from which it is due, and whether the broker's cache has been waited for.
        self._due: dict[str, tuple[float, bool]] = {}
        # Those who are being kicked at this moment, which takes longer than the next tick where a broker is slow.
        self._under_way: set[str] = set()
        self._log = RateLimitedLog()

    @property
    def problem(self) -> str | None:
        """Nothing that reading the users again could mend; see :meth:`unkicked`."""
        return None

    @property
    def unkicked(self) -> str | None:
        """Why a revoked watch may still be connected; None when none is."""
        now_s = time.monotonic()
        return _PROBLEM if any(due_s < now_s - 1 for due_s, _ in self._due.values()) else None

    async def set_logins(self, logins: Collection[BrokerLogin]) -> bool:
        """Kick everybody who was among the users and is not any more, or has another password."""
        now = {login.username: login.password_hash for login in logins}
        before, self._logins = self._logins, now
        gone = {name for name, password_hash in before.items() if now.get(name) != password_hash}
        at = self._clock()
        lost = set(await self._without_access(self._seen_until - _OVERLAP)) - now.keys()
        gone |= lost - self._seen
        self._seen, self._seen_until = lost, at
        self._due |= dict.fromkeys(gone, (time.monotonic(), self._cache_s == 0))
        await self.kick_due()
        return before != now

    async def verify_files(self) -> None:
        """Nothing is kept here that could change by itself."""

    async def run(self) -> None:
        """Repeat kicks that failed, and each one after the time of the broker's cache; until cancelled."""
        while True:
            await asyncio.sleep(_TICK_S)
            await self.kick_due()

    async def kick_due(self) -> None:
        """Kick everybody whose time has come."""
        now_s = time.monotonic()
        due = [name for name, (due_s, _) in self._due.items() if due_s <= now_s]
        for start in range(0, len(due), _AT_ONCE):
            await asyncio.gather(*(self._kick(name) for name in due[start : start + _AT_ONCE]))

    async def _kick(self, username: str) -> None:
        was_due = self._due.get(username)
        if was_due is None or username in self._under_way:
            return
        self._under_way.add(username)
        try:
            is_kicked = await self._take_over(username)
        finally:
            self._under_way.discard(username)
        _KICKED.count(result="ok" if is_kicked else "failed")
        if self._due.get(username) != was_due:
            # Access was taken away once more meanwhile: that is another kick.
            return
        if not is_kicked:
            self._due[username] = (time.monotonic() + _RETRY_S, was_due[1])
            self._log.warning("broker_kick_failed", reason="no broker let the backend in for it")
        elif was_due[1]:
            del self._due[username]
        else:
            self._due[username] = (time.monotonic() + self._cache_s + _AFTER_CACHE_S, True)

    async def _take_over(self, username: str) -> bool:
        for host, port in self._addresses:
            password = make_kick_password(self._vault, username, self._clock())
            if await probe_login(host, port, username, password, tls=self._tls or False) == 0:
                log.info("broker_session_taken_over")
                return True
        return False


def inner_tls(settings: Settings) -> ssl.SSLContext | None:
    """Return how to speak with the external brokers' inner listeners; None: without TLS. OSError: no such file."""
    return ssl.create_default_context(cafile=settings.broker_ca_file) if settings.broker_ca_file else None
