"""Records in Postgres which watches have lost their connection, and which send packets that the protocol forbids.

The broker sends a watch's will only when a connection breaks: not when the watch closes it, nor when the broker does,
nor for the connections of a Mosquitto or a broker process that was killed. So the broker process compares, every 15 s,
the watches that count as online with those that are connected according to Mosquitto's log.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Final, Protocol

from services.broker.connections import Connections
from services.broker.errors import BrokerError
from services.core.platform.log.rate_limited import RateLimitedLog

_CHECK_EVERY_S: Final = 15.0
# A watch that changes cells is back within seconds, which is no news to a parent.
GRACE_S: Final = 10.0
# After a start or an end of Mosquitto watches come back: 5 s and more by the protocol. Together: less than a minute.
SETTLING_S: Final = 30.0


class ConnectionRecord(Protocol):
    """Where the end of connections is recorded."""

    async def record_absent(self, connected: set[str]) -> None:
        """Record every watch that counts as online and is not among ``connected`` as offline."""

    async def record_refused(self, counts: Mapping[str, int]) -> None:
        """Add to the count of packets that the broker refused of each user."""


class PresenceWriter:
    """Records watches without a connection; ``run`` goes on until it is cancelled."""

    def __init__(self, connections: Connections, record: ConnectionRecord) -> None:
        self._connections = connections
        self._record = record
        self._log = RateLimitedLog()

    async def run(self) -> None:
        """Compare every 15 s; while Postgres does not answer, the next comparison makes up for it."""
        while True:
            await asyncio.sleep(_CHECK_EVERY_S)
            try:
                await self.write()
            except BrokerError as error:
                self._log.warning("presence_not_recorded", reason=error.code)

    async def write(self) -> None:
        """Compare once, and record refused packets; no end is recorded for 30 s after a start or end of Mosquitto."""
        refused = Counter(self._connections.refused_packets)
        if refused:
            await self._record.record_refused(refused)
            self._connections.refused_packets -= refused
        if self._connections.is_settled(SETTLING_S):
            await self._record.record_absent(self._connections.connected_within(GRACE_S))
