"""Lists before the family: changes of contacts and of guardians wait for each other, and never for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

from sqlalchemy import text

from services.core.devices.contacts.guardians import change_guardian, create_child, rename_guardian
from services.core.devices.contacts.queries import contact_list
from services.core.people.accounts.tables import Guardian
from services.core.people.households.queries import children_of
from services.core.people.households.rules import Rights
from services.core.people.households.tables import Child
from services.core.platform.db.database import Database
from services.core.platform.events.actions import record_event
from tests.support.world import Home, make_home


async def _somebody_waits(database: Database) -> None:
    async with asyncio.timeout(60):
        while True:
            async with database.begin() as work:
                waiting = await work.session.exec(
                    text("SELECT count(*) FROM pg_locks WHERE NOT granted")  # type: ignore[call-overload]
                )
                if waiting.one()[0]:
                    return


async def _other_child_last(database: Database, home: Home) -> Child:
    """Add a second child; return the one whose list is taken last."""
    async with database.begin() as work:
        await create_child(work, home.family_id, home.guardian_id, "Lin", None)
        return max(await children_of(work, home.family_id), key=lambda child: child.child_id)


async def test_a_contact_is_changed_while_a_guardians_rights_change(database: Database) -> None:
    home = await make_home(database)
    last = await _other_child_last(database, home)

    async def change_relation() -> None:
        async with database.begin() as work:
            await change_guardian(
                work, home.family_id, home.guardian_id, home.guardian_id,
                rights=Rights(may_message=True, may_manage=True), relation="aunt",
            )  # fmt: skip

    await _against_a_change_of_one_list(database, home, last, change_relation())


async def test_a_contact_is_changed_while_a_guardian_is_renamed(database: Database) -> None:
    home = await make_home(database)
    last = await _other_child_last(database, home)

    async def rename() -> None:
        async with database.begin() as work:
            guardian = await work.session.get_one(Guardian, home.guardian_id)
            await rename_guardian(work, guardian, display_name="Li Mei", locale=None)

    await _against_a_change_of_one_list(database, home, last, rename())


async def _against_a_change_of_one_list(
    database: Database, home: Home, last: Child, other: Coroutine[None, None, None]
) -> None:
    async with database.begin() as work:
        await contact_list(work, last.child_id, lock=True)
        changing = asyncio.ensure_future(other)
        await _somebody_waits(database)
        # The last statement of every change of a list.
        await record_event(work, home.family_id, "contacts.changed", child_id=last.child_id)
    await changing
