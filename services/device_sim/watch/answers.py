"""Answers of the watch: published once, or stored and repeated until the backend answers them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.device_sim.watch.body import WatchBody
from services.device_sim.watch.events import EventKind
from services.device_sim.watch.records import OwedReceipt
from services.protocol.fields import WireMessage
from services.protocol.topics import UplinkKind
from services.protocol.words import Detail, ReceiptState


@dataclass(frozen=True)
class FetchKey:
    """The next window of a clip is due to be requested."""

    ref: str


# A stored uplink (its number), a receipt (ref, state, of), or a clip that is being fetched.
Key = int | tuple[str, str, str] | FetchKey


@dataclass(frozen=True)
class Answers:
    """The part of a connection that receivers of items use: publish once, schedule an uplink, stop repeating it."""

    say: Callable[[UplinkKind, WireMessage], None]
    plan: Callable[[Key, float], None]
    settle: Callable[[Key], None]


class ReceiptSender:
    """Receipts: stored first, then published."""

    def __init__(self, body: WatchBody, answers: Answers) -> None:
        self._body = body
        self._answers = answers

    def receipt(
        self, ref: str, state: ReceiptState, *, of: str | None = None, detail: str | None = None
    ) -> OwedReceipt:
        """Return a receipt dated now."""
        return OwedReceipt(ref, state.value, of, detail, **self._body.dated())

    def owe(self, ref: str, state: ReceiptState, *, of: str | None = None, detail: str | None = None) -> None:
        """Store a receipt until it is answered, and publish it now."""
        self._body.store.items.owe(self.receipt(ref, state, of=of, detail=detail))
        self.plan(ref, state, of=of)

    def plan(self, ref: str, state: ReceiptState, *, of: str | None = None) -> None:
        """Publish a receipt that is stored already."""
        self._answers.plan((ref, state.value, of or ""), 0.0)

    def refuse_item(self, ref: str, detail: Detail) -> None:
        """Reject an item that this watch cannot show: its sender is notified and the next item follows."""
        self.owe(ref, ReceiptState.REJECTED, detail=detail.value)
        self._body.events.emit(EventKind.REFUSED_ITEM, ref=ref, detail=detail.value)
