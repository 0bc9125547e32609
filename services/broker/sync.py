"""Keeps a broker's users equal to the database's, through the loss of either."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from typing import Final, Protocol

import structlog
import tenacity

from services.broker.passwords import BrokerLogin
from services.broker.users import UserSource, UsersUnavailableError
from services.core.platform.log.rate_limited import RateLimitedLog

log = structlog.get_logger()

# A notification wakes at once; the poll makes up for a lost one. Access that is taken away must be gone within 5 s.
_POLL_S: Final = 2.0
_RETRY_S: Final = 0.2
_IN_STEP_S: Final = 10.0
_NO_ANSWER: Final = "the database does not answer"


class Broker(Protocol):
    """The broker whose users are kept in step: Mosquitto, or external brokers that ask our endpoint."""

    @property
    def problem(self) -> str | None:
        """Why the newest users may not be in force; None when they are."""

    async def set_logins(self, logins: Collection[BrokerLogin]) -> bool:
        """Replace the watches' users, disconnect removed and changed ones; return whether anything changed."""

    async def verify_files(self) -> None:
        """Verify, every few seconds, what may have changed by itself."""


class UserSync:
    """Follows a UserSource and installs every state of it in a broker; ``run`` goes on until it is cancelled."""

    def __init__(self, broker: Broker, source: UserSource) -> None:
        self._broker = broker
        self._source = source
        self._limited_log = RateLimitedLog()
        self._installed: dict[str, str] = {}
        self._version: str | None = None
        self._in_step_at_s: float | None = None
        # None while the source answers, else why not: for the health page.
        self.source_problem: str | None = "not asked yet"
        # Set once Mosquitto has had the source's users.
        self.users_known = asyncio.Event()

    async def run(self) -> None:
        """Follow the source; while it does not answer, Mosquitto keeps its last users."""
        while True:
            # Not run_with_retries: only a source that does not answer is retried; any other error is a defect and is
            # raised, so that Mosquitto is not left with old users in silence.
            async for attempt in tenacity.AsyncRetrying(
                retry=tenacity.retry_if_exception_type(UsersUnavailableError),
                wait=tenacity.wait_exponential_jitter(multiplier=0.2, max=10, jitter=0.5),
                before_sleep=self._note_loss,
            ):
                with attempt:
                    await self._follow()

    async def in_step(self) -> str | None:
        """Return None while Mosquitto's users were the source's within the last ten seconds, else why not."""
        if self._in_step_at_s is None:
            return "never yet"
        age_s = time.monotonic() - self._in_step_at_s
        return None if age_s < _IN_STEP_S else f"last in step {age_s:.0f} s ago"

    async def sync_once(self) -> None:
        """Install the source's users, which are read only when their version changed or Mosquitto lacks them.

        Raises UsersUnavailableError, or another BrokerError when Mosquitto does not show that they are in force.
        """
        # Before the users: a change in between is read now, and once more at the next version.
        version = await self._source.version()
        self.source_problem = None
        await self._broker.verify_files()
        if version != self._version or self._broker.problem is not None:
            await self._install()
            self._version = version
        self._in_step_at_s = time.monotonic()
        self.users_known.set()

    async def _install(self) -> None:
        logins = await self._source.logins()
        changed = await self._broker.set_logins(logins)
        before, now = self._installed, {login.username: login.password_hash for login in logins}
        fresh = now.keys() - before.keys()
        if fresh:
            await self._source.installed(fresh)
        # Removed users and those with another password are disconnected by now, and their wills were not sent.
        kicked = {name for name, password_hash in before.items() if now.get(name) != password_hash}
        if kicked:
            await self._source.kicked(kicked)
        self._installed = now
        if changed:
            log.info("broker_users_replaced", count=len(now))

    async def _follow(self) -> None:
        """Follow until the source is lost: raised before the first answer (then wait longer), returned after it."""
        answered = False
        try:
            async with self._source.changes() as changes:
                while True:
                    wait_s = _POLL_S
                    try:
                        await self.sync_once()
                    except UsersUnavailableError:
                        raise
                    except Exception as error:  # noqa: BLE001 - nothing here may stop a Mosquitto that serves others
                        reason = getattr(error, "code", type(error).__name__)
                        self._limited_log.warning("broker_users_not_replaced", reason=reason)
                        wait_s = _RETRY_S
                    answered = True
                    await changes.wait(wait_s)
        except UsersUnavailableError:
            if not answered:
                raise
            self._note_loss(None)

    def _note_loss(self, _state: tenacity.RetryCallState | None) -> None:
        # Once for each loss, and for a start without the source.
        if self.source_problem != _NO_ANSWER:
            log.warning("broker_users_unknown")
        self.source_problem = _NO_ANSWER
