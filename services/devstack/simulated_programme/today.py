"""Today in a simulated programme: its watches are paired and heard, families were trained, asked for help and answered.

The year itself is in writing.py. Only a demo needs this: a console whose lists are empty shows nothing.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import col, select

from services.core.devices.watches.tables import LowBattery, Watch, WatchIdentity, WatchPresence
from services.core.office.enrolment.participation import record_training
from services.core.office.notices.actions import notify_cohort
from services.core.office.surveys.actions import define_survey, take_answers
from services.core.office.surveys.publishing import publish_survey, publishable
from services.core.office.surveys.queries import questions_of, survey_named
from services.core.office.surveys.rules import Question, read_answers
from services.core.people.consents.tables import Consent
from services.core.people.households.tables import Child, Enrolment, Family, HelpRequest
from services.core.people.programme.tables import Cohort, Programme, Site
from services.core.platform.audit.actions import OPERATOR
from services.core.platform.crypto.broker_password import mosquitto_hash
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.database import Database, UnitOfWork

SURVEY: Final = "Before and after"
_QUESTIONS: Final = (
    Question("talks_week", "number", "How often a week do you talk with your child?", 0, 40),
    Question("worried", "scale", "How worried are you about your child?", 1, 5),
    Question("stay", "yes_no", "Do you mean to stay at the factory next year?"),
)
# Out of a hundred watches so many have been silent for days, and so many are nearly empty.
_SILENT_PCT, _LOW_PCT = 4, 3
_TRAINED: Final = 0.8
_HELP: Final = ("broken", "lost", "worried")


@dataclass(frozen=True)
class _Lives:
    """A family that still takes part, with its child and its watch."""

    family: Family
    child: Child
    watch: Watch
    enrolment: Enrolment


async def fill_today(database: Database, programme_name: str, seed: int = 7) -> None:
    """Fill what staff see today; a repeated call changes nothing."""
    chance = random.Random(seed)  # noqa: S311 - a simulation must come out the same again
    async with database.begin() as work:
        programme = (await work.session.exec(select(Programme).where(Programme.name == programme_name))).one()
        lives = await _families(work, programme)
        known = await work.session.exec(
            select(WatchIdentity.username).where(WatchIdentity.watch_id == lives[0].watch.watch_id)
        )
        if known.first() is not None:
            return
        # A secret that is forgotten at once: the broker has a user, and nobody can log in as it.
        password_hash = mosquitto_hash(new_ref(24))
        for life in lives:
            await _pair(work, chance, life, password_hash)
        for at, kind in enumerate(_HELP):
            life = lives[at * 11 % len(lives)]
            work.add(
                HelpRequest(
                    family_id=life.family.family_id, child_id=life.child.child_id, kind=kind,
                    asked_at=work.now - timedelta(hours=2 + 9 * at),
                )
            )  # fmt: skip
    async with database.begin() as work:
        for life in lives:
            if chance.random() < _TRAINED:
                day = (life.enrolment.enrolled_at + timedelta(days=chance.randrange(1, 20))).date()
                await record_training(work, OPERATOR, life.family.family_code, "watch", day)
        cohorts = await work.session.exec(
            select(Cohort).join(Site, col(Site.site_id) == col(Cohort.site_id))
            .where(Site.programme_id == programme.programme_id)
        )  # fmt: skip
        for cohort in cohorts:
            await notify_cohort(work, OPERATOR, cohort, "Family day is on Sunday at ten, in the canteen.")
    await _survey(database, programme, chance, [life.family.family_code for life in lives])


async def _families(work: UnitOfWork, programme: Programme) -> list[_Lives]:
    # A family without a consent is left out: the worker may delete it while the others are being filled.
    consented = select(Consent.consent_id).where(col(Consent.family_id) == col(Family.family_id)).exists()
    result = await work.session.exec(
        select(Family, Child, Watch, Enrolment)
        .join(Enrolment, col(Enrolment.family_id) == col(Family.family_id))
        .join(Site, col(Site.site_id) == col(Enrolment.site_id))
        .join(Child, col(Child.family_id) == col(Family.family_id))
        .join(Watch, col(Watch.handed_out_to) == col(Family.family_id))
        .where(Site.programme_id == programme.programme_id, Watch.state == "handed_out", consented)
        .order_by(col(Family.family_code))
    )
    return [_Lives(*row) for row in result]


async def _pair(work: UnitOfWork, chance: random.Random, life: _Lives, password_hash: str) -> None:
    drawn = chance.randrange(100)
    is_silent, is_low = drawn < _SILENT_PCT, _SILENT_PCT <= drawn < _SILENT_PCT + _LOW_PCT
    since = timedelta(days=chance.randrange(3, 12)) if is_silent else timedelta(minutes=chance.randrange(2, 240))
    seen_at = work.now - since
    username = f"w-{life.watch.watch_id.hex[:12]}"
    battery_pct = 9 if is_low else chance.randrange(35, 100)
    work.add(_identity(life, username, password_hash, seen_at, battery_pct))
    await work.flush()
    if is_low:
        work.add(LowBattery(username=username, since_at=work.now - timedelta(days=4)))


def _identity(life: _Lives, username: str, password_hash: str, seen_at: datetime, battery_pct: int) -> WatchIdentity:
    issued_at = life.enrolment.enrolled_at
    return WatchIdentity(
        username=username, watch_id=life.watch.watch_id, child_id=life.child.child_id, family_id=life.family.family_id,
        password_hash=password_hash, issued_at=issued_at, installed_at=issued_at, last_hello_at=seen_at,
        gone_by="silence", presence_since_at=seen_at, hello={"firmware": "2.4.1", "battery_pct": battery_pct},
        presence=WatchPresence(
            username=username, last_seen_at=seen_at, battery_pct=battery_pct, battery_at=seen_at
        ),
    )  # fmt: skip


async def _survey(database: Database, programme: Programme, chance: random.Random, codes: list[str]) -> None:
    lines = ["family_code,wave," + ",".join(question.key for question in _QUESTIONS)]
    for code in codes:
        talks, worried = chance.randrange(1, 5), chance.randrange(3, 6)
        lines.append(f"{code},baseline,{talks},{worried},{'yes' if chance.random() < 0.6 else 'no'}")  # noqa: PLR2004
        if chance.random() < 0.85:  # noqa: PLR2004 - the others did not answer again
            after = (talks + chance.randrange(0, 5), max(1, worried - chance.randrange(0, 3)))
            lines.append(f"{code},endline,{after[0]},{after[1]},{'yes' if chance.random() < 0.7 else 'no'}")  # noqa: PLR2004
    async with database.begin() as work:
        await define_survey(work, OPERATOR, programme, SURVEY, list(_QUESTIONS))
        await work.flush()
        survey = await survey_named(work, programme, SURVEY)
        listed = read_answers("\n".join(lines).encode(), await questions_of(work, survey))
        await take_answers(work, OPERATOR, survey, listed)
    async with database.begin() as work:
        survey = await survey_named(work, programme, SURVEY)
        await publish_survey(work, OPERATOR, survey, confirm=(await publishable(work, survey)).confirm)
