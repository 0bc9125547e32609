"""Findings about a Postgres of several machines: who accepts writes, and whether the standby has what was confirmed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from services.core.platform.db.newest_primary import hosts_of
from services.devstack.findings import Finding

_ANSWER_WITHIN_S: Final = 5.0
# A standby that works is behind by less than the segment that is being written.
BEHIND_MAX_BYTES: Final = 16 * 1024 * 1024
_PRIMARY: Final = (
    "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn,"
    " ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int,"
    " current_setting('synchronous_standby_names')"
)
_STANDBY: Final = "SELECT coalesce(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) - '0/0'::pg_lsn"


@dataclass(frozen=True)
class Server:
    """The state of one server; ``position_bytes`` counts what was ever written to its log."""

    place: str
    is_reached: bool = False
    accepts_writes: bool = False
    position_bytes: int = 0
    # Raised by each promotion: of two servers that accept writes, the lower one is the old primary.
    timeline: int = 0
    commits_wait_for: str = ""


async def servers(url: str) -> list[Finding]:
    """Ask each server of an address that names several; an empty list where it names one."""
    hosts = hosts_of(url)
    return judge(await asyncio.gather(*(_ask(url, *host) for host in hosts))) if len(hosts) > 1 else []


def judge(states: Sequence[Server]) -> list[Finding]:
    """Return what the states of all servers mean, and the remedies."""
    primaries = [state for state in states if state.accepts_writes]
    findings = [
        Finding(
            "standby", ok=False, what=f"{state.place} is not reached",
            mend="start that server again as a standby: a commit that waits for it is not confirmed until then, and "
            "without it the next loss is the last",
        )
        for state in states if not state.is_reached
    ]  # fmt: skip
    if len(primaries) > 1:
        newest = max(primaries, key=lambda state: state.timeline)
        old = ", ".join(state.place for state in primaries if state is not newest)
        findings.append(
            Finding(
                "standby", ok=False, what=f"{old} has returned with old data and accepts writes beside {newest.place}",
                mend=f"stop {old} at once, then make it a standby of {newest.place} (pg_rewind or pg_basebackup)",
            )
        )  # fmt: skip
    elif not primaries:
        findings.append(
            Finding(
                "standby", ok=False, what="no server accepts writes", mend="promote the standby: SELECT pg_promote()"
            )
        )
    else:
        findings += [
            _standby(primaries[0], state) for state in states if state.is_reached and state is not primaries[0]
        ]
    return findings


def _standby(primary: Server, standby: Server) -> Finding:
    behind_bytes = primary.position_bytes - standby.position_bytes
    if behind_bytes > BEHIND_MAX_BYTES:
        return Finding(
            "standby", ok=False, what=f"{standby.place} is behind {primary.place} by {behind_bytes // 1024**2} MiB",
            mend="do not promote it before it has caught up; look at its log and its disk",
        )  # fmt: skip
    if not primary.commits_wait_for:
        return Finding(
            "standby", ok=True, warns=True, what=f"commits of {primary.place} do not wait for {standby.place}",
            mend="set synchronous_standby_names: after a promotion messages that were confirmed last would be missing",
        )  # fmt: skip
    return Finding("standby", ok=True, what=f"{standby.place} follows {primary.place}, and commits wait for it")


async def _ask(url: str, host: str, port: int) -> Server:
    place = f"{host}:{port}"
    try:
        connection = await asyncpg.connect(
            url, host=host, port=port, target_session_attrs=SessionAttribute.any, timeout=_ANSWER_WITHIN_S
        )
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return Server(place)
    try:
        async with asyncio.timeout(_ANSWER_WITHIN_S):
            if await connection.fetchval("SELECT pg_is_in_recovery()"):
                return Server(place, is_reached=True, position_bytes=int(await connection.fetchval(_STANDBY) or 0))
            [(position, timeline, names)] = await connection.fetch(_PRIMARY)
            return Server(place, True, True, int(position), timeline, names)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return Server(place)
    finally:
        connection.terminate()
