"""Server-sent events (WHATWG HTML, section 9.2) from lines. Pure: no socket."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ServerSentEvent:
    """One event; `last_id` is the id to come back with, which may stem from an earlier event."""

    kind: str
    text: str
    last_id: str


class EventParser:
    """Takes lines without their ends; gives an event for each empty line that closes one with content."""

    def __init__(self, last_id: str = "") -> None:
        self._last_id = last_id
        self._kind = ""
        self._lines: list[str] = []

    def take(self, line: str) -> ServerSentEvent | None:
        """Take one line; return the event that it completes."""
        if line:
            self._take_field(line)
            return None
        kind, lines = self._kind, self._lines
        self._kind, self._lines = "", []
        return ServerSentEvent(kind or "message", "\n".join(lines), self._last_id) if lines else None

    def _take_field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._lines.append(value)
        elif name == "event":
            self._kind = value
        elif name == "id" and "\0" not in value:
            self._last_id = value
