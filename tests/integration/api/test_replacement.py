"""A watch breaks and the family gets another: the history stays with the child, access moves to the new watch."""

from __future__ import annotations

import uuid

import httpx
from sqlmodel import col, select

from services.core.devices.watches.queries import broker_logins, current_identity, standing_identity
from services.core.devices.watches.tables import Watch
from services.core.office.hand_outs.withdrawal import replace_watch
from services.core.platform.audit.actions import OPERATOR
from services.core.platform.db.database import Database
from services.core.platform.inbox.tables import InboxItem
from tests.support.http import code_on, make_family, make_place, pair
from tests.support.world import make_watch


async def users(database: Database) -> set[str]:
    async with database.begin() as work:
        return {login.username for login in await broker_logins(work)}


async def waiting(database: Database, child_id: str) -> int:
    async with database.begin() as work:
        items = await work.session.exec(
            select(InboxItem).where(
                col(InboxItem.child_id) == uuid.UUID(child_id), col(InboxItem.state) == "waiting",
                col(InboxItem.kind) == "message",
            )
        )  # fmt: skip
        return len(items.all())


async def test_history_stays_with_the_child_and_access_moves_to_the_new_watch(
    client: httpx.AsyncClient, database: Database
) -> None:
    place = await make_place(database)
    parent, stranger = await make_family(client, database, place), await make_family(client, database, place)
    old = await pair(parent, place)
    first = await parent.send("good morning")
    async with database.begin() as work:
        old_watch = await work.session.get_one(Watch, old.watch_id)
        new, _ = await make_watch(work, place.site.site_id, None)

    async with database.begin() as work:
        assert await replace_watch(work, OPERATOR, old_watch.serial, new.serial, "broken")

    now = await users(database)
    assert old.username not in now
    assert f"f-{old_watch.serial}" not in now
    assert f"f-{new.serial}" in now
    async with database.begin() as work:
        assert await standing_identity(work, old.username) is None
    # Messages written in between wait for the next watch.
    second = await parent.send("are you there?")
    code = await code_on(database, new)
    # The new watch is this family's alone.
    assert (await stranger.refused("POST", f"{stranger.child}/pairing", json={"code": code}))[0] == 422
    await parent.told("POST", f"{parent.child}/pairing", json={"code": await code_on(database, new)})

    async with database.begin() as work:
        worn = await current_identity(work, uuid.UUID(parent.child_id))
        assert worn is not None
    assert worn.watch_id == new.watch_id
    assert worn.username != old.username
    assert await waiting(database, parent.child_id) == 2
    messages = (await parent.told("GET", f"{parent.child}/messages"))["messages"]
    assert {message["message_id"] for message in messages} == {first["message_id"], second["message_id"]}
