"""Many watches at once, made with as few statements as possible: a bench measures the store, not its set-up."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from services.core.devices.watches.tables import WatchIdentity, WatchPresence, WatchSettings
from services.core.people.accounts.actions import create_guardian
from services.core.people.consents.tables import Consent
from services.core.people.households.tables import Child, Family, Membership
from services.core.platform.crypto.random_ids import new_digits, new_ref
from services.core.platform.db.database import Database
from tests.support.world import LONG_AGO, make_site, make_watch


@dataclass(frozen=True)
class Crowd:
    """Children who wear watches that may tell places, each in a family of its own."""

    child_ids: list[uuid.UUID]
    usernames: list[str]


async def make_crowd(database: Database, count: int) -> Crowd:
    """Make so many children whose watches may tell places."""
    crowd = Crowd([], [])
    async with database.begin() as work:
        site, _ = await make_site(work)
        guardian = await create_guardian(work, f"+86138{new_digits(8)}", "en")
        for _ in range(count):
            family = Family(family_code=new_ref(), created_at=work.now)
            watch, _ = await make_watch(work, site.site_id, None)
            work.add(family)
            await work.flush()
            child_id, username = uuid.uuid4(), f"w-{new_ref()}"
            wrapped_key = work.vault.new_wrapped_key(f"child/{child_id}")
            work.add(
                Child(
                    child_id=child_id, family_id=family.family_id, name="x", wrapped_key=wrapped_key,
                    created_at=work.now,
                ),
                Membership(
                    family_id=family.family_id, guardian_id=guardian.guardian_id, relation="mother",
                    is_primary=True, joined_at=work.now,
                ),
                Consent(
                    guardian_id=guardian.guardian_id, family_id=family.family_id, part="location", text_version="1",
                    locale="en", how="app", given_at=work.now,
                ),
            )  # fmt: skip
            await work.flush()
            work.add(
                WatchSettings(
                    child_id=child_id, timezone="Asia/Shanghai", language="en", location=True, changed_at=work.now
                ),
                WatchIdentity(
                    username=username, watch_id=watch.watch_id, child_id=child_id, family_id=family.family_id,
                    password_hash="x", issued_at=LONG_AGO, online=True, presence=WatchPresence(username=username),
                ),
            )  # fmt: skip
            crowd.child_ids.append(child_id)
            crowd.usernames.append(username)
    return crowd
