"""Publish the replies of handlers."""

from __future__ import annotations

from collections.abc import Sequence

from services.mqtt_bridge.connection import Connection
from services.watch_link.replies import Reply


async def publish_all(connection: Connection, replies: Sequence[Reply]) -> None:
    """Publish messages in their order; return once the broker has acknowledged them. Raises BrokerLostError."""
    await connection.publish_all([(reply.topic, reply.payload) for reply in replies])
