"""Much waits for one watch: all of it arrives once, in order, across connections; what does not fit is refused."""

from __future__ import annotations

import uuid

import pytest

from services.core.conversation.messages.actions import send_to_child
from services.core.conversation.messages.errors import InboxFullError
from services.core.conversation.messages.queries import PAGE_MAX_MESSAGES, conversation
from services.core.conversation.messages.rules import text_body
from services.core.people.households.tables import Child
from services.core.platform.inbox.rules import WAITING_MAX_ITEMS
from tests.support.clock import FakeClock
from tests.support.watch import HandWatch, Stand
from tests.support.world import Home


async def _send(stand: Stand, home: Home, words: list[str]) -> None:
    for word in words:
        async with stand.database.begin() as work:
            await send_to_child(work, home.child_id, home.guardian_id, str(uuid.uuid4()), text_body(word))


async def _receive(watch: HandWatch, clock: FakeClock, count: int) -> list[str]:
    """Acknowledge so many items, each before the next one comes, and return their texts.

    An item that comes again before its receipt was read is answered again and counts once, as on a watch.
    """
    await watch.hello(conn=uuid.uuid4().hex[:8])
    texts: dict[str, str] = {}
    while len(texts) < count:
        # Uplinks have a rate.
        clock.advance(seconds=2)
        item = await watch.hears("item")
        texts[item["topic"]] = item["text"]
        await watch.say("receipt", {"ref": item["topic"].split("/")[1], "state": "delivered"})
        assert (await watch.hears("receipt"))["code"] == "stored"
    return list(texts.values())


async def _deliver(stand: Stand, clock: FakeClock, count: int, share: int) -> None:
    """Have ``count`` items wait in loads of what an inbox holds, and receive ``share`` of them a connection."""
    home, worn = await stand.home()
    received: list[str] = []
    for first in range(0, count, WAITING_MAX_ITEMS):
        words = [f"number {number}" for number in range(first, min(count, first + WAITING_MAX_ITEMS))]
        await _send(stand, home, words)
        if len(words) == WAITING_MAX_ITEMS:
            with pytest.raises(InboxFullError):
                await _send(stand, home, ["one too many"])
        left = len(words)
        while left:
            # Another bridge and another connection for each share.
            async with stand.bridge(), stand.watch(worn.username, worn.password) as watch:
                received += await _receive(watch, clock, min(share, left))
            left -= min(share, left)
    assert received == [f"number {number}" for number in range(count)]
    async with stand.database.begin() as work:
        child = await work.session.get_one(Child, home.child_id)
        views = await conversation(work, child, home.guardian_id, limit=PAGE_MAX_MESSAGES)
    assert {view.recipients[0].state for view in views} == {"delivered"}


async def test_a_hundred_items_arrive_in_order_over_three_connections(stand: Stand, clock: FakeClock) -> None:
    await _deliver(stand, clock, 100, 40)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_a_thousand_items_arrive_in_order_and_what_does_not_fit_is_refused(
    stand: Stand, clock: FakeClock
) -> None:
    await _deliver(stand, clock, 1_000, 170)
