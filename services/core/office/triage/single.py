"""One family by its code and one watch by its serial, with their history and without any content."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import text
from sqlmodel import col, select

from services.core.devices.push.queries import families_not_reached
from services.core.devices.watches.tables import Watch, WatchGiven
from services.core.office.triage.site_health import FamilyRow, Health, families_at, watches_at
from services.core.people.accounts.actors import staff_actor
from services.core.people.accounts.tables import Staff
from services.core.people.households.errors import NotFoundError
from services.core.people.households.hand_out_codes import has_open_hand_out
from services.core.people.households.queries import family_at_site
from services.core.people.households.tables import Family, HelpRequest, TrainingAttended
from services.core.platform.db.database import UnitOfWork


@dataclass(frozen=True)
class FamilyDetails:
    """An enrolled family; ``no_working_channel`` is None while no hand-out of the site is open."""

    row: FamilyRow
    no_working_channel: bool | None
    open_help: list[HelpRequest]
    trainings: list[TrainingAttended]


@dataclass(frozen=True)
class Given:
    """A hand-out of a watch; ``by`` is the colleague's name, None for the command line."""

    family_code: str
    given_at: datetime
    undone_at: datetime | None
    by: str | None


@dataclass(frozen=True)
class Withdrawn:
    """A return, loss or defect of a watch, or its way back into stock: ``found`` after a loss, ``repaired``.

    ``replaced_by`` is the serial that its family received in the same step.
    """

    what: str
    at: datetime
    family_code: str | None
    replaced_by: str | None
    by: str | None


@dataclass(frozen=True)
class WatchDetails:
    """A watch with its SIM card's last day, its hand-outs and its withdrawals, both newest first."""

    health: Health
    family_code: str | None
    registered_at: datetime
    sim_expires_on: date | None
    given: list[Given]
    withdrawn: list[Withdrawn]


# The fact of a withdrawal has no actor; the audit entry of the same transaction has, and the same time, which is
# indexed. So has the hand-out of the watch that replaces this one.
_WITHDRAWN: Final = text("""
    SELECT substr(fact.kind, 7) AS state, fact.received_at AS at, family.family_code, next.serial AS replaced_by,
           entry.actor_kind, entry.actor_id
      FROM fact
      LEFT JOIN family ON family.family_id = fact.family_id
      LEFT JOIN watch_given given ON given.family_id = fact.family_id AND given.given_at = fact.received_at
                                 AND given.watch_id <> fact.watch_id AND given.undone_at IS NULL
      LEFT JOIN watch next ON next.watch_id = given.watch_id
      LEFT JOIN audit entry ON entry.at = fact.received_at AND entry.subject_id = CAST(fact.watch_id AS text)
                           AND entry.action = 'watch.' || substr(fact.kind, 7)
     WHERE fact.watch_id = :watch_id
       AND fact.kind IN ('watch_returned', 'watch_lost', 'watch_broken', 'watch_handed_out')
     ORDER BY fact.received_at, fact.fact_id
""")
_BACK_IN_STOCK: Final = {"lost": "found", "broken": "repaired"}


async def family_details(work: UnitOfWork, site_id: uuid.UUID, family_code: str) -> FamilyDetails:
    """Return a family enrolled at the site now; raises NotFoundError."""
    code = family_code.upper()
    enrolled = await family_at_site(work, site_id, code)
    if enrolled is None:
        raise NotFoundError
    family, enrolment = enrolled
    (row,) = (await families_at(work, site_id, after=None, limit=1, only=code)).rows
    help_requests = await work.session.exec(
        select(HelpRequest)
        .where(col(HelpRequest.family_id) == family.family_id, col(HelpRequest.done_at).is_(None))
        .order_by(col(HelpRequest.asked_at), col(HelpRequest.help_id))
    )
    trainings = await work.session.exec(
        select(TrainingAttended)
        .where(col(TrainingAttended.enrolment_id) == enrolment.enrolment_id)
        .order_by(col(TrainingAttended.attended_on), col(TrainingAttended.training))
    )
    is_open = await has_open_hand_out(work, site_id)
    unreached = code in await families_not_reached(work, [code]) if is_open else None
    return FamilyDetails(row, unreached, list(help_requests), list(trainings))


async def watch_details(work: UnitOfWork, site_id: uuid.UUID, serial: str) -> WatchDetails:
    """Return a watch of the site; raises NotFoundError."""
    watch = (
        await work.session.exec(select(Watch).where(Watch.serial == serial.upper(), Watch.site_id == site_id))
    ).first()
    if watch is None:
        raise NotFoundError
    ((health, family_code),) = (await watches_at(work, site_id, after=None, limit=1, only=watch.serial)).rows
    given = (
        await work.session.exec(
            select(WatchGiven, Family.family_code)
            .join(Family, col(Family.family_id) == col(WatchGiven.family_id))
            .where(col(WatchGiven.watch_id) == watch.watch_id)
            .order_by(col(WatchGiven.given_at).desc(), col(WatchGiven.given_id))
        )
    ).all()
    changes = (await work.run(_WITHDRAWN, {"watch_id": watch.watch_id})).all()
    actors = {(row.actor_kind, row.actor_id) for row, _ in given} | {
        (change.actor_kind, change.actor_id) for change in changes
    }
    names = await _names(work, actors)
    withdrawn, before = [], ""
    for change in changes:
        what = _BACK_IN_STOCK.get(before, change.state) if change.state == "returned" else change.state
        before = change.state
        if change.state != "handed_out":
            withdrawn.append(
                Withdrawn(what, change.at, change.family_code, change.replaced_by, names.get(change.actor_id))
            )
    return WatchDetails(
        health, family_code, watch.registered_at, watch.sim_expires_on,
        [Given(code, row.given_at, row.undone_at, names.get(row.actor_id)) for row, code in given], withdrawn[::-1],
    )  # fmt: skip


async def _names(work: UnitOfWork, actors: set[tuple[str | None, str | None]]) -> dict[str | None, str]:
    """Return the names of the colleagues among actors by their id as text."""
    kind = staff_actor(uuid.UUID(int=0)).kind
    ids = {uuid.UUID(actor_id) for actor_kind, actor_id in actors if actor_kind == kind and actor_id}
    named = await work.session.exec(select(Staff.staff_id, Staff.display_name).where(col(Staff.staff_id).in_(ids)))
    return {str(staff_id): name for staff_id, name in named}
