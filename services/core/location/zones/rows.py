"""Convert between rows of safe zones and the types of zones.rules."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import time

from sqlmodel import col, select

from services.core.location.checkins.sealing import open_zone
from services.core.location.checkins.tables import SafeZone
from services.core.location.geometry import Point
from services.core.location.tracks.days import Hours
from services.core.location.zones.rules import Where, Zone, ZoneState
from services.core.platform.db.database import UnitOfWork


@dataclass(frozen=True)
class ZoneView:
    """A zone with its row."""

    row: SafeZone
    zone: Zone

    @property
    def zone_id(self) -> uuid.UUID:
        """The zone's id."""
        return self.row.zone_id


def view_zone(key: bytes, row: SafeZone) -> ZoneView:
    """Return a row with its decrypted zone; raises SealBrokenError."""
    name, shape = open_zone(key, row.zone_id, row.sealed_body)
    return ZoneView(row, Zone(name, shape, tuple(hours_of(span) for span in row.hours)))


def hours_of(span: dict[str, object]) -> Hours:
    """Return stored hours as ``Hours``."""
    days = span["days"]
    assert isinstance(days, list)  # noqa: S101 - written by plain_hours and nobody else
    return Hours(frozenset(days), time.fromisoformat(str(span["from"])), time.fromisoformat(str(span["to"])))


def plain_hours(hours: Hours) -> dict[str, object]:
    """Return hours in their stored form."""
    return {"days": sorted(hours.days), "from": f"{hours.starts:%H:%M}", "to": f"{hours.ends:%H:%M}"}


def zone_state(row: SafeZone) -> ZoneState:
    """Return the stored state of a zone."""
    return ZoneState(Where(row.stand), row.outside_fixes)


def zone_at(zones: Collection[ZoneView], point: Point) -> ZoneView | None:
    """Return the zone that contains a point; of several, the one with the nearest edge, which is the most specific."""
    edges = [(zone.zone.shape.edge_m(point), zone) for zone in zones]
    around = [(edge_m, edge) for edge_m, edge in edges if edge_m <= 0]
    return max(around, key=lambda pair: pair[0])[1] if around else None


async def zones_of(work: UnitOfWork, child_ids: Collection[uuid.UUID], *, lock: bool = False) -> list[SafeZone]:
    """Return the zones of these children, oldest first; ``lock`` locks their rows in the order of their ids."""
    statement = select(SafeZone).where(col(SafeZone.child_id).in_(child_ids))
    if lock:
        statement = (
            statement.order_by(col(SafeZone.zone_id))
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
    else:
        statement = statement.order_by(col(SafeZone.created_at), col(SafeZone.zone_id))
    return list(await work.session.exec(statement))
