"""What the child said, on its way: chunks before their `end`, and after `missing` those that are missing."""

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
    """One chunk, as it is to be published."""

    number: int
    wire_id: str
    chunk: int
    payload: bytes


class Uploads:
    """Which chunks of which recordings are to be said, for one connection; the recordings themselves are on disk.

    A recording that was begun on an earlier connection is asked after by its `end` alone: the backend knows what it
    has, and says what is missing.
    """

    def __init__(self, body: WatchBody) -> None:
        self._body = body
        self._to_say: dict[int, deque[int]] = {}
        self._asked: dict[int, Sequence[int]] = {}
        self._told: dict[int, tuple[Sequence[int], int]] = {}

    def begin(self, record: Outgoing) -> None:
        """Say every chunk, from the first."""
        self._asked.pop(record.number, None)
        self._to_say[record.number] = deque(range(end_of(record).chunks))

    def take_missing(self, record: Outgoing, missing: Sequence[int]) -> float | None:
        """Note what is missing; return after how many seconds it is to be said, None if there is nothing to say.

        At once, unless the same was missing before: a backend that never gets enough is not to be flooded.
        """
        wanted = [number for number in missing if number < end_of(record).chunks]
        if not wanted:
            return None
        last, times = self._told.get(record.number, ((), 0))
        times = times + 1 if wanted == last else 0
        self._told[record.number] = (wanted, times)
        self._asked[record.number] = wanted
        timings = self._body.timings
        # Once more at once: what was said may have been lost, or judged as a whole (its hash did not fit).
        if times <= 1:
            return 0.0
        return backoff_s(times - 2, timings.receipt_first_s, timings.receipt_max_s, self._body.random_source)

    def is_saying(self, number: int) -> bool:
        """Tell whether chunks go before the `end` of this recording; begins with those that were asked for."""
        if number in self._asked:
            self._to_say[number] = deque(self._asked.pop(number))
        return bool(self._to_say.get(number))

    def forget(self, number: int) -> None:
        """Its receipt has come."""
        self._to_say.pop(number, None)
        self._asked.pop(number, None)
        self._told.pop(number, None)

    def next_chunk(self) -> ChunkToSay | None:
        """Return the next chunk to say, of the oldest recording first; None: there is none."""
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
