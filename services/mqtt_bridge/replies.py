"""What a handler answers: a message on one of the watch's own down topics."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from services.mqtt_bridge.connection import Connection
from services.protocol.codec import encode
from services.protocol.downlink import Receipt
from services.protocol.fields import WireMessage
from services.protocol.topics import DownlinkKind, User, downlink
from services.protocol.words import ReceiptCode


@dataclass(frozen=True)
class Reply:
    """A frame for one watch."""

    topic: str
    payload: bytes


async def publish_all(connection: Connection, replies: Sequence[Reply]) -> None:
    """Publish frames in their order, without waiting for the broker's answer to one before the next is sent.

    A window of a clip is dozens of frames; one round trip each would be most of its way.
    """
    async with asyncio.TaskGroup() as tasks:
        for one in replies:
            tasks.create_task(connection.publish(one.topic, one.payload))


def reply(user: User, kind: DownlinkKind, message: WireMessage, ref: str | None = None) -> Reply:
    """Return ``message`` as a frame on the user's topic of this kind."""
    return Reply(downlink(user, kind, ref), encode(message))


def receipt(user: User, message: Receipt) -> Reply:
    """Return a receipt as a frame."""
    return reply(user, DownlinkKind.RECEIPT, message)


def retry_receipt(ref: str | None, retry_after_s: int, topic: str | None = None) -> Receipt:
    """Return the receipt that keeps a thing with the watch and has it come again."""
    return Receipt(code=ReceiptCode.RETRY, ref=ref, topic=topic if ref is None else None, retry_after_s=retry_after_s)
