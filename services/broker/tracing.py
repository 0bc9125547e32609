"""From Mosquitto's log to the trace of a watch: its connections and their ends, without an address."""

from __future__ import annotations

from services.broker.log_lines import ClientConnected, ClientGone
from services.core.devices.traces.buffer import TraceBuffer
from services.core.devices.traces.rules import Seen


class ConnectionTrace:
    """Notes the connections of traced watches; a failed log-in names no watch and is in no trace."""

    def __init__(self, buffer: TraceBuffer) -> None:
        self._buffer = buffer

    def note(self, event: ClientConnected | ClientGone) -> None:
        """Note one event of the log."""
        if isinstance(event, ClientGone):
            self._buffer.note(event.client_id, Seen.GONE, event.reason)
        elif event.username == event.client_id:
            self._buffer.note(event.client_id, Seen.CONNECTED, "keeps_session" if event.keeps_session else "")

    def note_refused_will(self, username: str) -> None:
        """Note that the broker refused, or dropped, the will of a watch."""
        self._buffer.note(username, Seen.REFUSED, "will")
