"""Watches that talk to the handlers of uplinks, and are sent what is due to them, without a broker between."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from services.core.platform.blobs.store import BlobStore
from services.core.platform.db.database import Database
from services.core.platform.outbox import actions as outbox
from services.core.platform.settings import Settings
from services.mqtt_bridge.downlink import KINDS
from services.mqtt_bridge.due import messages_of
from services.protocol.topics import Uplink, UplinkKind, parse_uplink
from services.watch_link.backend import Backend
from services.watch_link.receiving import receive, receive_batch
from services.watch_link.registry import DECLARATIONS, BatchedKind


class Talk:
    """Watches that talk to the handlers without a broker, so that a test sees each statement."""

    def __init__(self, database: Database, settings: Settings, *usernames: str) -> None:
        self.backend = Backend(database, BlobStore.of(settings), settings)
        self.usernames = usernames

    async def say(self, username: str, leaf: str, **content: object) -> list[dict[str, Any]]:
        """Send one uplink and return what is answered in JSON."""
        replies = await receive(self.backend, f"sw/v1/{username}/up/{leaf}", json.dumps(content).encode())
        return [json.loads(reply.payload) for reply in replies if not _is_chunk(reply.topic)]

    async def hello(self) -> None:
        """Let all watches say hello, and send what that brings."""
        for username in self.usernames:
            await self.say(username, "hello", tst=0, conn="n1", contacts_version=1, config_version=1, chunk_bytes=1024)
        while await self.send():
            pass

    async def send(self) -> dict[str, dict[str, Any]]:
        """Claim what is due and settle it as sent; return the announced items by user name."""
        database = self.backend.database
        async with database.begin() as work:
            rows = await outbox.claim_in_order(work, KINDS, lease=timedelta(seconds=15), rows_max=16)
            due, postponed = await messages_of(work, rows, self.backend.settings)
            await outbox.release_all(work, postponed)
        async with database.begin() as work:
            await outbox.settle_and_look(work, [row for row, _ in due], KINDS)
        announced = {
            row.target: {**json.loads(message.payload), "topic": message.topic.partition("/down/")[2]}
            for row, messages in due
            for message in messages
            if "/down/item/" in message.topic
        }
        return announced if announced or not rows else {"": {}}

    async def receipts(self, refs: Sequence[str], state: str) -> list[str]:
        """Let each watch send a receipt for its item, all of them in one batch; return the codes of the answers."""
        declared = DECLARATIONS[UplinkKind.RECEIPT]
        assert isinstance(declared, BatchedKind)
        uplinks = []
        for username, ref in zip(self.usernames, refs, strict=True):
            topic = parse_uplink(f"sw/v1/{username}/up/receipt")
            assert isinstance(topic, Uplink)
            uplinks.append((topic, json.dumps({"ref": ref, "state": state}).encode()))
        answers = await receive_batch(self.backend, declared, uplinks)
        return [json.loads(reply.payload)["code"] for (reply,) in answers]


def _is_chunk(topic: str) -> bool:
    return topic.rpartition("/")[2].isdecimal()
