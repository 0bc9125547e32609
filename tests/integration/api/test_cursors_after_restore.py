"""A cursor from before a restore names events that the database never held: the app is told to read anew."""

from __future__ import annotations

from datetime import timedelta

import httpx
from sqlalchemy import delete, update
from sqlmodel import col

from services.core.people.households.tables import Family
from services.core.platform.db.database import Database
from services.core.platform.events.tables import Event
from tests.integration.api.conftest import Live
from tests.support.http import Parent, make_family


async def _go_back(parent: Parent, events: int) -> None:
    """Take the family's newest events back, as a backup from before them does."""
    async with parent.database.begin() as work:
        family = await work.session.get_one(Family, parent.family_id)
        kept = family.event_seq - events
        await work.run(delete(Event).where(col(Event.family_id) == family.family_id, col(Event.seq) > kept))
        await work.run(update(Family).where(col(Family.family_id) == family.family_id).values(event_seq=kept))


async def test_sync_with_a_cursor_newer_than_the_database_is_told_to_reset(
    client: httpx.AsyncClient, database: Database
) -> None:
    parent = await make_family(client, database)
    for number in range(4):
        await parent.send(f"number {number}")
    first = await parent.told("GET", "/v1/sync")
    assert first["reset"] == []
    await _go_back(parent, 2)
    synced = await parent.told("GET", "/v1/sync", params={"since": first["cursor"]})
    assert (synced["reset"], synced["events"], synced["more"]) == ([str(parent.family_id)], [], False)
    # Told once: the new cursor is one of this database.
    again = await parent.told("GET", "/v1/sync", params={"since": synced["cursor"]})
    assert (again["reset"], again["events"]) == ([], [])
    await parent.send("after")
    assert len((await parent.told("GET", "/v1/sync", params={"since": synced["cursor"]}))["events"]) > 0


async def test_numbers_that_were_given_out_again_do_not_hide_the_restore(
    client: httpx.AsyncClient, database: Database
) -> None:
    parent, other = await make_family(client, database), await make_family(client, database)
    await parent.send("before")
    cursor = (await parent.told("GET", "/v1/sync"))["cursor"]
    unmoved = (await other.told("GET", "/v1/sync"))["cursor"]
    await _go_back(parent, 1)
    async with database.begin() as work:
        family = await work.session.get_one(Family, parent.family_id)
        for _ in range(3):
            family.event_seq += 1
            work.add(
                Event(
                    family_id=family.family_id, seq=family.event_seq, kind="contacts.changed",
                    created_at=work.now + timedelta(seconds=family.event_seq),
                )
            )  # fmt: skip
        work.add(family)
    synced = await parent.told("GET", "/v1/sync", params={"since": cursor})
    assert synced["reset"] == [str(parent.family_id)]
    assert (await other.told("GET", "/v1/sync", params={"since": unmoved}))["reset"] == []


async def test_a_stream_is_told_to_reset_after_its_first_word(
    live: Live, client: httpx.AsyncClient, database: Database
) -> None:
    parent = await make_family(client, database)
    for number in range(3):
        await parent.send(f"number {number}")
    cursor = (await parent.told("GET", "/v1/sync"))["cursor"]
    await _go_back(parent, 1)
    async with live.follow(parent, cursor) as stream:
        pushed = await stream.next()
        assert pushed is not None
        assert (pushed.kind, pushed.body) == ("reset", {"families": [str(parent.family_id)]})
        last_id = pushed.id
    async with live.follow(parent, last_id) as stream:
        await parent.send("after")
        kinds = {event.kind for event in await stream.until("message.created")}
        assert "reset" not in kinds
