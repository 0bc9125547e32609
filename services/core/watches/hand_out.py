"""From the shelf to a family and back: hand out, move between sites, take note of what came back, is lost or broken."""

from __future__ import annotations

import uuid

from services.core.audit.actions import Actor, record_audit
from services.core.db.database import UnitOfWork
from services.core.facts.actions import record_fact
from services.core.families.queries import standing_enrolment
from services.core.families.tables import Family
from services.core.programme.tables import Site
from services.core.watches.actions import BROKER_CHANNEL
from services.core.watches.errors import (
    WatchElsewhereError,
    WatchOfOtherSiteError,
    WatchStateError,
    WatchUnknownError,
)
from services.core.watches.queries import watch_by_serial
from services.core.watches.rules import check_move, is_serial
from services.core.watches.tables import Watch


async def hand_out_watch(work: UnitOfWork, actor: Actor, serial: str, family_code: str) -> bool:
    """Give a watch to an enrolled family: from now on it pairs with that family only. A repeat returns False.

    Raises WatchUnknownError, FamilyUnknownError, WatchElsewhereError (another family has it), WatchOfOtherSiteError,
    WatchStateError (it is lost or broken).
    """
    watch = await locked_watch(work, serial)
    enrolment = await standing_enrolment(work, family_code)
    if watch.state == "handed_out" and watch.handed_out_to is not None:
        if watch.handed_out_to == enrolment.family_id:
            return False
        holder = await work.session.get_one(Family, watch.handed_out_to)
        raise WatchElsewhereError(serial, holder.family_code)
    check_move(serial, watch.state, "handed_out")
    if watch.site_id != enrolment.site_id:
        raise WatchOfOtherSiteError
    watch.handed_out_to = enrolment.family_id
    await _enter_state(work, actor, watch, "handed_out", enrolment.family_id)
    return True


async def move_watch(work: UnitOfWork, actor: Actor, serial: str, site: Site) -> bool:
    """Move a watch that is on the shelf to another site; a repeat returns False. Raises WatchStateError otherwise."""
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
    """Note that a locked watch is ``returned``, ``lost`` or ``broken``; a repeat returns False.

    None of these may log in at the broker. The pairing, if there is one, ends in pairing.withdrawal. Raises
    WatchStateError.
    """
    if watch.state == state:
        return False
    check_move(watch.serial, watch.state, state)
    family_id = watch.handed_out_to
    if state == "returned":
        # On the shelf it is nobody's; a lost or broken one is still the family's to account for.
        watch.handed_out_to = None
    await _enter_state(work, actor, watch, state, family_id)
    return True


async def locked_watch(work: UnitOfWork, serial: str) -> Watch:
    """Return the watch, its row held until the transaction ends; raises WatchUnknownError."""
    watch = await watch_by_serial(work, serial, lock=True) if is_serial(serial) else None
    if watch is None:
        raise WatchUnknownError
    return watch


async def _enter_state(work: UnitOfWork, actor: Actor, watch: Watch, state: str, family_id: uuid.UUID | None) -> None:
    watch.state = state
    work.add(watch)
    record_fact(work, f"watch_{state}", watch_id=watch.watch_id, family_id=family_id)
    record_audit(work, actor, f"watch.{state}", family_id=family_id, subject_id=watch.watch_id)
    await work.notify(BROKER_CHANNEL)
