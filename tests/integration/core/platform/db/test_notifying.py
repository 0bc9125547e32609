"""Notifications are sent after the commit, equal ones once, and a lost connection is replaced."""

from __future__ import annotations

import pytest

from services.core.platform.db.database import Database
from services.core.platform.db.notifications import Notifications
from services.core.platform.errors import CoreError

WITHIN_S = 60.0


async def _payloads(notifications: Notifications, last: str) -> list[str]:
    """Return what arrives up to this payload."""
    payloads: list[str] = []
    while not payloads or payloads[-1] != last:
        notification = await notifications.next(WITHIN_S)
        assert notification is not None
        payloads.append(notification.payload)
    return payloads


async def _notify_and_fail(database: Database) -> None:
    async with database.begin() as work:
        work.notify("bell", "rolled back")
        raise CoreError


async def test_listeners_are_woken_after_the_commit_and_not_by_a_rollback(database: Database) -> None:
    async with database.listen("bell") as notifications:
        with pytest.raises(CoreError):
            await _notify_and_fail(database)
        async with database.begin() as work:
            work.notify("bell", "one", "two", "one")
            work.notify("bell", "two")
        async with database.begin() as work:
            work.notify("bell", "last")
        assert await _payloads(notifications, "last") == ["one", "two", "last"]


async def test_a_lost_connection_is_replaced_before_the_next_notification(database: Database) -> None:
    async with database.listen("bell") as notifications:
        async with database.begin() as work:
            work.notify("bell", "before")
        assert await _payloads(notifications, "before") == ["before"]
        async with database.begin() as work:
            ended = await work.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND query LIKE 'SELECT pg_notify(channel%'"
            )
        assert [row[0] for row in ended] == [True]
        async with database.begin() as work:
            work.notify("bell", "after")
        assert await _payloads(notifications, "after") == ["after"]
