"""Publish the replies of handlers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from services.mqtt_bridge.connection import Connection
from services.watch_link.replies import Reply


async def publish_all(connection: Connection, replies: Sequence[Reply]) -> None:
    """Publish frames in their order, without waiting for the broker's answer to one before the next is sent.

    A window of a clip is dozens of frames; one round trip each would be most of its way.
    """
    async with asyncio.TaskGroup() as tasks:
        for one in replies:
            tasks.create_task(connection.publish(one.topic, one.payload))
