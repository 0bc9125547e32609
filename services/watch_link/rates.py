"""The rate at which each watch may send, in messages and in bytes. One process reads uplinks: its memory is enough."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from services.core.platform.limits.rules import Bucket, Limit, Limits, take, whole_seconds
from services.protocol.topics import Uplink, UplinkKind, User

# Beyond this many, full buckets and incomplete clips are dropped: ten times the largest programme.
_ENTRIES_MAX: Final = 100_000


class Rates:
    """The token buckets of all watches that sent lately, and the clips of which a chunk was not handled."""

    def __init__(
        self, messages: Limit = Limits.MESSAGES_OF_WATCH.value, size_bytes: Limit = Limits.BYTES_OF_WATCH.value
    ) -> None:  # fmt: skip
        self._limits = (messages, size_bytes)
        self._buckets: tuple[dict[str, Bucket], dict[str, Bucket]] = ({}, {})
        # Chunks have no receipt: the end of a clip tells the watch that a chunk was not handled.
        self._incomplete: dict[tuple[str, str], None] = {}

    def wait_s(self, user: User, uplink: Uplink | None, size_bytes: int, now: datetime) -> int | None:
        """Count a message; return the seconds after which it may be sent again, or None: it is handled now.

        ``uplink`` is None for a topic of an unknown kind. The end of a clip of which a chunk was not handled is put
        off once, too, so that the watch learns the missing chunks from its next try.
        """
        wait_s: int | None = None
        for limit, buckets, cost in zip(self._limits, self._buckets, (1, size_bytes), strict=True):
            taken = take(limit, buckets.get(user.name), now, min(cost, limit.burst))
            buckets[user.name] = taken.bucket
            if taken.wait:
                wait_s = whole_seconds(taken.wait)
                break
        self._forget(now)
        if uplink is None:
            return wait_s
        if wait_s is not None:
            self.note_unhandled(uplink)
        if uplink.kind is UplinkKind.VOICE_END and self._end_is_put_off(uplink):
            return wait_s or 1
        return wait_s

    def note_unhandled(self, uplink: Uplink) -> None:
        """Remember the clip of a chunk that was acknowledged and not stored."""
        if uplink.kind is UplinkKind.VOICE_CHUNK and uplink.ref is not None:
            self._incomplete[uplink.user.name, uplink.ref] = None

    def _end_is_put_off(self, uplink: Uplink) -> bool:
        clip = (uplink.user.name, uplink.ref or "")
        if clip not in self._incomplete:
            return False
        del self._incomplete[clip]
        return True

    def _forget(self, now: datetime) -> None:
        for limit, buckets in zip(self._limits, self._buckets, strict=True):
            if len(buckets) > _ENTRIES_MAX:
                kept = {name: bucket for name, bucket in buckets.items() if now - bucket.filled_at < limit.fills_in}
                buckets.clear()
                buckets.update(kept)
        while len(self._incomplete) > _ENTRIES_MAX:
            del self._incomplete[next(iter(self._incomplete))]
