"""The standing of a watch, for the watch and for guardians."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlmodel import col, select

from services.core.devices.watches.tables import Watch, WatchIdentity
from services.core.pairing.tables import Pairing
from services.core.pairing.wipes import newest_wipe_order
from services.core.people.households.tables import Child
from services.core.platform.db.database import UnitOfWork


@dataclass(frozen=True)
class NotPaired:
    """The watch has never been paired, or its new credentials are not usable yet."""


@dataclass(frozen=True)
class Issued:
    """Paired and not yet confirmed: the credentials can be sent."""

    child_name: str
    username: str
    password: str


@dataclass(frozen=True)
class StillPaired:
    """Paired and confirmed: the watch keeps trying under this name."""

    username: str


@dataclass(frozen=True)
class Ended:
    """The newest pairing has ended: a watch that stores this name wipes itself."""

    username: str


Standing = NotPaired | Issued | StillPaired | Ended


async def standing_of_watch(work: UnitOfWork, watch: Watch) -> Standing:
    """Return the standing of this watch, which answers its factory identity."""
    result = await work.session.exec(
        select(Pairing, WatchIdentity, Child.name)
        .join(WatchIdentity, col(WatchIdentity.username) == col(Pairing.username))
        .join(Child, col(Child.child_id) == col(Pairing.child_id))
        .where(col(Pairing.watch_id) == watch.watch_id)
        # A standing pairing before ended ones, then the newest.
        .order_by(col(Pairing.ended_at).desc().nulls_first(), col(Pairing.issued_at).desc())
        .limit(1)
    )
    newest = result.first()
    to_forget = await newest_wipe_order(work, watch.watch_id)
    if newest is None:
        # After an erasure only the user name is left, which the watch has to delete.
        return NotPaired() if to_forget is None else Ended(to_forget.username)
    pairing, identity, child_name = newest
    if pairing.ended_at is not None:
        is_newer = to_forget is not None and to_forget.ordered_at >= pairing.ended_at
        return Ended(to_forget.username if to_forget is not None and is_newer else pairing.username)
    if pairing.confirmed_at is not None or pairing.sealed_password is None:
        return StillPaired(pairing.username)
    if identity.installed_at is None:
        return NotPaired()
    password = work.vault.unseal(pairing.sealed_password, f"pairing/{pairing.username}").decode()
    return Issued(child_name, pairing.username, password)


async def pairing_of_child(work: UnitOfWork, child_id: uuid.UUID) -> tuple[Pairing, Watch] | None:
    """Return the child's standing pairing and its watch, or None."""
    result = await work.session.exec(
        select(Pairing, Watch)
        .join(Watch, col(Watch.watch_id) == col(Pairing.watch_id))
        .where(col(Pairing.child_id) == child_id, col(Pairing.ended_at).is_(None))
    )
    return result.first()
