"""How a guardian is named after leaving and coming back: by the standing contact, whatever order rows are stored in."""

from __future__ import annotations

import uuid
from datetime import timedelta

from sqlmodel import select

from services.core.conversation.messages.actions import send_to_child
from services.core.conversation.messages.for_watch import lock_item
from services.core.conversation.messages.queries import message_of
from services.core.conversation.messages.rules import text_body
from services.core.devices.contacts.queries import contacts_of, guardian_names
from services.core.devices.contacts.tables import Contact
from services.core.people.households.tables import Child
from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.inbox.tables import InboxItem
from tests.support.world import Home, make_home


async def _left(work: UnitOfWork, home: Home, number: int, name: str, *, days_ago: int) -> None:
    """Store a contact that the guardian had before leaving; as the newest row of the table."""
    work.add(
        Contact(
            child_id=home.child_id, wire_id=f"g-9{number}", guardian_id=home.guardian_id, name=name, relation="mother",
            may_message=True, may_call=True, position=9, state="approved", approved_by=home.guardian_id,
            created_at=work.now - timedelta(days=days_ago + 1), removed_at=work.now - timedelta(days=days_ago),
        )
    )  # fmt: skip
    await work.flush()


async def test_the_standing_contact_names_a_guardian_who_came_back(database: Database) -> None:
    home = await make_home(database)
    async with database.begin() as work:
        await send_to_child(work, home.child_id, home.guardian_id, str(uuid.uuid4()), text_body("hi"))
    async with database.begin() as work:
        await _left(work, home, 1, "Before", days_ago=2)
    async with database.begin() as work:
        (standing,) = await contacts_of(work, home.child_id)
        assert await guardian_names(work, home.child_id) == {home.guardian_id: standing.name}
        child = await work.session.get_one(Child, home.child_id)
        (item,) = await work.session.exec(select(InboxItem).where(InboxItem.child_id == home.child_id))
        assert item.message_id is not None
        view = await message_of(work, child, home.guardian_id, item.message_id)
        assert view.sender_name == standing.name
        found = await lock_item(work, home.child_id, item.ref, {})
        assert found is not None
        assert found.message is not None
        assert found.message.sender == standing.wire_id


async def test_one_who_left_for_good_keeps_the_last_name(database: Database) -> None:
    home = await make_home(database)
    async with database.begin() as work:
        (standing,) = await contacts_of(work, home.child_id)
        standing.removed_at = work.now
        standing.name = "Last"
        work.add(standing)
        await work.flush()
        for number, days_ago in enumerate((1, 3, 2)):
            await _left(work, home, number, f"Before {days_ago}", days_ago=days_ago)
        assert await guardian_names(work, home.child_id) == {home.guardian_id: "Last"}
