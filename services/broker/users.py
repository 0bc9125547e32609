"""Where the broker's users come from and their connections are recorded: an interface, and Postgres behind it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Mapping
from datetime import timedelta
from typing import Final, Protocol

import asyncpg
import sqlalchemy.exc

from services.broker.errors import BrokerError
from services.broker.passwords import BrokerLogin
from services.core.devices.presence.actions import record_disconnected
from services.core.devices.presence.connections import (
    record_connections_ended,
    record_refused_packets,
    usernames_online,
)
from services.core.devices.watches.queries import broker_logins, broker_logins_version
from services.core.pairing.actions import mark_installed
from services.core.platform.db.database import Database
from services.core.platform.db.notifications import DatabaseLostError, Notifications

CHANNEL: Final = "broker_users"
_ANSWER_DEADLINE_S: Final = 5.0
# Identities of one transaction. Installing them takes two statements; recording them as offline locks each family.
_INSTALLED_AT_ONCE: Final = 1_000
_OFFLINE_AT_ONCE: Final = 50
# A hello this recent may belong to a connection that the broker process has not read of yet.
_HELLO_MARGIN: Final = timedelta(seconds=5)


class UsersUnavailableError(BrokerError):
    """The database does not answer; which users may log in is not known at the moment."""

    code = "users_unknown"


class Changes(Protocol):
    """Wakes when users changed."""

    async def wait(self, timeout_s: float) -> None:
        """Return at a change, or after ``timeout_s``; UsersUnavailableError when changes can no longer be received."""


class UserSource(Protocol):
    """The users of the broker. Every method raises UsersUnavailableError while the database does not answer."""

    async def version(self) -> str:
        """Return a text that changes whenever the users change; costs little, whatever their number."""

    async def logins(self) -> list[BrokerLogin]:
        """Return every watch's user."""

    async def installed(self, usernames: Collection[str]) -> None:
        """Record that these users can log in from now on; a repeat changes nothing."""

    async def kicked(self, usernames: Collection[str]) -> None:
        """Record that the broker closed these users' connections; a repeat changes nothing."""

    def changes(self) -> contextlib.AbstractAsyncContextManager[Changes]:
        """Listen for changes until the block ends."""


class PostgresUsers:
    """The users as Postgres has them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def version(self) -> str:
        """Return a text that changes with the users."""
        async with _answering(), self._database.begin() as work:
            return await broker_logins_version(work)

    async def logins(self) -> list[BrokerLogin]:
        """Return every factory and paired identity that may log in."""
        async with _answering(), self._database.begin() as work:
            return [BrokerLogin(user.username, user.password_hash) for user in await broker_logins(work)]

    async def installed(self, usernames: Collection[str]) -> None:
        """Have new paired identities sent their credentials; factory identities are sent none."""
        for portion in _portions(usernames, _INSTALLED_AT_ONCE):
            async with _answering(), self._database.begin() as work:
                await mark_installed(work, portion)

    async def kicked(self, usernames: Collection[str]) -> None:
        """Record standing pairings among them as offline: the broker sends no will for a client that it closes."""
        for portion in _portions(usernames, _OFFLINE_AT_ONCE):
            async with _answering(), self._database.begin() as work:
                await record_disconnected(work, portion)

    async def record_absent(self, connected: Collection[str]) -> None:
        """Record every watch that counts as online and is not among ``connected`` as offline."""
        at = self._database.clock() - _HELLO_MARGIN
        async with _answering(), self._database.begin() as work:
            absent = await usernames_online(work) - set(connected)
        for portion in _portions(absent, _OFFLINE_AT_ONCE):
            async with _answering(), self._database.begin() as work:
                await record_connections_ended(work, portion, at)

    async def record_refused(self, counts: Mapping[str, int]) -> None:
        """Add to the count of packets that the broker refused of each watch."""
        async with _answering(), self._database.begin() as work:
            await record_refused_packets(work, counts)

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


def _portions(usernames: Collection[str], size: int) -> list[list[str]]:
    """Split the paired identities among these: short transactions hold up no pairing and meet the deadline."""
    paired = sorted(name for name in usernames if name.startswith("w-"))
    return [paired[start : start + size] for start in range(0, len(paired), size)]


@contextlib.asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    """Turn every way in which a database can fail to answer into UsersUnavailableError; a silent one after 5 s."""
    try:
        async with asyncio.timeout(_ANSWER_DEADLINE_S):
            yield
    except (
        OSError,
        TimeoutError,
        sqlalchemy.exc.SQLAlchemyError,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
    ) as error:
        raise UsersUnavailableError(type(error).__name__) from error
