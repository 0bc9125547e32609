"""Each recording says until when it is kept, and ten days before it goes all can be kept in one request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx

from services.core.conversation.messages.retention import purge_one_old_voice
from services.core.platform.db.database import Database
from tests.support.clock import FakeClock
from tests.support.http import Parent, fill_buckets, make_family
from tests.support.sounds import encoded

VOICE = encoded("amr-nb", 0.5)


async def _until(parents: Sequence[Parent], clock: FakeClock, at: datetime) -> None:
    """Let time pass; each guardian opens the app now and then, so that the phone stays known."""
    while clock.now < at:
        before = clock.now
        clock.now = min(at, clock.now + timedelta(days=20))
        for parent in parents if clock.now - before > timedelta(minutes=1) else ():
            await fill_buckets(parent.database)
            await parent.log_in()


async def _voice(parent: Parent, message_id: str) -> dict[str, Any]:
    page = await parent.told("GET", f"{parent.child}/messages")
    return next(message["voice"] for message in page["messages"] if message["message_id"] == message_id)


async def _on_the_card(parent: Parent) -> dict[str, Any] | None:
    (child,) = (await parent.told("GET", "/v1/home"))["children"]
    ending: dict[str, Any] | None = child["ending_recordings"]
    return ending


async def _purge(database: Database) -> None:
    purged = True
    while purged:
        async with database.begin() as work:
            purged = await purge_one_old_voice(work)


async def test_ten_days_before_recordings_go_all_of_ones_own_are_kept_in_one_request(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    mother = await make_family(client, database)
    aunt = await mother.invite()
    began_at = clock.now
    first, second = [(await mother.speak(VOICE))["message_id"] for _ in range(2)]
    hers = (await aunt.speak(VOICE))["message_id"]
    await _until((mother, aunt), clock, began_at + timedelta(days=1))
    later = (await mother.speak(VOICE))["message_id"]
    ends_at = (began_at + timedelta(days=90)).isoformat().replace("+00:00", "Z")
    assert ((await _voice(mother, first))["kept"], (await _voice(mother, first))["kept_until"]) == (False, ends_at)

    path = f"{mother.child}/voice-messages"
    await _until((mother, aunt), clock, began_at + timedelta(days=80, seconds=-1))
    assert await mother.told("GET", f"{path}/ending") == {"count": 0, "first_ends_at": None}
    assert await _on_the_card(mother) is None
    await _until((mother, aunt), clock, began_at + timedelta(days=80))
    assert await mother.told("GET", f"{path}/ending") == {"count": 2, "first_ends_at": ends_at}
    assert await _on_the_card(mother) == {"count": 2, "first_ends_at": ends_at}
    # One that a guardian keeps already needs nothing.
    await mother.told("PUT", f"{mother.child}/messages/{first}/kept", json={"kept": True})
    assert (await mother.told("GET", f"{path}/ending"))["count"] == 1
    assert await mother.told("POST", f"{path}/keep") == {"kept": 1}
    assert await mother.told("POST", f"{path}/keep") == {"kept": 0}
    assert await _on_the_card(mother) is None
    assert (await _voice(mother, second))["kept_until"] is None

    # Another guardian's recordings, and those that end later, were not kept with them.
    await _until((mother, aunt), clock, began_at + timedelta(days=90))
    await _purge(database)
    assert [(await _voice(mother, message))["state"] for message in (first, second, later)] == ["ready"] * 3
    assert (await _voice(aunt, hers))["state"] == "gone"
    stranger = await make_family(client, database)
    assert await stranger.refused("POST", f"{path}/keep") == (404, "not_found")
