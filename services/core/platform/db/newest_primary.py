"""Of the servers that an address names, connect to none that has an older history than the newest one seen.

Each promotion of a standby raises the timeline of Postgres. A primary that returns after the promotion of its standby
accepts writes, but its timeline is lower. A process remembers the highest timeline that it has seen, and looks at all
servers again before a connection, so that one that starts fresh knows of the promotion as well. Nothing here decides
which server is the primary.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import parse_qs
from weakref import WeakKeyDictionary

import asyncpg
import structlog

from services.core.platform.db.known_types import KnowingConnection
from services.core.platform.log.health import clear_warning, set_warning

_DEFAULT_PORT: Final = 5432
# A look at all servers stands for so long: connections that are opened together share it.
_LOOK_STANDS_S: Final = 1.0
# A server that does not answer within this time is taken for away. A process that knows no timeline yet waits longer.
_FIRST_LOOK_S: Final = 3.0
_LOOK_S: Final = 1.0
_OTHER_ADDRESS_S: Final = 10.0
# While nothing connects, a process that is asked whether it is ready looks so often.
_LOOK_AGAIN_AFTER_S: Final = 10.0
# The warning in the readiness of a process while an old primary runs; the event in its log has the same name.
REFUSED: Final = "old_primary_refused"
# No role needs a right for it. 0 for a standby, which has no timeline of its own.
_TIMELINE: Final = (
    "SELECT CASE WHEN pg_is_in_recovery() THEN 0"
    " ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END"
)
_FAILURES: Final = (
    OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError,
)  # fmt: skip

Host = tuple[str, int]

log = structlog.get_logger()


class OldPrimaryRefusedError(ConnectionError):
    """The only servers that accept writes have an older history than one that was seen before."""

    code = REFUSED


class NoServerError(ConnectionError):
    """None of the servers of an address can be used."""


def hosts_of(url: str) -> list[Host]:
    """Return the hosts of a database URL in their order, from the authority or from ``?host=``."""
    # Not urlsplit: it refuses a list in which an IPv6 address is not the first.
    authority, _, rest = url.partition("://")[2].partition("/")
    authority, _, query = authority.partition("?") if "?" in authority else (authority, "", rest.partition("?")[2])
    listed = authority.rpartition("@")[2]
    named = parse_qs(query.partition("#")[0])
    if not listed and "host" in named:
        ports = [port for given in named.get("port", ()) for port in given.split(",")]
        names = named["host"][-1].split(",")
        return [
            (name, int((ports[number] if len(ports) > number else ports[-1] if ports else "") or _DEFAULT_PORT))
            for number, name in enumerate(names)
        ]
    pairs = []
    for part in re.split(r"[#]", listed, maxsplit=1)[0].split(","):
        host, _, port = part.rpartition(":") if part.rpartition(":")[2].isdigit() else (part, "", "")
        pairs.append((host.strip("[]"), int(port or _DEFAULT_PORT)))
    return pairs


class Servers:
    """The servers of one process's addresses: opens every connection to them, and closes those to an old primary."""

    def __init__(self, *urls: str) -> None:
        """``urls`` are the addresses of one database; the last one that names several hosts is the one looked at."""
        several = [url for url in urls if len(hosts_of(url)) > 1]
        self._url = several[-1] if several else ""
        self._newest_timeline = 0
        self._looked_at_s: float | None = None
        # By the last look at each server: its timeline, 0 for a standby, None for a server that was not reached.
        self._seen: dict[Host, int | None] = {}
        self._refused: dict[Host, int] = {}
        self._timelines: WeakKeyDictionary[asyncpg.Connection, int] = WeakKeyDictionary()

    @property
    def names_several(self) -> bool:
        """Whether an address names several hosts; timelines are compared only then."""
        return bool(self._url)

    async def connect(self, url: str, *, timeout: float, **options: Any) -> asyncpg.Connection:  # noqa: ASYNC109, ANN401 - of the driver
        """Connect as ``asyncpg.connect`` does, within ``timeout`` seconds; of several hosts to no old primary.

        Raises what asyncpg raises; where the address names several hosts OldPrimaryRefusedError or NoServerError when
        none can be used, but the first refusal of a role or its password as it is.
        """
        if not self._url:
            return await asyncpg.connect(url, timeout=timeout, connection_class=KnowingConnection, **options)
        hosts = hosts_of(url)
        failures: dict[Host, BaseException] = {}
        ends_at_s = time.monotonic() + timeout
        await self.look()
        # In the order of the address, but those that did not answer a moment ago last: each may cost its share of time.
        for number, host in enumerate(sorted(hosts, key=lambda host: self._seen.get(host) is None)):
            share_s = max(0.1, ends_at_s - time.monotonic()) / (len(hosts) - number)
            try:
                connection = await _connected(url, host, share_s, options)
            except _FAILURES as error:
                failures[host] = error
                continue
            try:
                timeline = await timeline_of(connection, in_transaction=options.get("statement_cache_size") == 0)
            except _FAILURES as error:
                connection.terminate()
                failures[host] = error
                continue
            except BaseException:
                connection.terminate()
                raise
            if self._accepts(host, timeline):
                self._timelines[connection] = timeline
                return connection
            connection.terminate()
        raise self._failure(hosts, failures)

    async def check(self, connection: asyncpg.Connection, *, in_transaction: bool) -> None:
        """Raise OldPrimaryRefusedError where a pooler, past which the servers are known, leads to an old primary."""
        timeline = await timeline_of(connection, in_transaction=in_transaction) if self._url else 0
        if 0 < timeline < self._newest_timeline:
            raise OldPrimaryRefusedError("the pooler leads to an old primary, and it is refused")

    async def look(self, *, stands_s: float = _LOOK_STANDS_S) -> None:
        """Look at all servers at once, unless that was done less than ``stands_s`` seconds ago."""
        if not self._url or (self._looked_at_s is not None and time.monotonic() - self._looked_at_s < stands_s):
            return
        within_s = _LOOK_S if self._newest_timeline else _FIRST_LOOK_S
        hosts = hosts_of(self._url)
        seen = dict(
            zip(hosts, await asyncio.gather(*(_look(self._url, host, within_s) for host in hosts)), strict=True)
        )
        self._seen, self._looked_at_s = seen, time.monotonic()
        self._note_newest(max((timeline or 0 for timeline in seen.values()), default=0))
        for host, timeline in seen.items():
            self._accepts(host, timeline or 0)

    async def look_again(self) -> None:
        """Look once in a while, although nothing connects: the operator may have stopped the old primary."""
        await self.look(stands_s=_LOOK_AGAIN_AFTER_S)

    def forget(self) -> None:
        """Take back what readiness says of these servers."""
        if self._refused:
            self._refused.clear()
            clear_warning("postgres")

    def _accepts(self, host: Host, timeline: int) -> bool:
        """Return whether a server has the newest history that was seen, or is a standby, which accepts no writes."""
        self._note_newest(timeline)
        if not timeline or timeline == self._newest_timeline:
            if self._refused.pop(host, None) is not None and not self._refused:
                clear_warning("postgres")
            return True
        if self._refused.get(host) != timeline:
            self._refused[host] = timeline
            log.error(REFUSED, host=host[0], port=host[1], timeline=timeline, newest_timeline=self._newest_timeline)
        set_warning("postgres", REFUSED)
        return False

    def _note_newest(self, timeline: int) -> None:
        """Remember a higher timeline, and close each connection to what is an old primary from now on."""
        if timeline <= self._newest_timeline:
            return
        self._newest_timeline = timeline
        for connection, of_it in list(self._timelines.items()):
            if 0 < of_it < timeline:
                # Of a loop that has ended, which cannot be told any more.
                with contextlib.suppress(RuntimeError):
                    connection.terminate()

    def _failure(self, hosts: Sequence[Host], failures: dict[Host, BaseException]) -> BaseException:
        for error in failures.values():
            if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError | asyncpg.InvalidCatalogNameError):
                return error
        described = ", ".join(
            f"{host}:{port} ({type(failures[host, port]).__name__ if (host, port) in failures else 'an old primary'})"
            for host, port in hosts
        )
        if any(host not in failures for host in hosts):
            return OldPrimaryRefusedError(f"only an old primary accepts writes, and it is refused: {described}")
        return NoServerError(f"no server of the database address can be used: {described}")


