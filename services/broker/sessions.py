"""Bounds on the sessions that Mosquitto keeps for watches, for which it has no setting.

A watch should connect with a clean session. One that does not has a session that outlives its connection: messages
for it and its subscriptions stay in memory and in the persistence file. The broker process drops such a session half an
hour after its watch left, and at once when it holds more than 1 MiB. The backend's listener pins no client id, so a
clean session under the watch's name replaces the old one.
"""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from services.broker.configuration import local_host
from services.broker.connections import Connections
from services.broker.errors import BrokerError
from services.broker.passwords import BACKEND_USERNAME, is_watch_username
from services.broker.persistence import session_sizes
from services.broker.probe import probe_login
from services.broker.process import MosquittoProcess
from services.core.platform.log.rate_limited import RateLimitedLog, RateLimiter

log = structlog.get_logger()

# Long enough for a person who tries the protocol by hand; the promise is an hour.
KEPT_AFTER_LEAVING_S: Final = 1800.0
SESSION_MAX_BYTES: Final = 1_048_576
# The bridge's own queue may hold 64 MiB while the bridge is away; half of that is worth an alarm.
STATE_ALARM_BYTES: Final = 32 * 1_048_576
# The client id under which the reader of uplinks keeps its session.
UPLINK_CLIENT_ID: Final = "sw-uplink"
_CHECK_EVERY_S: Final = 5.0


class SessionLimits:
    """Drops sessions of watches that are too old or too large; ``run`` goes on until it is cancelled."""

    def __init__(self, broker: MosquittoProcess, connections: Connections, backend_password: str) -> None:
        self._broker = broker
        self._connections = connections
        self._backend_password = backend_password
        self._log = RateLimitedLog(RateLimiter(interval_s=600))
        # Bytes that Mosquitto keeps for the bridge's session and for all those of watches.
        self.kept_bytes = {"uplink": 0.0, "watches": 0.0}

    async def run(self) -> None:
        """Enforce the limits every five seconds."""
        while True:
            await asyncio.sleep(_CHECK_EVERY_S)
            try:
                await self.enforce()
            except (OSError, BrokerError) as error:
                self._log.warning("broker_sessions_not_checked", reason=type(error).__name__)

    async def enforce(self) -> None:
        """Drop what is over a limit now, delete old files that were set aside, and raise the alarm on a large file."""
        files = self._broker.files
        await asyncio.to_thread(files.purge_broken)
        names = dict.fromkeys(self._connections.sessions_left_for(KEPT_AFTER_LEAVING_S), "left")
        size_bytes = await asyncio.to_thread(files.state_bytes)
        if size_bytes > STATE_ALARM_BYTES:
            self._log.critical("broker_state_large", size_bytes=size_bytes)
        sizes = await asyncio.to_thread(session_sizes, files.state)
        self.kept_bytes = {
            "uplink": sizes.get(UPLINK_CLIENT_ID, 0),
            "watches": sum(held_bytes for name, held_bytes in sizes.items() if is_watch_username(name)),
        }
        if size_bytes > SESSION_MAX_BYTES:
            for name, held_bytes in sizes.items():
                if held_bytes > SESSION_MAX_BYTES and is_watch_username(name):
                    names[name] = "too large"
        for name, reason in names.items():
            if await self._drop(name):
                log.info("broker_session_dropped", reason=reason)

    async def _drop(self, username: str) -> bool:
        configuration = self._broker.configuration
        code = await probe_login(
            local_host(configuration.backend_bind), configuration.backend_port, BACKEND_USERNAME,
            self._backend_password, client_id=username, tls=False,
        )  # fmt: skip
        return code == 0
