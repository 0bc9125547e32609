"""Where the broker's users come from: an interface, and Postgres behind it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection
from typing import Protocol

import asyncpg
import sqlalchemy.exc

from services.broker.errors import BrokerError
from services.broker.passwords import BrokerLogin
from services.core.devices.presence.actions import record_disconnected
from services.core.devices.watches.queries import broker_logins
from services.core.pairing.actions import mark_installed
from services.core.platform.db.database import Database, DatabaseLostError, Notifications

CHANNEL = "broker_users"
_ANSWER_DEADLINE_S = 5.0
_PORTION = 1_000


class UsersUnavailableError(BrokerError):
    """The database does not answer; who may log in is not known at the moment."""

    code = "users_unknown"


class Changes(Protocol):
    """Wakes when users changed."""

    async def wait(self, timeout_s: float) -> None:
        """Return at a change, or after ``timeout_s``; UsersUnavailableError when changes can no longer be heard."""


class UserSource(Protocol):
    """Who may log in to the broker. Every method raises UsersUnavailableError while that cannot be told."""

    async def logins(self) -> list[BrokerLogin]:
        """Return every watch's user."""

    async def installed(self, usernames: Collection[str]) -> None:
        """Take note that these users can log in from now on; a repeat changes nothing."""

    async def kicked(self, usernames: Collection[str]) -> None:
        """Take note that these users' connections were closed; a repeat changes nothing."""

    def changes(self) -> contextlib.AbstractAsyncContextManager[Changes]:
        """Listen for changes until the block ends."""


class PostgresUsers:
    """The users as Postgres has them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def logins(self) -> list[BrokerLogin]:
        """Return every factory and paired identity that may log in."""
        async with _answering(), self._database.begin() as work:
            return [BrokerLogin(user.username, user.password_hash) for user in await broker_logins(work)]

    async def installed(self, usernames: Collection[str]) -> None:
        """Let their credentials be told to the watches; factory identities have nothing to be told."""
        paired = sorted(name for name in usernames if name.startswith("w-"))
        # In portions: a statement takes 32,767 parameters at most, and short transactions hold up no pairing.
        for start in range(0, len(paired), _PORTION):
            async with _answering(), self._database.begin() as work:
                await mark_installed(work, paired[start : start + _PORTION])

    async def kicked(self, usernames: Collection[str]) -> None:
        """Have those whose pairing stands count as offline at once: a kicked client's will is not sent."""
        paired = sorted(name for name in usernames if name.startswith("w-"))
        for start in range(0, len(paired), _PORTION):
            async with _answering(), self._database.begin() as work:
                await record_disconnected(work, paired[start : start + _PORTION])

    @contextlib.asynccontextmanager
    async def changes(self) -> AsyncIterator[Changes]:
        """Listen on the channel that every change of users notifies."""
        async with contextlib.AsyncExitStack() as stack:
            async with _answering():
                notifications = await stack.enter_async_context(self._database.listen(CHANNEL))
            yield _Listened(notifications)


class _Listened:
    def __init__(self, notifications: Notifications) -> None:
        self._notifications = notifications

    async def wait(self, timeout_s: float) -> None:
        try:
            await self._notifications.next(timeout_s)
            self._notifications.drain()  # a burst of changes is one new file
        except DatabaseLostError as error:
            raise UsersUnavailableError("the listening connection was lost") from error


@contextlib.asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    """Turn every way a database can fail to answer into UsersUnavailableError; a silent one after five seconds."""
    try:
        async with asyncio.timeout(_ANSWER_DEADLINE_S):
            yield
    except (
        OSError,
        TimeoutError,
        sqlalchemy.exc.SQLAlchemyError,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
    ) as error:
        raise UsersUnavailableError(type(error).__name__) from error
