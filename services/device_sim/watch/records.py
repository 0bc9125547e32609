"""Records of the watch's memory."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from services.protocol.downlink import ItemVoice


class WatchRefusedError(Exception):
    """The watch itself refuses a request of the child or script; the message is for people."""


@dataclass(frozen=True)
class FactoryIdentity:
    """Written by the factory. The secret stands in no log and on no label."""

    serial: str
    secret: str


class OutgoingState(StrEnum):
    """Progress of an uplink; STORED and REJECTED are final."""

    QUEUED = "queued"
    SENT = "sent"  # published; no receipt yet
    STORED = "stored"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Outgoing:
    """A stored uplink. `number` stays, `wire_id` changes after an id conflict."""

    number: int
    wire_id: str
    kind: str  # the uplink kind, which is also its topic
    payload: bytes
    state: OutgoingState
    detail: str | None
    retry_at: float | None  # not before this time of the watch's own clock


class IncomingState(StrEnum):
    """State of an item on the watch."""

    DELIVERED = "delivered"
    PLAYED = "played"
    REMOVED = "removed"
    REJECTED = "rejected"


# States that the child can see.
IN_INBOX = frozenset({IncomingState.DELIVERED, IncomingState.PLAYED})


@dataclass(frozen=True)
class Incoming:
    """One item of the inbox. `text` is what is shown; a removed item has no content."""

    ref: str
    seq: int
    kind: str
    sender: str
    text: str
    tst: int
    state: IncomingState
    duration_ms: int | None = None  # of a voice message, as its sender said


@dataclass(frozen=True)
class Transfer:
    """A clip that is being fetched: its manifest, and which of its chunks are stored."""

    ref: str
    announced: ItemVoice
    received: frozenset[int]

    @property
    def is_whole(self) -> bool:
        """Whether every chunk is stored."""
        return len(self.received) == self.announced.voice.chunks

    def next_missing(self, window: int) -> range:
        """Return the first run of missing chunks, at most a window long; empty when none is missing."""
        chunks = self.announced.voice.chunks
        first = next((number for number in range(chunks) if number not in self.received), chunks)
        last = first
        while last < min(chunks, first + window) and last not in self.received:
            last += 1
        return range(first, last)

    def size_of(self, number: int) -> int:
        """Return the length of this chunk in bytes; 0 for a number outside the clip."""
        voice = self.announced.voice
        if not 0 <= number < voice.chunks:
            return 0
        return min(voice.chunk_bytes, voice.bytes - number * voice.chunk_bytes)


@dataclass(frozen=True)
class OwedReceipt:
    """An `up/receipt` that is sent again until it is answered. `of` is set for `seen` only."""

    ref: str
    state: str
    of: str | None = None
    detail: str | None = None
    tst: int = 0
    boot: int | None = None
    mono_s: int | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """The fields that its answer repeats."""
        return (self.ref, self.state, self.of or "")


@dataclass(frozen=True)
class SentState:
    """State of the child's message `wire_id` at contact `by`."""

    wire_id: str
    by: str
    state: str
    detail: str | None


@dataclass(frozen=True)
class ShownCode:
    """The pairing code as the watch shows it; `expires_tst` is server time."""

    code: str
    qr: str
    expires_tst: int
