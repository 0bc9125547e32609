"""Receive the usage reports of watches. Counting is in counting/, publishing in publishing/."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from services.core.devices.presence.journeys import record_worn
from services.core.devices.presence.queries import clock_of_watch
from services.core.devices.watches.tables import WatchIdentity
from services.core.devices.watches.timestamps import happened_at
from services.core.measurement.counting.consenting_families import is_measured
from services.core.measurement.tables import UsageReport
from services.core.platform.db.columns import new_id
from services.core.platform.db.copying import copy_rows
from services.core.platform.db.database import UnitOfWork
from services.core.platform.facts.actions import PastFact, record_fact, record_past_facts
from services.core.platform.idempotency.actions import STORED, Answer, known_answer, remember

HEALTH: Final = ("reboots", "battery_min_pct", "signal_min_dbm", "offline_s", "bytes_up", "bytes_down")
# A watch reports at least weekly while it is on; a longer period means that its clock was set meanwhile.
LONGEST_REPORT_S: Final = 7 * 24 * 3600
MEASURED: Final = ("worn_s", "screen_on_s", "recordings", "plays", "calls_in", "calls_out", "call_s")


@dataclass(frozen=True)
class WatchReport:
    """One ``up/usage``: the watch's own id and times, and its counters by name."""

    ref: str
    fingerprint: str
    from_tst: int
    to_tst: int
    boot: int | None = None
    mono_s: int | None = None
    counters: dict[str, int] = field(default_factory=dict)


async def receive_reports(work: UnitOfWork, identity: WatchIdentity, reports: Sequence[WatchReport]) -> list[Answer]:
    """Receive reports of a paired watch, whose identity the caller has locked; return an answer for each, in order.

    A repeated report gets ``duplicate``, the same id with other content ``rejected id_conflict``. Without the family's
    consent to measurement only the watch's health is stored. Whether or not it consented, an hour worn ends the state
    on its way (see presence.journeys): without consent the watch works exactly the same.
    """
    names = HEALTH + MEASURED if await is_measured(work, identity.family_id) else HEALTH
    answers = []
    for report in reports:
        answer = await known_answer(work, identity.username, report.ref, report.fingerprint)
        if answer is None:
            await _keep(work, identity, report, names)
            answer = await remember(
                work, identity.username, report.ref, kind="usage", fingerprint=report.fingerprint, answer=STORED
            )
        answers.append(answer)
    return answers


async def receive_past_reports(
    work: UnitOfWork,
    identity: WatchIdentity,
    arrivals: Sequence[tuple[datetime, WatchReport]],
    *,
    will_count: bool = False,
    make_id: Callable[[], uuid.UUID] = new_id,
) -> int:
    """Receive many past reports of a watch, each with its time of receipt; return how many were stored.

    They are stored as :func:`receive_reports` stores each. Their ids are not remembered: the importer of past reports
    answers no watch and imports them once. ``will_count`` as in :func:`record_past_facts`.
    """
    names = HEALTH + MEASURED if await is_measured(work, identity.family_id) else HEALTH
    rows = [_row(identity, report, received_at, names, make_id()) for received_at, report in arrivals]
    await copy_rows(work, UsageReport, _COLUMNS, [tuple(row.get(name) for name in _COLUMNS) for row in rows])
    await record_past_facts(
        work,
        [
            PastFact(
                "usage_reported", row["received_at"], identity.watch_id, identity.child_id, identity.family_id,
                ref_id=row["report_id"], happened_at=row["started_at"],
            )
            for row in rows
        ],
        will_count=will_count,
        make_id=make_id,
    )  # fmt: skip
    return len(rows)


async def _keep(work: UnitOfWork, identity: WatchIdentity, report: WatchReport, names: Sequence[str]) -> None:
    row = _row(identity, report, work.now, names, new_id())
    work.add(UsageReport(**row))
    record_fact(
        work, "usage_reported", watch_id=identity.watch_id, child_id=identity.child_id, family_id=identity.family_id,
        ref_id=row["report_id"], happened_at=row["started_at"],
    )  # fmt: skip
    worn_s = report.counters.get("worn_s", 0)
    await record_worn(work, identity, row["started_at"], row["ended_at"], worn_s)


_COLUMNS: Final = (
    "report_id", "watch_id", "family_id", "started_at", "ended_at", "received_at", *HEALTH, *MEASURED,
)  # fmt: skip


def _row(
    identity: WatchIdentity, report: WatchReport, received_at: datetime, names: Sequence[str], report_id: uuid.UUID
) -> dict[str, Any]:
    """Return the columns of its table that are stored of a report."""
    ended_at = happened_at(
        clock_of_watch(identity), received_at, tst=report.to_tst, boot=report.boot, mono_s=report.mono_s
    )
    started_at = None if ended_at is None else ended_at - timedelta(seconds=_length_s(report))
    if started_at is not None:
        # Counters from before this pairing belong to no family here.
        started_at = max(started_at, min(identity.issued_at, received_at))
    return {
        "report_id": report_id, "watch_id": identity.watch_id, "family_id": identity.family_id,
        "started_at": started_at, "ended_at": ended_at, "received_at": received_at,
        **{name: report.counters[name] for name in names if name in report.counters},
    }  # fmt: skip


def _length_s(report: WatchReport) -> int:
    """Return the length of a report's period: right on a wrong clock as well; 0 when the clock was set meanwhile."""
    length_s = report.to_tst - report.from_tst if report.from_tst and report.to_tst else 0
    return length_s if length_s <= LONGEST_REPORT_S else 0
