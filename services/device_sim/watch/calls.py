"""Display of the child's calls for help: who is called, who has seen it, and which contacts to call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from services.device_sim.watch.events import EventBoard, EventKind
from services.protocol import limits
from services.protocol.downlink import AlertSeen, Contact
from services.protocol.words import CallState


class CallScreen:
    """The screen of the calls of this boot; a call without any answer shows whom to call after `wait_s`."""

    def __init__(
        self,
        events: EventBoard,
        contacts: Callable[[], Sequence[Contact]],
        server_now: Callable[[], float | None],
        wait_s: float,
    ) -> None:
        self._events = events
        self._contacts = contacts
        self._server_now = server_now
        self._wait_s = wait_s
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._shown: dict[str, tuple[str | None, str | None, int]] = {}

    def pressed(self, ref: str) -> None:
        """Wait for the first answer to a call, with or without a network."""
        self._timers[ref] = asyncio.get_running_loop().call_later(self._wait_s, self._show_contacts, ref, "silence")

    def renamed(self, old_ref: str, ref: str) -> None:
        """Go on waiting under another id, where the old one was taken."""
        if old_ref in self._timers:
            self._stop_waiting(old_ref)
            self.pressed(ref)

    def take(self, notice: AlertSeen) -> None:
        """Show the state of a call; the newest one counts, and a repeat at hello shows nothing new."""
        self._stop_waiting(notice.ref)
        news = (None if notice.state is None else str(notice.state), notice.seen_by, notice.tst)
        if self._shown.get(notice.ref) == news:
            return
        self._shown[notice.ref] = news
        match notice.state:
            case None:
                self._events.emit(EventKind.ALERT_SEEN, ref=notice.ref, seen_by=notice.seen_by)
            case CallState.SEEN:
                kind = EventKind.ALERT_WAS_SEEN if self._is_old(notice.tst) else EventKind.ALERT_SEEN
                self._events.emit(kind, ref=notice.ref, seen_by=notice.seen_by or "somebody")
            case CallState.CALLING:
                self._events.emit(EventKind.ALERT_CALLING, ref=notice.ref)
            case CallState.UNANSWERED:
                self._show_contacts(notice.ref, "unanswered")

    def end(self) -> None:
        """Forget every call: the watch is switched off or wiped."""
        for ref in list(self._timers):
            self._stop_waiting(ref)
        self._shown.clear()

    def emergency_contacts(self) -> list[Contact]:
        """Return whom the child can call: the emergency contacts, without one everybody with a number."""
        callable_ones = [contact for contact in self._contacts() if contact.may_call and contact.number is not None]
        return [contact for contact in callable_ones if contact.emergency] or callable_ones

    def _show_contacts(self, ref: str, reason: str) -> None:
        self._timers.pop(ref, None)
        names = ", ".join(contact.name for contact in self.emergency_contacts())
        self._events.emit(EventKind.ALERT_UNANSWERED, ref=ref, reason=reason, call=names)

    def _stop_waiting(self, ref: str) -> None:
        timer = self._timers.pop(ref, None)
        if timer is not None:
            timer.cancel()

    def _is_old(self, tst: int) -> bool:
        now = self._server_now()
        return now is not None and now - tst > limits.ALERT_LATE_S
