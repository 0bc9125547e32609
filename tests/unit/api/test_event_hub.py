"""What the hub of event streams counts."""

from __future__ import annotations

import uuid
from typing import cast

from services.api.stream import EventHub
from services.core.platform.db.database import Database


async def test_a_stream_is_counted_once_however_many_families_it_follows() -> None:
    # Waiting asks the database nothing.
    hub = EventHub(cast("Database", None))
    families = [uuid.uuid4(), uuid.uuid4()]
    async with hub.waker(families, uuid.uuid4(), uuid.uuid4()):
        assert hub.open_streams == 1
        async with hub.waker(families[:1], uuid.uuid4(), uuid.uuid4()):
            assert hub.open_streams == 2
    assert hub.open_streams == 0
