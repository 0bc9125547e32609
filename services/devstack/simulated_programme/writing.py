"""Write a simulated programme: families, and a year of facts and reports, recorded, counted and published by the same
functions as real ones, in batches.

It is marked as simulated wherever users read its name, and its phone numbers are unassigned. Refused in production.
"""

from __future__ import annotations

import random
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import text, update
from sqlmodel import col

from services.core.devices.watches.tables import Watch, WatchIdentity, WatchPresence, WatchSettings
from services.core.measurement.counting.actions import hold_counting, hold_off_the_worker, rebuild
from services.core.measurement.counting.purging import purge_one_unmeasured
from services.core.measurement.errors import SimulationExistsError, SimulationRefusedError
from services.core.measurement.indicators.rules import quarter_of, week_of
from services.core.measurement.publishing.actions import publish_week
from services.core.measurement.reports.actions import WatchReport, receive_past_reports
from services.core.measurement.tables import QuietSince
from services.core.people.accounts.tables import Guardian
from services.core.people.consents.rules import How, Part, consent_texts
from services.core.people.consents.tables import Consent
from services.core.people.households.tables import Child, Enrolment, Family, Membership
from services.core.people.programme.tables import Cohort, Programme, Site
from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.facts.actions import PastFact, record_past_facts
from services.core.platform.settings import Environment, Settings
from services.devstack.simulated_programme.life import COUNTRIES, Daily, Happening, SimulatedFamily

_SCHOOL: Final = [{"days": [1, 2, 3, 4, 5], "from": "08:00", "to": "16:00"},
                  {"days": [1, 2, 3, 4, 5, 6, 7], "from": "21:30", "to": "06:30"}]  # fmt: skip
# No password matches this hash: a simulated watch never logs in.
_NO_PASSWORD: Final = "none"  # noqa: S105
# Days simulated before the first week and after the last one, for facts that follow up on a message.
_BESIDES: Final = 10 + 8
_AGREE: Final = 0.92
# Cohorts have between so many families. A few families join after the first week, and a few withdraw their consent to
# measurement: in any week, as real ones do, and not at the end of a quarter.
_COHORT: Final = (6, 30)
_JOINS_LATER: Final = 0.04
_WITHDRAWS: Final = 0.03


@dataclass(frozen=True)
class Plan:
    """Parameters of a simulation; the same plan produces the same programme."""

    sites: int = 50
    families: int = 2500
    weeks: int = 52
    seed: int = 7


@dataclass(frozen=True)
class Simulated:
    """The generated programme, and the numbers of its rows."""

    programme_id: uuid.UUID
    name: str
    facts: int
    reports: int
    weeks: int


@dataclass(frozen=True)
class _Member:
    """One family's ids, site and first day."""

    family_id: uuid.UUID
    child_id: uuid.UUID
    watch_id: uuid.UUID
    country: str
    zone: ZoneInfo
    first_day: date
    cohort_id: uuid.UUID
    agrees: bool
    # The week of the programme before whose publishing it withdraws its consent.
    withdraws: int | None

    @property
    def identity(self) -> WatchIdentity:
        """The identity of its watch; it is not stored, so that the broker has no user for a simulated watch."""
        username = f"w-{self.watch_id.hex[:12]}"
        return WatchIdentity(
            username=username, watch_id=self.watch_id, child_id=self.child_id, family_id=self.family_id,
            password_hash=_NO_PASSWORD, issued_at=_noon(self.first_day), presence=WatchPresence(username=username),
        )  # fmt: skip


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
        programme = Programme(programme_id=_id(chance), name=name, created_at=work.now, simulated=True)
        work.add(programme)
        await work.flush()
        first_week = quarter_of(week_of(work.now.date() - timedelta(weeks=plan.weeks + 2)))
    facts = reports = 0
    withdrawn: dict[int, list[uuid.UUID]] = defaultdict(list)
    # Excludes a running worker, which would publish weeks in which most sites do not exist yet.
    async with database.begin() as lock_work:
        await hold_off_the_worker(lock_work)
        for number in range(plan.sites):
            async with database.begin() as work:
                members = await _make_site(work, chance, programme, number, plan, first_week)
                for member in members:
                    # Simulate until today: a worker goes on publishing, and no family falls silent.
                    days = max(1, (work.now.date() - member.first_day).days - _BESIDES)
                    lived = live(chance, member.identity, member.country, member.zone, days)
                    make_id = partial(_id, chance)
                    facts += await record_past_facts(work, lived.facts, will_count=True, make_id=make_id)
                    received = await receive_past_reports(
                        work, member.identity, lived.reports, will_count=True, make_id=make_id
                    )  # fmt: skip
                    facts, reports = facts + received, reports + received
                await rebuild(work, [member.family_id for member in members])
            for member in members:
                if member.withdraws is not None:
                    withdrawn[member.withdraws].append(member.family_id)
            progress()
        for number in range(plan.weeks):
            async with database.begin() as work:
                await hold_counting(work, wait=True)
                await _withdraw(work, withdrawn[number], _noon(first_week + timedelta(weeks=number)))
                await publish_week(work, programme.programme_id, first_week + timedelta(weeks=number))
            progress()
    return Simulated(programme.programme_id, name, facts, reports, plan.weeks)


