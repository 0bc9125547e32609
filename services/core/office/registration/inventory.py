"""The inventory that staff see: device, state and family code, without names, content or positions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from services.core.devices.presence.queries import last_seen_at
from services.core.devices.watches.queries import WITH_PRESENCE
from services.core.devices.watches.tables import Watch, WatchIdentity
from services.core.people.households.tables import Family
from services.core.people.programme.tables import Site
from services.core.platform.db.database import UnitOfWork


@dataclass(frozen=True)
class ShelfEntry:
    """One watch; ``last_seen_at`` is None if it is not paired or had no contact yet."""

    serial: str
    model: str
    site: str
    state: str
    family_code: str | None
    paired: bool
    last_seen_at: datetime | None


async def list_watches(work: UnitOfWork, *, site: Site | None = None, state: str | None = None) -> Sequence[ShelfEntry]:
    """Return the watches of a site, or of all sites, by serial; optionally those in one state."""
    statement = (
        select(Watch, Site.name, Family.family_code, WatchIdentity)
        .options(WITH_PRESENCE)
        .join(Site, col(Site.site_id) == col(Watch.site_id))
        .outerjoin(Family, col(Family.family_id) == col(Watch.handed_out_to))
        .outerjoin(
            WatchIdentity,
            (col(WatchIdentity.watch_id) == col(Watch.watch_id)) & col(WatchIdentity.ended_at).is_(None),
        )
        .order_by(col(Watch.serial))
    )
    if site is not None:
        statement = statement.where(col(Watch.site_id) == site.site_id)
    if state is not None:
        statement = statement.where(col(Watch.state) == state)
    return [
        _entry(watch, site_name, family_code, identity)
        for watch, site_name, family_code, identity in await work.session.exec(statement)
    ]


def _entry(watch: Watch, site_name: str, family_code: str | None, identity: WatchIdentity | None) -> ShelfEntry:
    return ShelfEntry(
        serial=watch.serial, model=watch.model, site=site_name, state=watch.state, family_code=family_code,
        paired=identity is not None, last_seen_at=None if identity is None else last_seen_at(identity),
    )  # fmt: skip
