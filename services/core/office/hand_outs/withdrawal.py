"""Withdrawal of a watch from use, together with the end of its pairing."""

from __future__ import annotations

import uuid

from sqlmodel import col, select

from services.core.devices.watches.errors import WatchStateError
from services.core.devices.watches.queries import identity_of_watch
from services.core.devices.watches.rules import serial_of_scan
from services.core.devices.watches.tables import Watch, WatchGiven
from services.core.office.hand_outs.watches import give_watch, locked_watch, note_withdrawn
from services.core.pairing.actions import end_pairing
from services.core.pairing.rules import UnpairReason
from services.core.platform.audit.actions import Actor
from services.core.platform.db.database import UnitOfWork


async def withdraw_watch(work: UnitOfWork, actor: Actor, serial: str, state: str) -> bool:
    """Record a watch as ``returned``, ``lost`` or ``broken`` and end its pairing; repeating the call returns False.

    The broker rejects its log-ins from then on. A returned watch can be handed out again. Undelivered items wait for
    the child's next watch. Raises WatchUnknownError, WatchStateError.
    """
    watch = await locked_watch(work, serial)
    changed = await note_withdrawn(work, actor, watch, state)
    identity = await identity_of_watch(work, watch.watch_id)
    if identity is not None:
        # A broken watch can still be returned.
        reason = UnpairReason.LOST if state == "lost" else UnpairReason.RETURNED
        await end_pairing(work, actor, identity, reason)
    return changed or identity is not None


async def replace_watch(work: UnitOfWork, actor: Actor, old_serial: str, new_serial: str, state: str) -> bool:
    """Withdraw a family's watch (``lost``, ``broken`` or ``returned``) and hand out another watch of the same site.

    The child's history and undelivered items stay. The broker rejects the old watch from the commit on; the guardian
    pairs the new one. A family whose enrolment has ended can receive a replacement. Repeating the call returns False.
    Raises WatchUnknownError, WatchStateError, WatchElsewhereError, WatchOfOtherSiteError.
    """
    old_serial, new_serial = serial_of_scan(old_serial), serial_of_scan(new_serial)
    if old_serial == new_serial:
        raise WatchStateError(old_serial, "handed_out", "replaced")
    # Lock both watches in a fixed order, so that two offices swapping the same watches cannot deadlock.
    watches = {serial: await locked_watch(work, serial) for serial in sorted((old_serial, new_serial))}
    old, new = watches[old_serial], watches[new_serial]
    family_id = old.handed_out_to
    if family_id is None:
        family_id = await _replaced_before(work, old, new, state)
        if family_id is None:
            raise WatchStateError(old_serial, old.state, "replaced")
        return False
    given = await give_watch(work, actor, new, family_id, old.site_id)
    withdrawn = await withdraw_watch(work, actor, old_serial, state)
    return given or withdrawn


async def _replaced_before(work: UnitOfWork, old: Watch, new: Watch, state: str) -> uuid.UUID | None:
    """Return the old watch's last family if it has the new watch now, that is if the replacement was done before."""
    if old.state != state or new.handed_out_to is None:
        return None
    result = await work.session.exec(
        select(WatchGiven.family_id)
        .where(col(WatchGiven.watch_id) == old.watch_id, col(WatchGiven.undone_at).is_(None))
        .order_by(col(WatchGiven.given_at).desc())
        .limit(1)
    )
    family_id = result.first()
    return family_id if family_id == new.handed_out_to else None
