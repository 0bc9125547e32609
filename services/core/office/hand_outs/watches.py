"""State changes of a watch: hand-out, undo, move to another site, and the record of a return, loss or defect."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import col, select

from services.core.devices.push.queries import families_not_reached
from services.core.devices.watches.errors import (
    NothingToUndoError,
    WatchElsewhereError,
    WatchOfOtherSiteError,
    WatchPairedError,
    WatchStateError,
    WatchUnknownError,
)
from services.core.devices.watches.queries import identity_of_watch, watch_by_serial
from services.core.devices.watches.rules import check_move, is_serial, serial_of_scan
from services.core.devices.watches.tables import Watch, WatchGiven
from services.core.office.registration.actions import BROKER_CHANNEL
from services.core.people.households.hand_out_codes import has_open_hand_out
from services.core.people.households.queries import standing_enrolment
from services.core.people.households.tables import Family
from services.core.people.programme.tables import Site
from services.core.platform.audit.actions import Actor, record_audit
from services.core.platform.db.database import UnitOfWork
from services.core.platform.facts.actions import record_fact

# A mistaken hand-out is noticed within the afternoon; an older one is undone by a return with its consequences.
UNDO_WITHIN: Final = timedelta(hours=2)


async def hand_out_watch(
    work: UnitOfWork,
    actor: Actor,
    serial: str,
    family_code: str,
    *,
    site_id: uuid.UUID | None = None,
    given_at: datetime | None = None,
) -> bool:
    """Hand out a watch to an enrolled family: it then pairs with that family only. Repeating the call returns False.

    ``given_at``: when it happened, if it is not now. ``serial`` may be the scanned content of a label. With
    ``site_id``, watches and families of other sites are reported as unknown. Raises WatchUnknownError,
    FamilyUnknownError, WatchElsewhereError (another family has it), WatchOfOtherSiteError, WatchStateError (it is lost
    or broken).
    """
    watch = await locked_watch(work, serial_of_scan(serial), site_id=site_id)
    enrolment = await standing_enrolment(work, family_code, site_id=site_id)
    return await give_watch(work, actor, watch, enrolment.family_id, enrolment.site_id, given_at=given_at)


async def give_watch(
    work: UnitOfWork,
    actor: Actor,
    watch: Watch,
    family_id: uuid.UUID,
    site_id: uuid.UUID,
    *,
    given_at: datetime | None = None,
) -> bool:
    """Hand out a locked watch to a family of a site; repeating the call returns False.

    Raises WatchElsewhereError, WatchOfOtherSiteError, WatchStateError.
    """
    if watch.state == "handed_out" and watch.handed_out_to is not None:
        if watch.handed_out_to == family_id:
            return False
        holder = await work.session.get_one(Family, watch.handed_out_to)
        raise WatchElsewhereError(watch.serial, holder.family_code)
    check_move(watch.serial, watch.state, "handed_out")
    if watch.site_id != site_id:
        raise WatchOfOtherSiteError
    work.add(
        WatchGiven(
            watch_id=watch.watch_id, family_id=family_id, actor_kind=actor.kind, actor_id=actor.id,
            previous_state=watch.state, given_at=given_at or work.now,
        )
    )  # fmt: skip
    watch.handed_out_to = family_id
    await _enter_state(work, actor, watch, "handed_out", family_id, happened_at=given_at)
    return True


async def lacks_channel(work: UnitOfWork, serial: str, family_code: str) -> bool | None:
    """Return whether a guardian of the family cannot be notified; None while no hand-out of the watch's site is open.

    A hand-out is the time to help with it. At any other time it would only tell who has joined and how.
    """
    watch = await watch_by_serial(work, serial_of_scan(serial))
    return None if watch is None else await lacks_channel_at(work, watch.site_id, family_code)


async def lacks_channel_at(
    work: UnitOfWork, site_id: uuid.UUID, family_code: str, *, is_open: bool = False
) -> bool | None:
    """Return the same for a family of a site; ``is_open``: the caller knows that a hand-out of the site is open."""
    if not is_open and not await has_open_hand_out(work, site_id):
        return None
    code = family_code.strip().upper()
    return code in await families_not_reached(work, [code])


@dataclass(frozen=True)
class Undone:
    """An undone hand-out: the watch, and the family it had been handed out to."""

    serial: str
    family_code: str


async def undo_last_hand_out(work: UnitOfWork, actor: Actor, *, site_id: uuid.UUID | None = None) -> Undone:
    """Undo the actor's newest hand-out of the last two hours; the watch returns to its previous state.

    Raises NothingToUndoError, WatchPairedError (a watch in use has to be returned instead).
    """
    statement = (
        select(WatchGiven, Watch.serial)
        .join(Watch, col(Watch.watch_id) == col(WatchGiven.watch_id))
        .where(
            col(WatchGiven.actor_kind) == actor.kind,
            col(WatchGiven.actor_id) == actor.id,
            col(WatchGiven.undone_at).is_(None),
            col(WatchGiven.given_at) > work.now - UNDO_WITHIN,
        )
        .order_by(col(WatchGiven.given_at).desc(), col(WatchGiven.given_id))
        .limit(1)
    )
    if site_id is not None:
        statement = statement.where(col(Watch.site_id) == site_id)
    last = (await work.session.exec(statement)).first()
    if last is None:
        raise NothingToUndoError
    watch = await locked_watch(work, last[1])
    # Read again under the watch's lock, so that two concurrent calls undo one hand-out.
    given = await work.session.get_one(WatchGiven, last[0].given_id, populate_existing=True)
    if given.undone_at is not None or (watch.state, watch.handed_out_to) != ("handed_out", given.family_id):
        raise NothingToUndoError
    if await identity_of_watch(work, watch.watch_id) is not None:
        raise WatchPairedError(watch.serial)
    family = await work.session.get_one(Family, given.family_id)
    given.undone_at = work.now
    work.add(given)
    watch.handed_out_to = None
    watch.state = given.previous_state
    work.add(watch)
    # The audit entry keeps ``family_id``; the usage fact treats the watch as never handed out.
    record_fact(work, "hand_out_undone", watch_id=watch.watch_id, family_id=family.family_id)
    record_audit(work, actor, "watch.hand_out_undone", family_id=family.family_id, subject_id=watch.watch_id)
    work.notify(BROKER_CHANNEL)
    return Undone(watch.serial, family.family_code)


async def move_watch(work: UnitOfWork, actor: Actor, serial: str, site: Site) -> bool:
    """Move a watch in stock to another site; repeating the call returns False. Raises WatchStateError otherwise."""
    watch = await locked_watch(work, serial)
    if watch.site_id == site.site_id:
        return False
    if watch.state == "handed_out":
        raise WatchStateError(serial, watch.state, "moved")
    watch.site_id = site.site_id
    work.add(watch)
    record_audit(work, actor, "watch.moved", subject_id=watch.watch_id)
    return True


async def note_withdrawn(work: UnitOfWork, actor: Actor, watch: Watch, state: str) -> bool:
    """Record a locked watch as ``returned``, ``lost`` or ``broken``; repeating the call returns False.

    The broker rejects log-ins in each of these states. pairing.withdrawal ends the pairing, if there is one. Raises
    WatchStateError.
    """
    if watch.state == state:
        return False
    check_move(watch.serial, watch.state, state)
    family_id = watch.handed_out_to
    if state == "returned":
        # A returned watch belongs to no family; a lost or broken one stays assigned to its family.
        watch.handed_out_to = None
    await _enter_state(work, actor, watch, state, family_id)
    return True


async def locked_watch(work: UnitOfWork, serial: str, *, site_id: uuid.UUID | None = None) -> Watch:
    """Return the watch with its row locked until the transaction ends; raises WatchUnknownError.

    With ``site_id``, a watch of another site is reported as unknown.
    """
    watch = await watch_by_serial(work, serial, lock=True) if is_serial(serial) else None
    if watch is None or (site_id is not None and watch.site_id != site_id):
        raise WatchUnknownError
    return watch


async def _enter_state(
    work: UnitOfWork,
    actor: Actor,
    watch: Watch,
    state: str,
    family_id: uuid.UUID | None,
    *,
    happened_at: datetime | None = None,
) -> None:
    watch.state = state
    work.add(watch)
    record_fact(work, f"watch_{state}", watch_id=watch.watch_id, family_id=family_id, happened_at=happened_at)
    record_audit(work, actor, f"watch.{state}", family_id=family_id, subject_id=watch.watch_id)
    work.notify(BROKER_CHANNEL)
