"""How fast each watch may talk. One process reads uplinks, so that its memory is enough."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from services.core.platform.limits.rules import Bucket, Limit, Limits, take, whole_seconds
from services.protocol.topics import Uplink, UplinkKind, User

# Beyond so many, buckets that are full again and clips that were cut are forgotten: ten times the largest programme.
_MOST_KEPT: Final = 100_000


class Rates:
    """The buckets of all watches that talked lately."""

    def __init__(self, limit: Limit = Limits.MESSAGES_OF_WATCH.value) -> None:
        self._limit = limit
        self._buckets: dict[str, Bucket] = {}
        # Clips of which a chunk was let go: chunks have no receipt, so that the clip's end has to say it.
        self._cut: dict[tuple[str, str], None] = {}

    def wait_s(self, user: User, uplink: Uplink | None, now: datetime) -> int | None:
        """Count a message; return after how long it may come again, or None: it is to be taken now.

        ``uplink`` None: a topic of no kind that we know. The end of a clip whose chunk was let go is put off, too.
        """
        name = user.name
        taken = take(self._limit, self._buckets.get(name), now)
        self._buckets[name] = taken.bucket
        self._forget(now)
        wait_s = whole_seconds(taken.wait) if taken.wait else None
        if uplink is None or uplink.ref is None:
            return wait_s
        clip = (name, uplink.ref)
        if uplink.kind is UplinkKind.VOICE_CHUNK and wait_s is not None:
            self._cut[clip] = None
        if uplink.kind is UplinkKind.VOICE_END and clip in self._cut:
            del self._cut[clip]
            return wait_s or 1
        return wait_s

    def _forget(self, now: datetime) -> None:
        if len(self._buckets) > _MOST_KEPT:
            self._buckets = {
                name: bucket for name, bucket in self._buckets.items() if now - bucket.filled_at < self._limit.fills_in
            }
        while len(self._cut) > _MOST_KEPT:
            del self._cut[next(iter(self._cut))]
