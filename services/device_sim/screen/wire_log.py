"""The wire log: every message between a watch and its broker, decoded, with the message that answered it."""

from __future__ import annotations

import json
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from services.device_sim.watch.faults import FaultyLine
from services.device_sim.watch.line import PublishPacket
from services.device_sim.watch.mqtt_packets import Published
from services.protocol.errors import ProtocolError
from services.protocol.frames import read_downlink, read_uplink
from services.protocol.topics import (
    Downlink,
    DownlinkKind,
    MalformedTopic,
    UnknownKind,
    Uplink,
    UplinkKind,
    parse_downlink,
    parse_uplink,
)
from services.protocol.words import CONFIG, CONTACTS, HELLO

UP, DOWN, LINE = "up", "down", "line"
_ENTRIES_KEPT: Final = 300
_SHOWN_CHARS: Final = 1_200
# Messages without an answer stay open; the oldest is given up.
_OPEN_KEPT: Final = 500
# Values that admit somebody; the page is shown on a projector.
_SECRET_FIELDS: Final = frozenset({"password", "iccid"})
_HIDDEN: Final = "•••"

Key = tuple[str, ...]


@dataclass
class Entry:
    """One line of the log. `size_bytes` is the payload's; `lost` means that a fault kept it from arriving.

    `answered_by` and `answers` are numbers of other entries. `fault` is the reason why a payload cannot be read.
    """

    number: int
    at_ms: int
    direction: str
    topic: str
    level: str
    size_bytes: int
    frame: str
    lost: bool = False
    fault: str | None = None
    answered_by: int | None = None
    answer_ms: int | None = None
    answers: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the entry as the page reads it."""
        return asdict(self)


class WireLog:
    """The newest entries. Listeners are called with each entry that is new or was answered."""

    def __init__(self, now_s: Callable[[], float] = time.time) -> None:
        self._now_s = now_s
        self._entries: deque[Entry] = deque(maxlen=_ENTRIES_KEPT)
        self._open: OrderedDict[Key, Entry] = OrderedDict()
        self._count = 0
        self.listeners: list[Callable[[Entry], None]] = []

    def entries(self) -> list[Entry]:
        """Return the entries that are kept, oldest first."""
        return list(self._entries)

    def note(self, what: str) -> None:
        """Add a line about the connection itself."""
        self._add(Entry(self._next(), self._now_ms(), LINE, "", "", 0, what))

    def add(self, direction: str, topic: str, payload: bytes, *, lost: bool) -> None:
        """Add a message, and mark the message that it answers."""
        parsed = parse_uplink(topic) if direction == UP else parse_downlink(topic)
        fields = _fields(payload)
        entry = Entry(
            self._next(), self._now_ms(), direction, topic, "/".join(topic.split("/")[4:]), len(payload),
            _shown(parsed, payload, fields), lost=lost, fault=_fault(parsed, payload),
        )  # fmt: skip
        self._add(entry)
        if lost or fields is None or not isinstance(parsed, Uplink | Downlink):
            if not lost:
                self._settle(entry, _chunk_keys(parsed))
            return
        self._settle(entry, _answered(parsed, fields))
        for key in _expected(parsed, fields):
            self._open[key] = entry
            self._open.move_to_end(key)
        while len(self._open) > _OPEN_KEPT:
            self._open.popitem(last=False)

    def _settle(self, entry: Entry, keys: Iterator[Key]) -> None:
        for key in keys:
            question = self._open.pop(key, None)
            if question is None:
                continue
            entry.answers = question.number
            question.answered_by, question.answer_ms = entry.number, entry.at_ms - question.at_ms
            self._tell(question)
            self._tell(entry)

    def _add(self, entry: Entry) -> None:
        self._entries.append(entry)
        self._tell(entry)

    def _tell(self, entry: Entry) -> None:
        for listener in self.listeners:
            listener(entry)

    def _next(self) -> int:
        self._count += 1
        return self._count

    def _now_ms(self) -> int:
        return int(self._now_s() * 1000)


class LoggedLine(FaultyLine):
    """A line with faults whose messages are logged as they are sent and received."""

    def __init__(self, log: WireLog, seed: int = 0) -> None:
        super().__init__(seed)
        self._log = log

    def outgoing(self, packet: PublishPacket) -> Sequence[PublishPacket]:
        """Log what leaves instead of a publish."""
        sent = super().outgoing(packet)
        for leaving in sent or (packet,):
            self._log.add(UP, leaving.topic, leaving.payload, lost=not sent)
        return sent

    def incoming(self, message: Published) -> Sequence[Published]:
        """Log what arrives instead of a message."""
        arrived = super().incoming(message)
        for arriving in arrived or (message,):
            self._log.add(DOWN, arriving.topic, arriving.payload, lost=not arrived)
        return arrived


def _fields(payload: bytes) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return None


def _is_chunk(parsed: object) -> bool:
    if isinstance(parsed, Uplink):
        return parsed.kind is UplinkKind.VOICE_CHUNK
    return isinstance(parsed, Downlink) and parsed.kind is DownlinkKind.ITEM_CHUNK


def _shown(parsed: Uplink | Downlink | UnknownKind | MalformedTopic, payload: bytes, fields: Any) -> str:  # noqa: ANN401
    if _is_chunk(parsed) or fields is None:
        return "" if _is_chunk(parsed) else payload[:_SHOWN_CHARS].decode(errors="replace")
    text = json.dumps(_without_secrets(fields), ensure_ascii=False)
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]} …"


def _without_secrets(fields: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(fields, dict):
        return {
            name: _HIDDEN if name in _SECRET_FIELDS and value is not None else _without_secrets(value)
            for name, value in fields.items()
        }
    return [_without_secrets(element) for element in fields] if isinstance(fields, list) else fields


def _fault(parsed: Uplink | Downlink | UnknownKind | MalformedTopic, payload: bytes) -> str | None:
    try:
        if isinstance(parsed, Uplink):
            read_uplink(parsed, payload)
        elif isinstance(parsed, Downlink):
            read_downlink(parsed, payload)
        elif isinstance(parsed, MalformedTopic):
            return f"topic: {parsed.fault}"
        else:
            return "unknown_kind"
    except ProtocolError as error:
        return str(error)
    return None


# ------------------------------------------------------------------------- which message answers which

_WITH_ID: Final = frozenset({UplinkKind.TEXT, UplinkKind.ALERT, UplinkKind.LOCATION, UplinkKind.USAGE})
_PAIRING_KEY: Final[Key] = ("pairing",)
_HELLO_KEY: Final[Key] = (HELLO,)


def _expected(parsed: Uplink | Downlink, fields: Any) -> Iterator[Key]:  # noqa: ANN401 - any JSON
    """Yield the keys of the answers that a message waits for."""
    for content in _objects(fields):
        yield from _expected_up(parsed, content) if isinstance(parsed, Uplink) else _expected_down(parsed, content)


def _answered(parsed: Uplink | Downlink, fields: Any) -> Iterator[Key]:  # noqa: ANN401 - any JSON
    """Yield the keys of the messages that a message answers."""
    for content in _objects(fields):
        yield from _answered_up(parsed, content) if isinstance(parsed, Uplink) else _answered_down(parsed, content)


def _objects(fields: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - any JSON
    return [element for element in (fields if isinstance(fields, list) else [fields]) if isinstance(element, dict)]


def _chunk_keys(parsed: object) -> Iterator[Key]:
    if isinstance(parsed, Downlink) and parsed.kind is DownlinkKind.ITEM_CHUNK:
        yield ("fetch", parsed.ref or "")


def _expected_up(parsed: Uplink, fields: dict[str, Any]) -> Iterator[Key]:
    match parsed.kind:
        case UplinkKind.PAIRING:
            yield _PAIRING_KEY
        case UplinkKind.HELLO:
            yield _HELLO_KEY
        case UplinkKind.VOICE_END:
            yield ("receipt", parsed.ref or "", "")
        case UplinkKind.RECEIPT:
            yield ("receipt", str(fields.get("ref")), str(fields.get("state")))
        case UplinkKind.FETCH:
            yield ("fetch", str(fields.get("ref")))
        case kind if kind in _WITH_ID:
            yield ("receipt", str(fields.get("id")), "")


def _expected_down(parsed: Downlink, fields: dict[str, Any]) -> Iterator[Key]:
    match parsed.kind:
        case DownlinkKind.ITEM:
            yield ("item", parsed.ref or "")
        case DownlinkKind.CONTACTS:
            yield ("ack", CONTACTS)
        case DownlinkKind.CONFIG:
            yield ("ack", CONFIG)
        case DownlinkKind.COMMAND:
            yield ("ack", str(fields.get("id")))
        case DownlinkKind.STATE:
            yield ("seen", str(fields.get("ref")))


def _answered_up(parsed: Uplink, fields: dict[str, Any]) -> Iterator[Key]:
    ref = str(fields.get("ref"))
    match parsed.kind:
        case UplinkKind.FETCH:
            yield ("item", ref)
        case UplinkKind.RECEIPT:
            yield ("seen" if fields.get("state") == "seen" else "item", ref)
        case UplinkKind.ACK:
            yield ("ack", ref)
        case UplinkKind.LOCATION if fields.get("reply_to"):
            yield ("ack", str(fields["reply_to"]))


def _answered_down(parsed: Downlink, fields: dict[str, Any]) -> Iterator[Key]:
    match parsed.kind:
        case DownlinkKind.PAIRING:
            yield _PAIRING_KEY
        case DownlinkKind.TIME:
            yield _HELLO_KEY
        case DownlinkKind.RECEIPT:
            state, many = fields.get("state"), fields.get("refs")
            for ref in map(str, [fields.get("ref"), *(many if isinstance(many, list) else [])]):
                yield ("receipt", ref, "" if state is None else str(state))
                yield _HELLO_KEY if ref == HELLO else ("fetch", ref)
