"""Handling of downlinks: one method a kind; stored first, answered afterwards."""

from __future__ import annotations

from typing import Any

from services.device_sim.watch.answers import Answers, ReceiptSender
from services.device_sim.watch.body import WatchBody
from services.device_sim.watch.commanding import CommandRunner
from services.device_sim.watch.events import EventKind
from services.device_sim.watch.records import Incoming, IncomingState, Outgoing, OutgoingState, SentState
from services.device_sim.watch.repeats import PartsCollector
from services.device_sim.watch.voice_down import Fetching
from services.device_sim.watch.voice_up import Uploads
from services.protocol import codec
from services.protocol.downlink import (
    AlertSeen,
    Command,
    Config,
    Contact,
    Contacts,
    Item,
    ItemEmoji,
    ItemRemoved,
    ItemText,
    ItemUnknown,
    ItemVoice,
    Receipt,
    State,
    Time,
)
from services.protocol.frames import DownlinkMessage
from services.protocol.location import Location
from services.protocol.topics import Downlink, UplinkKind
from services.protocol.uplink import Ack, Alert, Text, Usage
from services.protocol.words import (
    CONFIG,
    CONTACTS,
    HELLO,
    AckState,
    Detail,
    ReceiptCode,
    ReceiptState,
)

# A smaller difference is the network's delay, not a wrong clock.
_CLOCK_STEP_S = 2.0
_RETRY_AFTER_DEFAULT_S = 60.0
# Kinds whose id is in the payload; a clip has it in the topic.
_WITH_ID: dict[str, type[Text | Alert | Location | Usage]] = {
    UplinkKind.TEXT: Text, UplinkKind.ALERT: Alert, UplinkKind.LOCATION: Location, UplinkKind.USAGE: Usage,
}  # fmt: skip


