"""Keeps Mosquitto's users equal to what the database says, through the loss of either."""

from __future__ import annotations

import asyncio
import time

import structlog
import tenacity

from services.broker.process import MosquittoProcess
from services.broker.users import UserSource, UsersUnavailableError
from services.core.platform.log.rate_limited import RateLimitedLog

log = structlog.get_logger()

# A notification wakes at once; the poll is for those that got lost. Taken-away access must be gone within 5 s.
_POLL_S = 2.0
_RETRY_S = 0.2
_IN_STEP_S = 10.0


class UserSync:
    """Follows a UserSource and hands every state of it to Mosquitto; ``run`` goes on until it is cancelled."""

    def __init__(self, broker: MosquittoProcess, source: UserSource) -> None:
        self._broker = broker
        self._source = source
        self._limited_log = RateLimitedLog()
        self._installed: dict[str, str] = {}
        self._in_step_at_s: float | None = None
        self.source_problem: str | None = "not asked yet"
        # Set once Mosquitto has had the source's users.
        self.users_known = asyncio.Event()

    async def run(self) -> None:
        """Follow the source; while it does not answer Mosquitto keeps its last users."""
        while True:
            async for attempt in tenacity.AsyncRetrying(
                retry=tenacity.retry_if_exception_type(UsersUnavailableError),
                wait=tenacity.wait_exponential_jitter(multiplier=0.2, max=10, jitter=0.5),
                before_sleep=self._note_loss,
            ):
                with attempt:
                    await self._follow()

    async def in_step(self) -> str | None:
        """Return None while Mosquitto's users were the database's within the last ten seconds, else why not."""
        if self._in_step_at_s is None:
            return "never yet"
        age_s = time.monotonic() - self._in_step_at_s
        return None if age_s < _IN_STEP_S else f"last in step {age_s:.0f} s ago"

    async def sync_once(self) -> None:
        """Install the source's users once; raises UsersUnavailableError, or another BrokerError from Mosquitto."""
        logins = await self._source.logins()
        self.source_problem = None
        await self._broker.verify_files()
        changed = await self._broker.set_logins(logins)
        before, now = self._installed, {login.username: login.password_hash for login in logins}
        fresh = now.keys() - before.keys()
        if fresh:
            await self._source.installed(fresh)
        # Whoever is gone or has another password was cut off by now, and its will was not sent.
        kicked = {name for name, password_hash in before.items() if now.get(name) != password_hash}
        if kicked:
            await self._source.kicked(kicked)
        self._installed = now
        self._in_step_at_s = time.monotonic()
        self.users_known.set()
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
                        self._limited_log.warning(
                            "broker_users_not_replaced", reason=getattr(error, "code", type(error).__name__)
                        )
                        wait_s = _RETRY_S
                    answered = True
                    await changes.wait(wait_s)
        except UsersUnavailableError:
            if not answered:
                raise
            self._note_loss(None)

    def _note_loss(self, _state: tenacity.RetryCallState | None) -> None:
        if self.source_problem is None:
            log.warning("broker_users_unknown")
        self.source_problem = "the database does not answer"
