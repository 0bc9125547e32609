"""Alerts of the watch, and the position that its receiver would measure."""

from __future__ import annotations

from services.device_sim.watch.body import Fix, WatchBody
from services.device_sim.watch.network import WatchNetwork
from services.device_sim.watch.records import Outgoing, WatchRefusedError
from services.protocol import codec
from services.protocol.location import Place
from services.protocol.topics import UplinkKind
from services.protocol.uplink import Alert
from services.protocol.words import AlertKind


class Alerts:
    """The SOS button, the sensors and the satellite receiver: `watch.alerts`."""

    def __init__(self, body: WatchBody, network: WatchNetwork) -> None:
        self._body = body
        self._store = body.store
        self._network = network

    def raise_alert(self, kind: AlertKind = AlertKind.SOS) -> Outgoing:
        """Press SOS, or raise an alert of a sensor; stored when this returns, until its receipt.

        It carries the watch's current fix. Raises WatchRefusedError while unpaired; a locked screen is no obstacle.
        """
        self._body.refuse_when_flat()
        if self._store.username() is None:
            raise WatchRefusedError("the watch is not paired")
        fix, wire_id = self._body.fix, self._body.new_id()
        place = None if fix is None else Place(lat=fix.lat, lon=fix.lon, acc=fix.acc)
        alert = Alert(id=wire_id, kind=kind, location=place, **self._body.dated())
        kept = self._store.outgoing.keep(wire_id, UplinkKind.ALERT.value, codec.encode(alert))
        if kind is AlertKind.TAKEN_OFF:
            self._body.counters.taken_off()
        if kind is AlertKind.SOS:
            self._body.calls.pressed(wire_id)
        self._network.wake()
        return kept

    def give_fix(self, lat: float, lon: float, acc_m: float | None = None) -> None:
        """Set the position that the receiver measures; `lose_fix` ends it."""
        self._body.fix = Fix(lat, lon, acc_m)

    def lose_fix(self) -> None:
        """Let the receiver see no satellite."""
        self._body.fix = None
