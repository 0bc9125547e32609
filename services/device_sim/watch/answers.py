"""How what was told is answered: said once, or kept and said again until it is answered in turn."""

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
    """The next window of a clip is to be asked for."""

    ref: str


# Something kept (its number), a receipt (ref, state, of), or a clip that is being fetched.
Key = int | tuple[str, str, str] | FetchKey


@dataclass(frozen=True)
class Answers:
    """How a connection lets its takers answer: say once, plan (again) what is kept, or stop repeating it."""

    say: Callable[[UplinkKind, WireMessage], None]
    plan: Callable[[Key, float], None]
    settle: Callable[[Key], None]


class Owing:
    """Receipts on disk first, and then on their way."""

    def __init__(self, body: WatchBody, answers: Answers) -> None:
        self._body = body
        self._answers = answers

    def receipt(
        self, ref: str, state: ReceiptState, *, of: str | None = None, detail: str | None = None
    ) -> OwedReceipt:
        """Return a receipt of now."""
        return OwedReceipt(ref, state.value, of, detail, **self._body.dated())

    def owe(self, ref: str, state: ReceiptState, *, of: str | None = None, detail: str | None = None) -> None:
        """Owe a receipt until it is answered, and say it now."""
        self._body.store.items.owe(self.receipt(ref, state, of=of, detail=detail))
        self.plan(ref, state, of=of)

    def plan(self, ref: str, state: ReceiptState, *, of: str | None = None) -> None:
        """Say now what is owed already."""
        self._answers.plan((ref, state.value, of or ""), 0.0)

    def refuse_item(self, ref: str, detail: Detail) -> None:
        """Answer an item that this watch cannot show, so that its sender is told and the next one comes."""
        self.owe(ref, ReceiptState.REJECTED, detail=detail.value)
        self._body.events.emit(EventKind.REFUSED_ITEM, ref=ref, detail=detail.value)
