"""Write a simulated programme: its families, and a year of facts and reports, counted and published as real ones are.

Marked as simulated wherever a person reads it, with phone numbers that no network has. Refused in production.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import text

from services.core.accounts.tables import Guardian
from services.core.consents.rules import How, Part, consent_texts
from services.core.consents.tables import Consent
from services.core.db.database import Database, UnitOfWork
from services.core.families.tables import Child, Enrolment, Family, Membership
from services.core.programme.tables import Cohort, Programme, Site
from services.core.settings import Environment, Settings
from services.core.usage.counting import hold_counting, rebuild
from services.core.usage.errors import SimulationExistsError, SimulationRefusedError
from services.core.usage.publishing import publish_week
from services.core.usage.rules import quarter_of, week_of
from services.core.usage.simulated_life import COUNTRIES, SimulatedFamily
from services.core.usage.tables import QuietSince
from services.core.watches.tables import Watch, WatchSettings

_SCHOOL: Final = [{"days": [1, 2, 3, 4, 5], "from": "08:00", "to": "16:00"},
                  {"days": [1, 2, 3, 4, 5, 6, 7], "from": "21:30", "to": "06:30"}]  # fmt: skip
# A password hash that no password has: a simulated watch never logs in.
_NO_PASSWORD: Final = "none"  # noqa: S105
_AGREE: Final = 0.92
_FACT: Final = ("fact_id", "kind", "watch_id", "child_id", "family_id", "ref_id", "happened_at", "received_at",
                "voice_ms", "counted")  # fmt: skip
_REPORT: Final = ("report_id", "watch_id", "family_id", "started_at", "ended_at", "received_at", "worn_s", "calls_in",
                  "call_s", "reboots", "battery_min_pct", "offline_s")  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """What to simulate; the same plan makes the same programme."""

    sites: int = 50
    families: int = 2500
    weeks: int = 52
    seed: int = 7


@dataclass(frozen=True)
class Simulated:
    """What was made."""

    programme_id: uuid.UUID
    name: str
    facts: int
    reports: int
    weeks: int


@dataclass(frozen=True)
class _Member:
    """One family as rows: whose facts they are, where, and since when."""

    family_id: uuid.UUID
    child_id: uuid.UUID
    watch_id: uuid.UUID
    country: str
    zone: ZoneInfo
    first_day: date
    agrees: bool


async def simulate(
    database: Database, settings: Settings, plan: Plan, progress: Callable[[], None] = lambda: None
) -> Simulated:
    """Simulate a programme; ``progress`` is called once for each site and each week.

    Raises SimulationRefusedError in production, SimulationExistsError when this plan was simulated before.
    """
    if settings.environment is Environment.PRODUCTION:
        raise SimulationRefusedError
    chance = random.Random(plan.seed)  # noqa: S311 - a simulation must come out the same again
    name = f"Simulated programme, seed {plan.seed}"
    async with database.begin() as work:
        if (await work.run(text("SELECT 1 FROM programme WHERE name = :name"), {"name": name})).first():
            raise SimulationExistsError
        programme = Programme(programme_id=_id(chance), name=name, created_at=work.now)
        work.add(programme)
        await work.flush()
        first_week = quarter_of(week_of(work.now.date() - timedelta(weeks=plan.weeks + 2)))
    facts = reports = 0
    for number in range(plan.sites):
        async with database.begin() as work:
            members = await _make_site(work, chance, programme, number, plan, first_week)
            for member in members:
                rows = _live(chance, member, plan.weeks * 7)
                await _copy(work, "fact", _FACT, rows[0])
                await _copy(work, "usage_report", _REPORT, rows[1])
                facts, reports = facts + len(rows[0]), reports + len(rows[1])
            await rebuild(work, [member.family_id for member in members])
        progress()
    for number in range(plan.weeks):
        async with database.begin() as work:
            await hold_counting(work, wait=True)
            await publish_week(work, programme.programme_id, first_week + timedelta(weeks=number))
        progress()
    return Simulated(programme.programme_id, name, facts, reports, plan.weeks)


async def _make_site(
    work: UnitOfWork, chance: random.Random, programme: Programme, number: int, plan: Plan, first_week: date
) -> list[_Member]:
    country, zone, locale, _ = chance.choices(COUNTRIES, [one[3] for one in COUNTRIES])[0]
    # Three sites in ten begin a quarter later.
    first_day = first_week - timedelta(days=10) + timedelta(days=91 if number % 10 >= 7 else 0)  # noqa: PLR2004
    began_at = _noon(first_day)
    site = Site(
        site_id=_id(chance), programme_id=programme.programme_id, name=f"Simulated site {number + 1:02d}",
        country=country, timezone=zone, locale=locale, created_at=began_at,
    )  # fmt: skip
    work.add(site)
    await work.flush()
    cohorts = [
        Cohort(cohort_id=_id(chance), site_id=site.site_id, name=f"Cohort {letter}", starts_on=first_day,
               created_at=began_at)
        for letter in "AB"
    ]  # fmt: skip
    work.add(*cohorts)
    await work.flush()
    share = plan.families // plan.sites + (number < plan.families % plan.sites)
    text_version = consent_texts()[Part.MEASUREMENT, "en"].text_version
    members = []
    first: list[Any] = []
    then: list[Any] = []
    for place in range(share):
        code = f"SIM{plan.seed}-{number + 1:02d}-{place + 1:03d}"
        member = _Member(_id(chance), _id(chance), _id(chance), country, ZoneInfo(zone), first_day,
                         chance.random() < _AGREE)  # fmt: skip
        guardian = Guardian(
            guardian_id=_id(chance), phone=f"+999{plan.seed % 1000:03d}{number:03d}{place:04d}", locale=locale,
            created_at=began_at,
        )  # fmt: skip
        members.append(member)
        first += [Family(family_id=member.family_id, family_code=code, created_at=began_at), guardian]
        then += [
            Child(child_id=member.child_id, family_id=member.family_id, name="Simulated", created_at=began_at,
                  wrapped_key=work.vault.new_wrapped_key(f"child/{member.child_id}")),
            Membership(family_id=member.family_id, guardian_id=guardian.guardian_id, relation="mother",
                       is_primary=True, joined_at=began_at),
            Enrolment(family_id=member.family_id, site_id=site.site_id, cohort_id=cohorts[place % 2].cohort_id,
                      guardian_phone=guardian.phone, enrolled_at=began_at),
            Watch(watch_id=member.watch_id, serial=f"SIM{plan.seed % 1000:03d}{number:03d}{place:04d}", model="sim-1",
                  site_id=site.site_id, state="handed_out", handed_out_to=member.family_id,
                  factory_password_hash=_NO_PASSWORD, registered_at=began_at),
        ]  # fmt: skip
        if member.agrees:
            then.append(
                Consent(family_id=member.family_id, guardian_id=guardian.guardian_id, part=Part.MEASUREMENT,
                        text_version=text_version, locale="en", how=How.PAPER, given_at=began_at)
            )  # fmt: skip
    work.add(*first)
    await work.flush()
    work.add(*then)
    await work.flush()
    work.add(
        *(
            WatchSettings(child_id=one.child_id, timezone=zone, language=locale, quiet=_SCHOOL, changed_at=began_at)
            for one in members
        ),
        # Known from the beginning: noticed later, all that was said since would be counted again.
        *(QuietSince(child_id=one.child_id, since_at=began_at, quiet=_SCHOOL, timezone=zone) for one in members),
    )
    await work.flush()
    return members


def _live(chance: random.Random, member: _Member, days: int) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Return the facts and reports of a family's time, as records of their tables."""
    family = SimulatedFamily(chance, member.country, member.zone, days)
    facts: list[tuple[Any, ...]] = []
    reports: list[tuple[Any, ...]] = []

    def fact(kind: str, at: datetime, ref: uuid.UUID | None = None, voice_ms: int | None = None) -> None:
        facts.append((_id(chance), kind, member.watch_id, member.child_id, member.family_id, ref, None, at, voice_ms,
                      True))  # fmt: skip

    fact("watch_handed_out", _noon(member.first_day))
    # Past the last week's end: what was said in it is followed for 7 days.
    for number in range(days + 10 + 8):
        day = member.first_day + timedelta(days=number)
        if number == family.broken_on:
            fact("watch_broken", _noon(day))
        elif number == family.returned_on:
            fact("watch_returned", _noon(day))
        happenings, daily = family.day(number, day)
        if member.agrees:
            for one in happenings:
                fact(one.kind, one.at, one.ref_id, one.voice_ms)
        if daily is not None:
            report_id = _id(chance)
            fact("usage_reported", daily.ended_at, report_id)
            measured = (daily.worn_s, daily.calls_in, daily.call_s) if member.agrees else (None, None, None)
            times = daily.started_at, daily.ended_at, daily.ended_at
            health = daily.reboots, daily.battery_min_pct, daily.offline_s
            reports.append((report_id, member.watch_id, member.family_id, *times, *measured, *health))
    return facts, reports


async def _copy(work: UnitOfWork, table: str, columns: Sequence[str], records: Sequence[tuple[Any, ...]]) -> None:
    # Millions of rows: by COPY, in the same transaction. A statement before makes sure that it has begun.
    await work.run(text("SELECT 1"))
    raw = await (await work.session.connection()).get_raw_connection()
    driver: Any = raw.driver_connection
    await driver.copy_records_to_table(table, records=records, columns=columns)


def _id(chance: random.Random) -> uuid.UUID:
    return uuid.UUID(int=chance.getrandbits(128), version=4)


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(4), UTC)
