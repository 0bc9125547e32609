"""A family that agreed to measurement, and things that happen to it on the test's clock."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from sqlmodel import col, select

from services.core.devices.watches.queries import standing_identity
from services.core.devices.watches.tables import Watch
from services.core.measurement.counting.actions import count_some
from services.core.measurement.reports.actions import WatchReport, receive_reports
from services.core.measurement.tables import FamilyDay, WatchDay
from services.core.people.consents.actions import record_consent
from services.core.people.consents.rules import How, Part, Proof, consent_texts
from services.core.platform.db.database import Database
from services.core.platform.facts.actions import record_fact
from tests.support.clock import FakeClock
from tests.support.world import Home, Worn, make_home, wear


@dataclass
class Household:
    """A family with a watch in use, and the ways in which it is heard of."""

    database: Database
    clock: FakeClock
    home: Home
    worn: Worn
    watch_id: uuid.UUID
    reports: list[str] = field(default_factory=list)

    async def agree(self) -> None:
        """The primary guardian agrees to measurement now."""
        text = consent_texts()[Part.MEASUREMENT, "en"]
        async with self.database.begin() as work:
            await record_consent(
                work, self.home.guardian_id, self.home.family_id, part=Part.MEASUREMENT,
                text_version=text.text_version, locale="en", proof=Proof(How.APP), notice_version=None,
            )  # fmt: skip

    async def note(self, kind: str, *, ref: uuid.UUID | None = None, at: datetime | None = None) -> uuid.UUID:
        """Something happens to a message (a new one unless ``ref`` is given); ``at`` is the watch's own time."""
        ref = ref or uuid.uuid4()
        async with self.database.begin() as work:
            record_fact(
                work, kind, watch_id=self.watch_id, child_id=self.home.child_id, family_id=self.home.family_id,
                ref_id=ref, happened_at=at, voice_ms=4_400 if kind.endswith("stored") else None,
            )  # fmt: skip
        return ref

    async def report(self, ref: str, from_tst: int, to_tst: int, **counters: int) -> str:
        """The watch reports a period; returns the code it is answered with."""
        async with self.database.begin() as work:
            identity = await standing_identity(work, self.worn.username, lock=True)
            assert identity is not None
            digest = hashlib.sha256(f"{from_tst}/{to_tst}/{sorted(counters.items())}".encode()).hexdigest()
            report = WatchReport(ref, digest, from_tst, to_tst, counters=counters)
            return (await receive_reports(work, identity, [report]))[0].code

    async def days(self) -> list[FamilyDay]:
        async with self.database.begin() as work:
            days = await work.session.exec(
                select(FamilyDay).where(FamilyDay.family_id == self.home.family_id).order_by(col(FamilyDay.day))
            )
            return list(days)

    async def watch_days(self) -> list[WatchDay]:
        async with self.database.begin() as work:
            days = await work.session.exec(
                select(WatchDay).where(WatchDay.family_id == self.home.family_id).order_by(col(WatchDay.day))
            )
            return list(days)


async def count_all(database: Database) -> None:
    """Count until nothing waits."""
    counted = True
    while counted:
        async with database.begin() as work:
            counted = await count_some(work)


async def settle(database: Database, clock: FakeClock) -> Household:
    """Make a family in Shanghai whose watch is paired."""
    home = await make_home(database)
    worn = await wear(database, home)
    async with database.begin() as work:
        watch = (await work.session.exec(select(Watch).where(Watch.serial == home.serial))).one()
    return Household(database, clock, home, worn, watch.watch_id)


@pytest.fixture
async def household(database: Database, clock: FakeClock) -> Household:
    """A family that has agreed to measurement, at eight in the morning UTC, however late it is in the tests before."""
    clock.now = (clock.now + timedelta(days=1)).replace(hour=8, minute=0, second=0, microsecond=0)
    made = await settle(database, clock)
    await made.agree()
    return made
