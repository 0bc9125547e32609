"""From Mosquitto's log to the trace of a watch: its connections and their ends, without an address."""

from __future__ import annotations

from collections.abc import Callable

from services.broker.log_lines import ClientConnected, ClientGone
from services.core.devices.traces.buffer import TraceBuffer
from services.core.devices.traces.rules import Seen


class ConnectionTrace:
    """Notes the connections of traced watches; a failed log-in names no watch and is in no trace."""

    def __init__(self, buffer: TraceBuffer) -> None:
        self.buffer = buffer

    def note(self, event: ClientConnected | ClientGone) -> None:
        """Note one event of the log."""
        if isinstance(event, ClientGone):
            self.buffer.note(event.client_id, Seen.GONE, event.reason)
        elif event.username == event.client_id:
            self.buffer.note(event.client_id, Seen.CONNECTED, "keeps_session" if event.keeps_session else "")

    def refusing_wills(self, refuse: Callable[[str], None]) -> Callable[[str], None]:
        """Return ``refuse`` for the will of a watch that the broker refused or dropped, with a note of it."""

        def refuse_and_note(username: str) -> None:
            refuse(username)
            self.buffer.note(username, Seen.REFUSED, "will")

        return refuse_and_note