async def _make_site(
    work: UnitOfWork, chance: random.Random, programme: Programme, number: int, plan: Plan, first_week: date
) -> list[_Member]:
    country, zone, locale, _ = chance.choices(COUNTRIES, [country[3] for country in COUNTRIES])[0]
    # Three sites in ten start a quarter later.
    first_day = first_week - timedelta(days=10) + timedelta(days=91 if number % 10 >= 7 else 0)  # noqa: PLR2004
    began_at = _noon(first_day)
    site = Site(
        site_id=_id(chance), programme_id=programme.programme_id, name=f"Simulated site {number + 1:02d}",
        country=country, timezone=zone, locale=locale, created_at=began_at,
    )  # fmt: skip
    work.add(site)
    await work.flush()
    share = plan.families // plan.sites + (number < plan.families % plan.sites)
    cohorts: list[Cohort] = []
    cohort_of: list[uuid.UUID] = []
    while len(cohort_of) < share:
        cohort = Cohort(cohort_id=_id(chance), site_id=site.site_id, name=f"Cohort {len(cohorts) + 1}",
                        starts_on=first_day, created_at=began_at)  # fmt: skip
        cohorts.append(cohort)
        cohort_of += [cohort.cohort_id] * chance.randint(*_COHORT)
    work.add(*cohorts)
    await work.flush()
    text_version = consent_texts()[Part.MEASUREMENT, "en"].text_version
    members = []
    first: list[Any] = []
    then: list[Any] = []
    for place in range(share):
        code = f"SIM{plan.seed}-{number + 1:02d}-{place + 1:03d}"
        member = _member(chance, country, ZoneInfo(zone), first_day, cohort_of[place], plan.weeks)
        began_at = _noon(member.first_day)
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
            Enrolment(family_id=member.family_id, site_id=site.site_id, cohort_id=member.cohort_id,
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
            WatchSettings(
                child_id=member.child_id,
                timezone=zone,
                language=locale,
                quiet=_SCHOOL,
                changed_at=_noon(member.first_day),
            )
            for member in members
        ),
        # Recorded from the first day; a later record would count all earlier messages again.
        *(
            QuietSince(child_id=member.child_id, since_at=_noon(member.first_day), quiet=_SCHOOL, timezone=zone)
            for member in members
        ),
    )
    await work.flush()
    return members


def _member(
    chance: random.Random, country: str, zone: ZoneInfo, first_day: date, cohort_id: uuid.UUID, weeks: int
) -> _Member:  # fmt: skip
    later = timedelta(weeks=chance.randrange(1, weeks)) if weeks > 1 and chance.random() < _JOINS_LATER else timedelta()
    withdraws = chance.randrange(1, weeks) if weeks > 1 and chance.random() < _WITHDRAWS else None
    return _Member(_id(chance), _id(chance), _id(chance), country, zone, first_day + later, cohort_id,
                   chance.random() < _AGREE, withdraws)  # fmt: skip


async def _withdraw(work: UnitOfWork, family_ids: Sequence[uuid.UUID], at: datetime) -> None:
    if family_ids:
        await work.run(
            update(Consent)
            .where(col(Consent.family_id).in_(family_ids), col(Consent.part) == Part.MEASUREMENT)
            .values(withdrawn_at=at)
        )
        while await purge_one_unmeasured(work):
            pass


@dataclass(frozen=True)
class Lived:
    """One family's simulated facts, and its watch's reports with their times of receipt."""

    facts: list[PastFact]
    reports: list[tuple[datetime, WatchReport]]


def live(chance: random.Random, identity: WatchIdentity, country: str, zone: ZoneInfo, days: int) -> Lived:
    """Return a family's facts and reports from its pairing on, in the order of their arrival."""
    first_day = identity.issued_at.date()
    family = SimulatedFamily(chance, country, zone, days)
    lived = Lived([], [])

    def fact(kind: str, at: datetime, happening: Happening | None = None) -> None:
        ref, happened_at, voice_ms = (
            (None,) * 3 if happening is None else (happening.ref_id, happening.happened_at, happening.voice_ms)
        )
        lived.facts.append(
            PastFact(kind, at, identity.watch_id, identity.child_id, identity.family_id, ref, happened_at, voice_ms)
        )

    fact("watch_handed_out", identity.issued_at)
    # Beyond the end of the last week, because each message is followed for 7 days.
    for number in range(days + _BESIDES):
        day = first_day + timedelta(days=number)
        if number == family.broken_on:
            fact("watch_broken", _noon(day))
        elif number == family.returned_on:
            fact("watch_returned", _noon(day))
        happenings, daily = family.day(number, day)
        for happening in happenings:
            fact(happening.kind, happening.at, happening)
        if daily is not None:
            lived.reports.append((daily.ended_at, _report(chance, daily)))
    return lived


def _report(chance: random.Random, daily: Daily) -> WatchReport:
    counters = vars(daily) | {"started_at": None, "ended_at": None}
    return WatchReport(
        ref=f"{chance.getrandbits(60):012x}"[:12], fingerprint="", from_tst=int(daily.started_at.timestamp()),
        to_tst=int(daily.ended_at.timestamp()),
        counters={name: value for name, value in counters.items() if value is not None},
    )  # fmt: skip


def _id(chance: random.Random) -> uuid.UUID:
    return uuid.UUID(int=chance.getrandbits(128), version=4)


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(4), UTC)
