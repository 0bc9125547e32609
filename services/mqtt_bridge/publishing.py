"""Publish the replies of handlers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from services.mqtt_bridge.connection import Connection
from services.watch_link.replies import Reply


async def publish_all(connection: Connection, replies: Sequence[Reply]) -> None:
    """Publish messages in their order, without waiting for the PUBACK of one before the next is sent.

    A window of a clip is dozens of messages; a round trip for each would be most of their time.
    """
    async with asyncio.TaskGroup() as tasks:
        for reply in replies:
            tasks.create_task(connection.publish(reply.topic, reply.payload))
