"""The watch of a child as a guardian sees it, read for all children of a list in one statement."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Final

from sqlalchemy.orm.attributes import set_committed_value

from services.core.devices.contacts.tables import ContactList
from services.core.devices.watches.tables import Watch, WatchIdentity, WatchPresence, WatchSettings
from services.core.people.households.tables import Child
from services.core.people.programme.tables import Site
from services.core.platform.db.database import UnitOfWork
from services.core.platform.db.prepared import columns_of, objects_of


@dataclass(frozen=True)
class WatchShown:
    """A paired watch, its site, and the versions of the lists that it should hold."""

    identity: WatchIdentity
    watch: Watch
    site: Site
    contacts_version: int
    config_version: int


async def watches_of_children(work: UnitOfWork, child_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, WatchShown]:
    """Return the paired watch of each of these children; children without one are left out."""
    if not child_ids:
        return {}
    shown = {}
    for row in await work.read(_statement(), list(child_ids)):
        identity, watch, site, presence = objects_of(work, tuple(row), WatchIdentity, Watch, Site, WatchPresence)
        set_committed_value(identity, "presence", presence)
        shown[identity.child_id] = WatchShown(identity, watch, site, *row[-2:])
    return shown


async def children_with_watches(work: UnitOfWork, family_id: uuid.UUID) -> list[tuple[Child, WatchShown | None]]:
    """Return the children of a family with their paired watches in one statement, oldest entry first."""
    children = []
    for row in await work.read(_of_family(), family_id):
        child, identity, watch, site, presence = objects_of(
            work, tuple(row), Child, WatchIdentity, Watch, Site, WatchPresence
        )
        shown = None
        if identity is not None:
            set_committed_value(identity, "presence", presence)
            shown = WatchShown(identity, watch, site, *row[-2:])
        children.append((child, shown))
    return children


def watch_shown(
    identity: WatchIdentity, watch: Watch, site: Site, presence: WatchPresence | None, lists: ContactList,
    settings: WatchSettings,
) -> WatchShown:  # fmt: skip
    """Return a paired watch of rows that a statement with more in it has read."""
    set_committed_value(identity, "presence", presence)
    return WatchShown(identity, watch, site, lists.version, settings.version)


_SHOWN: Final = ((WatchIdentity, "i"), (Watch, "w"), (Site, "s"), (WatchPresence, "p"))
_WITH_WATCH: Final = """
        JOIN watch w ON w.watch_id = i.watch_id
        JOIN site s ON s.site_id = w.site_id
        JOIN contact_list l ON l.child_id = i.child_id
        JOIN watch_settings t ON t.child_id = i.child_id
        LEFT JOIN watch_presence p ON p.username = i.username
"""


@cache
def _of_family() -> str:
    return f"""
        SELECT {columns_of((Child, "k"), *_SHOWN)}, l.version, t.version
        FROM child k
        LEFT JOIN (watch_identity i {_WITH_WATCH}) ON i.child_id = k.child_id AND i.ended_at IS NULL
        WHERE k.family_id = $1 AND k.erased_at IS NULL
        ORDER BY k.created_at, k.child_id
    """  # noqa: S608 - names of our own columns


@cache
def _statement() -> str:
    return f"""
        SELECT {columns_of(*_SHOWN)}, l.version, t.version
        FROM watch_identity i {_WITH_WATCH}
        WHERE i.child_id = ANY($1::uuid[]) AND i.ended_at IS NULL
    """  # noqa: S608 - names of our own columns
