"""Check-ins: single fixes, or fixes along a recorded track."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from services.device_sim.watch.body import Fix, WatchBody
from services.device_sim.watch.gpx import TrackPoint
from services.device_sim.watch.network import WatchNetwork
from services.device_sim.watch.records import Outgoing, WatchRefusedError
from services.protocol import codec
from services.protocol.location import Location
from services.protocol.topics import UplinkKind


class Places:
    """Check-ins of the watch: `watch.places`. With location turned off it takes no fix at all."""

    def __init__(self, body: WatchBody, network: WatchNetwork) -> None:
        self._body = body
        self._store = body.store
        self._network = network

    @property
    def takes_fixes(self) -> bool:
        """Whether the family has turned location on, as far as this watch knows."""
        config = self._store.config()
        return config is not None and config.location

    def check_in(self, lat: float, lon: float, acc_m: float | None = None, *, source: str | None = None) -> Outgoing:
        """Be at a position and check in; stored when this returns. `locate` answers with it from now on.

        Raises WatchRefusedError while the watch is not paired, and while location is off: then no fix is taken.
        """
        self._check_may_take()
        self._body.fix = Fix(lat, lon, acc_m, source)
        return self.keep_fix(self._body.fix)

    async def walk(self, track: Sequence[TrackPoint], *, speed: float = 1.0) -> list[Outgoing]:
        """Walk a recorded track, `speed` times as fast; every fix has the time at which it is taken.

        Returns the stored check-ins; while location is off the walk goes on and no fix is taken.
        """
        loop = asyncio.get_running_loop()
        began_s, kept = loop.time(), []
        for point in track:
            after_s = (point.at - track[0].at).total_seconds() / speed
            await asyncio.sleep(max(0.0, began_s + after_s - loop.time()))
            if self.takes_fixes:
                fix = point.fix
                kept.append(self.check_in(fix.lat, fix.lon, fix.acc, source=fix.source))
        return kept

    def walked(self, track: Sequence[TrackPoint], *, ended_at: datetime) -> list[Outgoing]:
        """Check in along a track that ended at `ended_at`; every fix keeps its distance in time from the end.

        This is what a watch sends that had no network on the way. Raises WatchRefusedError as `check_in` does.
        """
        self._check_may_take()
        shift = ended_at - track[-1].at
        self._body.fix = track[-1].fix
        return [self.keep_fix(point.fix, point.at + shift) for point in track]

    def _check_may_take(self) -> None:
        self._body.refuse_when_flat()
        if self._store.username() is None:
            raise WatchRefusedError("the watch is not paired")
        if not self.takes_fixes:
            raise WatchRefusedError("location is off: this watch takes no fix")

    def keep_fix(self, fix: Fix, at: datetime | None = None) -> Outgoing:
        """Check in with a fix that was taken now, or at a time; stored when this returns."""
        wire_id = self._body.new_id()
        dated = self._body.dated() if at is None else {"tst": int(at.timestamp())}
        location = Location(
            id=wire_id, lat=fix.lat, lon=fix.lon, acc=fix.acc, source=fix.source, batt=self._body.traits.battery_pct,
            **dated,
        )  # fmt: skip
        kept = self._store.outgoing.keep(wire_id, UplinkKind.LOCATION.value, codec.encode(location))
        self._network.wake()
        return kept
