"""Upload of the child's recordings: chunks before their `end`, and after `missing` the missing ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from services.device_sim.watch.body import WatchBody
from services.device_sim.watch.records import Outgoing
from services.device_sim.watch.timings import backoff_s
from services.protocol import codec
from services.protocol.uplink import VoiceEnd


@dataclass(frozen=True)
class ChunkToSay:
    """One chunk, ready to be published."""

    number: int
    wire_id: str
    chunk: int
    payload: bytes


class Uploads:
    """Which chunks of which recordings are due on one connection; the recordings themselves are on disk.

    A recording that was begun on an earlier connection is continued by its `end` alone: the backend answers with the
    chunks that are missing.
    """

    def __init__(self, body: WatchBody) -> None:
        self._body = body
        self._to_say: dict[int, deque[int]] = {}
        self._requested: dict[int, Sequence[int]] = {}
        self._repeats: dict[int, tuple[Sequence[int], int]] = {}

    def begin(self, record: Outgoing) -> None:
        """Schedule every chunk, from the first."""
        self._requested.pop(record.number, None)
        self._to_say[record.number] = deque(range(end_of(record).chunks))

    def take_missing(self, record: Outgoing, missing: Sequence[int]) -> float | None:
        """Record the missing chunks; return the wait in seconds before they are due, None if nothing is.

        No wait, unless the same chunks were missing before: a backend that stays incomplete must not be flooded.
        """
        wanted = [number for number in missing if number < end_of(record).chunks]
        if not wanted:
            return None
        last, times = self._repeats.get(record.number, ((), 0))
        times = times + 1 if wanted == last else 0
        self._repeats[record.number] = (wanted, times)
        self._requested[record.number] = wanted
        timings = self._body.timings
        # At once for the first time: the chunks may have been lost, or discarded together because the hash did not fit.
        if times <= 1:
            return 0.0
        return backoff_s(times - 2, timings.receipt_first_s, timings.receipt_max_s, self._body.random_source)

    def is_saying(self, number: int) -> bool:
        """Return whether chunks are due before the `end` of this recording; begins with the requested ones."""
        if number in self._requested:
            self._to_say[number] = deque(self._requested.pop(number))
        return bool(self._to_say.get(number))

    def forget(self, number: int) -> None:
        """Remove a recording: its receipt has come."""
        self._to_say.pop(number, None)
        self._requested.pop(number, None)
        self._repeats.pop(number, None)

    def next_chunk(self) -> ChunkToSay | None:
        """Return the next chunk of the oldest recording; None without one."""
        for number, chunks in self._to_say.items():
            if chunks:
                chunk = chunks.popleft()
                record = self._body.store.outgoing.get(number)
                sound = self._body.store.outgoing.recorded_chunk(number, chunk)
                payload = codec.encode_chunk(sound, binary=self._body.traits.binary)
                return ChunkToSay(number, record.wire_id, chunk, payload)
        return None


def end_of(record: Outgoing) -> VoiceEnd:
    """Return the `end` of a recording."""
    return codec.decode_json(record.payload, VoiceEnd)