class DownlinkReceiver:
    """Receives downlinks in their order. Parts of a message are collected for one connection only."""

    def __init__(self, body: WatchBody, answers: Answers, uploads: Uploads) -> None:
        self._body = body
        self._store = body.store
        self._answers = answers
        self._uploads = uploads
        self._owing = ReceiptSender(body, answers)
        self.fetching = Fetching(body, answers, self._owing)
        self.commanded = CommandRunner(body, answers)
        self._contact_parts: PartsCollector[list[Contact]] = PartsCollector()
        self._config_parts: PartsCollector[Config] = PartsCollector()
        self._text_parts: PartsCollector[str] = PartsCollector()
        self.protocol_refused = False

    def take(self, topic: Downlink, message: DownlinkMessage) -> None:
        """Store a downlink and schedule its answer. An unknown kind is rejected or ignored."""
        ref = topic.ref or ""
        match message:
            case bytes():
                if not self.fetching.take_chunk(ref, topic.chunk or 0, message):
                    self._emit(EventKind.FRAME_IGNORED, topic=topic.kind.value, detail="unexpected")
            case Time():
                self._take_time(message)
            case Contacts() | Config():
                self._take_list(message)
            case ItemText() | ItemEmoji() | ItemRemoved() | ItemVoice() | ItemUnknown():
                self._take_any_item(ref, message)
            case Receipt():
                self._take_receipt(message)
            case State():
                self._take_state(message)
            case Command():
                self.commanded.take(message)
            case AlertSeen():
                self._body.calls.take(message)
            case _:
                self._emit(EventKind.FRAME_IGNORED, topic=topic.kind.value, detail="unexpected")

    def _emit(self, kind: EventKind, **fields: Any) -> None:  # noqa: ANN401 - fields are of any type
        self._body.events.emit(kind, **fields)

    # ---------------------------------------------------------------- time and lists

    def _take_time(self, message: Time) -> None:
        ahead_s = message.tst - self._body.clock()
        held_s = self._store.server_ahead_s()
        if held_s is None or abs(held_s - ahead_s) >= _CLOCK_STEP_S:
            self._store.set_server_ahead(ahead_s)

    def _take_list(self, message: Contacts | Config) -> None:
        if isinstance(message, Contacts):
            self._take_contacts(message)
        else:
            self._take_config(message)

    def _take_contacts(self, message: Contacts) -> None:
        parts = self._contact_parts.add(message.version, message.part, message.parts, message.contacts)
        if parts is None:
            return
        if message.version != self._store.contacts_version():
            contacts = [contact for part in parts for contact in part]
            self._store.set_contacts(message.version, contacts)
            self._emit(EventKind.CONTACTS_TAKEN, version=message.version, count=len(contacts))
        self._acknowledge(CONTACTS, message.version)

    def _take_config(self, message: Config) -> None:
        parts = self._config_parts.add(message.version, message.part, message.parts, message)
        if parts is None:
            return
        if message.version != self._store.config_version():
            quiet = [time for part in parts for time in part.quiet]
            self._store.set_config(parts[0].model_copy(update={"part": 1, "parts": 1, "quiet": quiet}))
            self._emit(EventKind.CONFIG_TAKEN, version=message.version)
        self._acknowledge(CONFIG, message.version)

    def _acknowledge(self, ref: str, version: int) -> None:
        # Not stored: a lost ack is repaired by the next hello, which carries the versions.
        self._answers.say(UplinkKind.ACK, Ack(ref=ref, version=version, state=AckState.DONE, **self._body.dated()))

    # ---------------------------------------------------------------- items

    def _take_any_item(self, ref: str, message: Item) -> None:
        match message:
            case ItemText():
                self._take_text(ref, message)
            case ItemEmoji():
                self._take_item(ref, message, str(message.emoji))
            case ItemRemoved():
                self._take_removed(ref, message)
            case ItemVoice():
                if self._store.items.find(ref) is None:
                    self.fetching.take_item(ref, message)
                else:
                    self._take_again(ref)
            case ItemUnknown():
                self.refuse_item(ref, Detail.UNSUPPORTED_KIND)

    def _take_text(self, ref: str, message: ItemText) -> None:
        pieces = self._text_parts.add(ref, message.part, message.parts, message.text)
        if pieces is not None:
            self._take_item(ref, message, "".join(pieces))

    def _take_item(self, ref: str, message: ItemText | ItemEmoji, text: str) -> None:
        if not self._body.has_room and self._store.items.find(ref) is None:
            self._owing.owe(ref, ReceiptState.LATER)
            return
        item = Incoming(ref, message.seq, message.kind, message.sender, text, message.tst, IncomingState.DELIVERED)
        if not self._store.items.store(item, self._owing.receipt(ref, ReceiptState.DELIVERED)):
            self._take_again(ref)
            return
        self._owing.plan(ref, ReceiptState.DELIVERED)
        self._emit(
            EventKind.RECEIVED, ref=ref, seq=message.seq, item_kind=message.kind, sender=message.sender, text=text,
            silent=self._body.is_quiet(),
        )  # fmt: skip

    def _take_again(self, ref: str) -> None:
        """Announced although it is here: the backend has no receipt, and possibly no `played`."""
        self._owing.owe(ref, ReceiptState.DELIVERED)
        item = self._store.items.find(ref)
        if item is not None and item.state is IncomingState.PLAYED:
            self._owing.owe(ref, ReceiptState.PLAYED)

    def _take_removed(self, ref: str, message: ItemRemoved) -> None:
        announcement = Incoming(ref, message.seq, message.kind, "", "", 0, IncomingState.REMOVED)
        if self._store.items.remove(message.ref, announcement, self._owing.receipt(ref, ReceiptState.DELIVERED)):
            self._emit(EventKind.REMOVED, ref=message.ref)
        self._owing.plan(ref, ReceiptState.DELIVERED)

    def refuse_item(self, ref: str, detail: Detail) -> None:
        """Reject an item that this watch cannot show: its sender is notified and the next item follows."""
        self._owing.refuse_item(ref, detail)

    # ---------------------------------------------------------------- receipts

    def _take_receipt(self, message: Receipt) -> None:
        if message.ref == HELLO:
            if message.code == ReceiptCode.REJECTED and message.detail == Detail.PROTOCOL:
                self.protocol_refused = True
                self._emit(EventKind.PROTOCOL_REFUSED, lowest=message.min, highest=message.max)
            return
        if message.state is not None and message.ref is not None:
            self._settle_receipt(message, message.ref, str(message.state))
            return
        refs = [*(message.refs or []), *([message.ref] if message.ref is not None else [])]
        for ref in refs:
            self._settle_outgoing(
                message, ref, str(message.code), None if message.detail is None else str(message.detail)
            )
        for entry in message.rejected or []:
            if entry.ref is not None:
                self._settle_outgoing(message, entry.ref, ReceiptCode.REJECTED, str(entry.detail))
        if not refs and not message.rejected:
            self._emit(EventKind.FRAME_REFUSED, topic=message.topic, detail=str(message.detail))

    def _settle_receipt(self, message: Receipt, ref: str, state: str) -> None:
        of = None if message.of is None else str(message.of)
        if message.code == ReceiptCode.RETRY:
            self._answers.plan((ref, state, of or ""), _retry_after_s(message))
            return
        if message.code not in {ReceiptCode.STORED, ReceiptCode.DUPLICATE, ReceiptCode.REJECTED}:
            return
        self._answers.settle((ref, state, of or ""))
        if self._store.items.settle_receipt(ref, state, of):
            self._emit(EventKind.RECEIPT_SETTLED, ref=ref, state=state, of=of, code=str(message.code))

    def _settle_outgoing(self, message: Receipt, ref: str, code: str, detail: str | None) -> None:
        record = self._store.outgoing.find(ref)
        if record is None:
            if code in {ReceiptCode.RETRY, ReceiptCode.REJECTED}:
                self.fetching.take_refusal(ref, _retry_after_s(message) if code == ReceiptCode.RETRY else None)
            return
        number = record.number
        if code in {ReceiptCode.STORED, ReceiptCode.DUPLICATE}:
            self._settle(number)
            if self._store.outgoing.mark_answered(ref, OutgoingState.STORED):
                self._emit(EventKind.STORED, wire_id=ref, number=number)
        elif code == ReceiptCode.REJECTED and detail == Detail.ID_CONFLICT:
            self._send_under_fresh_id(ref)
        elif code == ReceiptCode.REJECTED:
            self._settle(number)
            if self._store.outgoing.mark_answered(ref, OutgoingState.REJECTED, detail):
                self._emit(EventKind.NOT_SENT, wire_id=ref, number=number, detail=detail)
        elif code == ReceiptCode.RETRY:
            retry_after_s = _retry_after_s(message)
            self._store.outgoing.postpone(ref, self._body.clock() + retry_after_s)
            self._answers.plan(number, retry_after_s)
            self._emit(EventKind.POSTPONED, wire_id=ref, number=number, retry_after_s=retry_after_s)

        elif code == ReceiptCode.MISSING:
            self._take_missing(record, message)

    def _settle(self, number: int) -> None:
        self._answers.settle(number)
        self._uploads.forget(number)

    def _take_missing(self, record: Outgoing, message: Receipt) -> None:
        if record.kind != UplinkKind.VOICE_END or record.state is not OutgoingState.SENT:
            return
        wait_s = self._uploads.take_missing(record, message.missing or [])
        if wait_s is not None:
            self._answers.plan(record.number, wait_s)
            self._emit(
                EventKind.CHUNKS_MISSING,
                wire_id=record.wire_id,
                number=record.number,
                missing=len(message.missing or []),
            )

    def _send_under_fresh_id(self, ref: str) -> None:
        record = self._store.outgoing.find(ref)
        if record is None or record.state not in {OutgoingState.QUEUED, OutgoingState.SENT}:
            return
        fresh = self._body.new_id()
        payload = record.payload
        model = _WITH_ID.get(record.kind)
        if model is not None:
            payload = codec.encode(codec.decode_json(payload, model).model_copy(update={"id": fresh}))
        self._store.outgoing.give_fresh_id(record.number, fresh, payload)
        self._uploads.forget(record.number)
        self._body.calls.renamed(ref, fresh)
        self._answers.plan(record.number, 0.0)
        self._emit(EventKind.FRESH_ID, number=record.number, old_id=ref, wire_id=fresh)

    # ---------------------------------------------------------------- the rest

    def _take_state(self, message: State) -> None:
        detail = None if message.detail is None else str(message.detail)
        new = self._store.outgoing.record_sent_state(SentState(message.ref, message.by, str(message.state), detail))
        self._owing.owe(message.ref, ReceiptState.SEEN, of=str(message.state))
        if new:
            self._emit(
                EventKind.SENT_STATE, wire_id=message.ref, by=message.by, state=str(message.state), detail=detail
            )


def _retry_after_s(message: Receipt) -> float:
    return _RETRY_AFTER_DEFAULT_S if message.retry_after_s is None else float(message.retry_after_s)