async def refuse_old_primary(url: str, *addresses: str) -> None:
    """Raise OldPrimaryRefusedError where ``url``, which names one server, leads to an old primary among ``addresses``.

    For what goes to the primary alone under an address of its own. Nothing is asked where no address names several
    servers. Raises NoServerError where the server is away.
    """
    servers = Servers(*filter(None, addresses))
    if servers.names_several:
        connection = await servers.connect(url, timeout=_OTHER_ADDRESS_S)
        connection.terminate()


async def timeline_of(connection: asyncpg.Connection, *, in_transaction: bool = False) -> int:
    """Return the timeline of a server, 0 of a standby; ``in_transaction`` for a pooler that needs one."""
    async with connection.transaction() if in_transaction else contextlib.nullcontext():
        return int(await connection.fetchval(_TIMELINE))


async def _connected(url: str, host: Host, timeout_s: float, options: dict[str, Any]) -> asyncpg.Connection:
    return await asyncpg.connect(
        url, host=host[0], port=host[1], timeout=timeout_s, connection_class=KnowingConnection, **options
    )


async def _look(url: str, host: Host, within_s: float) -> int | None:
    """Return the timeline of a server, 0 of a standby, None where it does not answer."""
    connection = None
    try:
        async with asyncio.timeout(within_s):
            connection = await _connected(url, host, within_s, {"target_session_attrs": "any"})
            return await timeline_of(connection)
    except _FAILURES:
        return None
    finally:
        if connection is not None:
            connection.terminate()
