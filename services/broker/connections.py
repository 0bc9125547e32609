"""Which watches are connected, and which sessions Mosquitto keeps for watches that are not: from its log."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

from services.broker.log_lines import ClientConnected, ClientGone
from services.broker.passwords import is_watch_username
from services.core.platform.metrics.registry import counter

_LOGINS = counter("watch_logins", "Watches that logged in; more than the watches there are: they reconnect.")
_REMEMBERED_S: Final = 600.0
# Watches whose refused packets wait to be recorded while Postgres is away.
_REFUSED_MAX: Final = 10_000


class Connections:
    """Follows Mosquitto's log; ``clock`` returns seconds that never go back.

    A watch's client id is its user name. A client of the backend that takes a watch's client id ends its session.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._connected: dict[str, float] = {}
        self._gone_at_s: dict[str, float] = {}
        # Sessions that outlive their connection, with the time at which it ended (None while it is there).
        self._kept: dict[str, float | None] = {}
        # Packets that the broker refused, by user name, since they were last collected.
        self.refused_packets: Counter[str] = Counter()
        self._is_served = False
        self._changed_at_s: float | None = None

    def begin(self, kept_sessions: Iterable[str]) -> None:
        """Mosquitto is being started: nobody is connected, and these clients have sessions in its file."""
        self.end()
        now_s = self._clock()
        for name in kept_sessions:
            if is_watch_username(name):
                self._kept.setdefault(name, now_s)

    def end(self) -> None:
        """Mosquitto has ended, and every connection with it."""
        now_s = self._clock()
        if self._is_served:
            self._is_served, self._changed_at_s = False, now_s
        self._gone_at_s |= dict.fromkeys(self._connected, now_s)
        self._connected.clear()
        self._kept = {name: now_s if left_at_s is None else left_at_s for name, left_at_s in self._kept.items()}

    def serve(self) -> None:
        """Mosquitto has begun to serve."""
        self._is_served, self._changed_at_s = True, self._clock()

    def is_settled(self, period_s: float) -> bool:
        """Return whether Mosquitto has begun to serve, or has ended, this many seconds ago or earlier."""
        return self._changed_at_s is not None and self._clock() - self._changed_at_s >= period_s

    def record(self, event: ClientConnected | ClientGone) -> None:
        """Follow one event of the log."""
        if not is_watch_username(event.client_id):
            return
        if isinstance(event, ClientGone):
            if event.sent_forbidden:
                self.refuse(event.client_id)
            if self._connected.pop(event.client_id, None) is not None:
                self._gone_at_s[event.client_id] = self._clock()
            if event.client_id in self._kept and self._kept[event.client_id] is None:
                self._kept[event.client_id] = self._clock()
        elif event.username == event.client_id:
            _LOGINS.count()
            self._connected[event.client_id] = self._clock()
            self._gone_at_s.pop(event.client_id, None)
            self._kept.pop(event.client_id, None)
            if event.keeps_session:
                self._kept[event.client_id] = None
        else:
            # The backend took the session over with a clean one: the watch's connection and session are gone.
            if self._connected.pop(event.client_id, None) is not None:
                self._gone_at_s[event.client_id] = self._clock()
            self._kept.pop(event.client_id, None)

    def refuse(self, username: str) -> None:
        """Count a packet of this watch that the broker refused."""
        if len(self.refused_packets) < _REFUSED_MAX:
            self.refused_packets[username] += 1

    def connected_within(self, period_s: float) -> set[str]:
        """Return the watches that are connected now or were so within this many seconds, ten minutes at most."""
        now_s = self._clock()
        self._gone_at_s = {name: at_s for name, at_s in self._gone_at_s.items() if at_s > now_s - _REMEMBERED_S}
        return {*self._connected, *(name for name, at_s in self._gone_at_s.items() if at_s > now_s - period_s)}

    @property
    def watches_connected(self) -> int:
        """How many watches are connected now."""
        return len(self._connected)

    def sessions_left_for(self, period_s: float) -> list[str]:
        """Return the watches whose session is kept although they left this many seconds ago or earlier."""
        until_s = self._clock() - period_s
        return [name for name, left_at_s in self._kept.items() if left_at_s is not None and left_at_s <= until_s]
