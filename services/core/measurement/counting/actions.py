"""Count facts into days.

Counting a fact recounts the days of its family around it, so a repeated fact, a late fact and a rebuild all end in the
same rows. Each fact has its own "counted" mark: a high-water mark over times would skip facts that commit late, and one
over transaction ids would not survive the restore of a backup.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import and_, delete, func, insert, or_, text, update
from sqlalchemy import select as sql_select
from sqlmodel import SQLModel, col, select

from services.core.devices.watches.tables import WatchSettings
from services.core.measurement.counting.consenting_families import measured_since
from services.core.measurement.counting.days import (
    LOOK_AHEAD,
    Period,
    Quiet,
    RecordedMessage,
    days_of_family,
    days_of_watch,
    local_day,
)
from services.core.measurement.tables import FamilyDay, QuietSince, UsageReport, WatchDay
from services.core.people.households.tables import Child, Enrolment, Family
from services.core.people.programme.tables import Site
from services.core.platform.db.database import UnitOfWork
from services.core.platform.facts.rules import STARTER_FOLLOWED, STARTER_NOT_FOLLOWED
from services.core.platform.facts.tables import Fact

# Families counted in one transaction: the days around their new facts, a few thousand facts in all.
_FAMILIES_AT_ONCE: Final = 50
_BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)
_IN_BULK: Final = func.hashtextextended("usage.in_bulk", 0)
# Later than every recorded moment.
_NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)

# For many families at once, by their index.
_FORGET: Final = text("""
    DELETE FROM fact USING unnest(CAST(:families AS uuid[]), CAST(:since AS timestamptz[])) AS agreed (family_id, at)
     WHERE fact.family_id = agreed.family_id AND fact.received_at < agreed.at
       AND (starts_with(fact.kind, 'message_') OR starts_with(fact.kind, 'starter_'))
""")
# Days counted with quiet times that were not in force. Selected by family: facts have no index by child.
_COUNT_AGAIN: Final = text("""
    UPDATE fact SET counted = false FROM unnest(CAST(:children AS uuid[]), CAST(:since AS timestamptz[])) AS changed
           (child_id, at) JOIN child ON child.child_id = changed.child_id
     WHERE fact.family_id = child.family_id AND fact.child_id = child.child_id AND fact.received_at >= changed.at
       AND fact.counted AND starts_with(fact.kind, 'message_')
""")


async def count_some(work: UnitOfWork) -> bool:
    """Count the waiting facts of some families; return whether there were any.

    Only one process counts at a time; another one that runs meanwhile finds nothing to do.
    """
    if not await hold_counting(work):
        return False
    await _note_quiet_times(work)
    waiting = await work.session.exec(
        select(Fact.family_id).where(col(Fact.counted).is_(False)).distinct().limit(_FAMILIES_AT_ONCE)
    )
    families = set(waiting)
    if not families:
        return False
    # Marked before anything is read: a fact that commits from now on is not among these and stays uncounted.
    nobody = [col(Fact.family_id).is_(None)] if None in families else []
    marked = await work.run(
        update(Fact)
        .where(col(Fact.counted).is_(False), or_(col(Fact.family_id).in_(families - {None}), *nobody))
        .values(counted=True)
        .returning(col(Fact.family_id), func.coalesce(col(Fact.happened_at), col(Fact.received_at)).label("at"))
    )
    since: dict[uuid.UUID, datetime] = {}
    for row in marked.mappings():
        if row["family_id"] is not None:
            since[row["family_id"]] = min(since.get(row["family_id"], row["at"]), row["at"])
    await recount(work, since)
    return True


async def rebuild(work: UnitOfWork, family_ids: Sequence[uuid.UUID]) -> None:
    """Recount every day of these families from facts and reports; a family that is being erased is left out."""
    await hold_counting(work, wait=True)
    await _note_quiet_times(work)
    standing = await work.session.exec(
        select(Family.family_id)
        .where(col(Family.family_id).in_(family_ids))
        .with_for_update(read=True, key_share=True, skip_locked=True)
    )
    family_ids = standing.all()
    await work.run(delete(WatchDay).where(col(WatchDay.family_id).in_(family_ids)))
    await work.run(delete(FamilyDay).where(col(FamilyDay.family_id).in_(family_ids)))
    # Only the uncounted facts: rewriting a year of facts took longer than counting it.
    await work.run(
        update(Fact).where(col(Fact.family_id).in_(family_ids), col(Fact.counted).is_(False)).values(counted=True)
    )
    await recount(work, dict.fromkeys(family_ids, _BEGINNING))


async def recount(work: UnitOfWork, since: Mapping[uuid.UUID, datetime]) -> None:
    """Replace each family's days from seven days before its moment on; the caller holds the counting lock."""
    zones = await _zones(work, list(since))
    measured = await measured_since(work, list(since))
    await purge_conversations(work, {family_id: measured.get(family_id) for family_id in since})
    first_days = {
        family_id: local_day(first_at - LOOK_AHEAD, zones[family_id])
        for family_id, first_at in since.items()
        if family_id in zones
    }
    if not first_days:
        return
    windows = {
        family_id: datetime.combine(day, time.min, zones[family_id]).astimezone(UTC)
        for family_id, day in first_days.items()
    }
    facts = await _facts(work, windows)
    reports = await _reports(work, windows)
    quiet = await _quiet(work, list(windows))
    await _forget_days(work, first_days)
    watch_rows: list[dict[str, Any]] = []
    family_rows: list[dict[str, Any]] = []
    for family_id, first_day in first_days.items():
        zone = zones[family_id]
        for watch_id, (heard_at, periods) in _by_watch(facts[family_id], reports[family_id]).items():
            watch_rows += [
                {"family_id": family_id, "watch_id": watch_id, "day": day, **vars(counted)}
                for day, counted in sorted(days_of_watch(heard_at, periods, zone).items())
                if day >= first_day
            ]
        if family_id not in measured:
            continue
        agreed_at = measured[family_id]
        spoken = [message for message in _spoken(facts[family_id]) if message.spoken_at >= agreed_at]
        periods = [_period(report) for report in reports[family_id] if report.started_at >= agreed_at]
        reminders = [reminder for reminder in _reminders(facts[family_id]) if reminder[0] >= agreed_at]
        family_rows += [
            {"family_id": family_id, "day": day, **vars(counted)}
            for day, counted in sorted(days_of_family(spoken, periods, quiet, zone, reminders).items())
            if day >= first_day
        ]
    await _insert(work, WatchDay, watch_rows)
    await _insert(work, FamilyDay, family_rows)


async def purge_conversations(work: UnitOfWork, agreed: Mapping[uuid.UUID, datetime | None]) -> None:
    """Delete facts about conversations and wearing from before each family's consent to measurement (None: never)."""
    since = {family_id: agreed_at or _NEVER for family_id, agreed_at in agreed.items()}
    await work.run(_FORGET, {"families": list(since), "since": list(since.values())})
    never = [family_id for family_id, agreed_at in agreed.items() if agreed_at is None]
    if never:
        await work.run(
            update(UsageReport)
            .where(col(UsageReport.family_id).in_(never), col(UsageReport.worn_s).is_not(None))
            .values(worn_s=None, screen_on_s=None, recordings=None, plays=None, calls_in=None, calls_out=None,
                    call_s=None)
        )  # fmt: skip


async def hold_counting(work: UnitOfWork, *, wait: bool = False) -> bool:
    """Hold the counting lock until the transaction ends; return False when another process has it and not ``wait``.

    Also returns False while `hold_off_the_worker` is in force.
    """
    key = func.hashtextextended("usage.count", 0)
    if wait:
        await work.run(sql_select(func.pg_advisory_xact_lock(key)))
        return True
    alone = sql_select(func.pg_try_advisory_xact_lock_shared(_IN_BULK))
    if not (await work.run(alone)).scalar():
        return False
    return bool((await work.run(sql_select(func.pg_try_advisory_xact_lock(key)))).scalar())


async def hold_off_the_worker(work: UnitOfWork) -> None:
    """Let only callers that wait for the lock count and publish, until the transaction ends."""
    await work.run(sql_select(func.pg_advisory_xact_lock(_IN_BULK)))


async def _note_quiet_times(work: UnitOfWork) -> None:
    """Record new or changed quiet times, and mark the days since then for recounting."""
    newest = (
        select(QuietSince.child_id, func.max(col(QuietSince.since_at)).label("since_at"))
        .group_by(col(QuietSince.child_id))
        .subquery()
    )
    result = await work.session.exec(
        select(WatchSettings)
        .join(Child, col(Child.child_id) == col(WatchSettings.child_id))
        .join(newest, newest.c.child_id == col(WatchSettings.child_id), isouter=True)
        .where(or_(newest.c.since_at.is_(None), newest.c.since_at < col(WatchSettings.changed_at)))
        # Locked until they are recorded. A child that is being erased at this moment is skipped, not waited for.
        .with_for_update(of=Child, read=True, key_share=True, skip_locked=True)
    )
    changed = result.all()
    if not changed:
        return
    work.add(
        *(
            QuietSince(
                child_id=settings.child_id,
                since_at=settings.changed_at,
                quiet=settings.quiet,
                timezone=settings.timezone,
            )
            for settings in changed
        )
    )
    await work.run(
        _COUNT_AGAIN,
        {
            "children": [settings.child_id for settings in changed],
            "since": [settings.changed_at for settings in changed],
        },
    )


async def _zones(work: UnitOfWork, family_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, ZoneInfo]:
    # The latest enrolment: days of a family that has left are still counted when a late fact arrives.
    result = await work.session.exec(
        select(Enrolment.family_id, Site.timezone)
        .join(Site, col(Site.site_id) == col(Enrolment.site_id))
        .where(col(Enrolment.family_id).in_(family_ids))
        .order_by(col(Enrolment.enrolled_at))
    )
    return {family_id: ZoneInfo(timezone) for family_id, timezone in result}


def _within(windows: Mapping[uuid.UUID, datetime], family: Any, moment: Any) -> Any:  # noqa: ANN401 - columns
    """Return the condition that a row belongs to one of the families, within its window."""
    by_start: dict[datetime, list[uuid.UUID]] = defaultdict(list)
    for family_id, start in windows.items():
        by_start[start].append(family_id)
    return or_(*(and_(family.in_(ids), moment >= start) for start, ids in by_start.items()))


async def _facts(work: UnitOfWork, windows: Mapping[uuid.UUID, datetime]) -> dict[uuid.UUID, list[Any]]:
    # A fact of a window was received in it or later. Selected as columns: as objects they took most of the time.
    result = await work.run(
        sql_select(
            *(col(column) for column in (Fact.family_id, Fact.watch_id, Fact.child_id, Fact.kind, Fact.ref_id)),
            *(col(column) for column in (Fact.happened_at, Fact.received_at)),
            col(Fact.voice_ms),
        ).where(_within(windows, col(Fact.family_id), col(Fact.received_at)))
    )
    return _by_family(result)


async def _reports(work: UnitOfWork, windows: Mapping[uuid.UUID, datetime]) -> dict[uuid.UUID, list[Any]]:
    result = await work.run(
        sql_select(*UsageReport.__table__.columns).where(  # type: ignore[attr-defined]
            _within(windows, col(UsageReport.family_id), col(UsageReport.started_at))
        )
    )
    return _by_family(result)


def _by_family(result: Iterable[Any]) -> dict[uuid.UUID, list[Any]]:
    rows: dict[uuid.UUID, list[Any]] = defaultdict(list)
    for row in result:
        rows[row.family_id].append(row)
    return rows


async def _quiet(work: UnitOfWork, family_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Quiet]]:
    result = await work.session.exec(
        select(QuietSince)
        .join(Child, col(Child.child_id) == col(QuietSince.child_id))
        .where(col(Child.family_id).in_(family_ids))
    )
    quiet: dict[uuid.UUID, list[Quiet]] = defaultdict(list)
    for row in result:
        quiet[row.child_id].append(Quiet(row.since_at, row.quiet, ZoneInfo(row.timezone)))
    return quiet


async def _forget_days(work: UnitOfWork, first_days: Mapping[uuid.UUID, date]) -> None:
    for table in (WatchDay, FamilyDay):
        days = or_(
            *(
                and_(col(table.family_id) == family_id, col(table.day) >= first_day)
                for family_id, first_day in first_days.items()
            )
        )
        await work.run(delete(table).where(days))


async def _insert(work: UnitOfWork, table: type[SQLModel], rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        await work.flush()
        await (await work.session.connection()).execute(insert(table), rows)


def _by_watch(facts: Sequence[Fact], reports: Sequence[Any]) -> dict[uuid.UUID, tuple[list[datetime], list[Period]]]:
    watches: dict[uuid.UUID, tuple[list[datetime], list[Period]]] = defaultdict(lambda: ([], []))
    for fact in facts:
        if fact.watch_id is not None and fact.kind in {"hello", "usage_reported"}:
            watches[fact.watch_id][0].append(fact.received_at)
    for report in reports:
        watches[report.watch_id][1].append(_period(report))
    return watches


def _period(report: Any) -> Period:  # noqa: ANN401 - a row whose times are known
    return Period(
        started_at=report.started_at, ended_at=report.ended_at, offline_s=report.offline_s or 0,
        reboots=report.reboots or 0, battery_min_pct=report.battery_min_pct, signal_min_dbm=report.signal_min_dbm,
        worn_s=report.worn_s or 0, calls=(report.calls_in or 0) + (report.calls_out or 0), call_s=report.call_s or 0,
    )  # fmt: skip


def _reminders(facts: Sequence[Any]) -> list[tuple[datetime, bool]]:
    """Return when guardians were reminded, and whether a message to the child followed."""
    return [
        (fact.happened_at or fact.received_at, fact.kind == STARTER_FOLLOWED)
        for fact in facts
        if fact.kind in {STARTER_FOLLOWED, STARTER_NOT_FOLLOWED}
    ]


def _spoken(facts: Sequence[Any]) -> list[RecordedMessage]:
    """Join the facts about each message, in whatever order they arrived."""
    stored: dict[uuid.UUID, Any] = {}
    arrived: dict[uuid.UUID, datetime] = {}
    played: dict[uuid.UUID, datetime] = {}
    for fact in facts:
        if fact.ref_id is None or not fact.kind.startswith("message_"):
            continue
        if fact.kind.endswith("_stored"):
            stored.setdefault(fact.ref_id, fact)
        if fact.kind.endswith(("_delivered", "_played")):
            arrived[fact.ref_id] = min(arrived.get(fact.ref_id, fact.received_at), fact.received_at)
        if fact.kind.endswith("_played"):
            played[fact.ref_id] = min(played.get(fact.ref_id, fact.received_at), fact.received_at)
    return [
        RecordedMessage(
            child_id=fact.child_id, to_child=fact.kind == "message_to_child_stored",
            spoken_at=fact.happened_at or fact.received_at, delivered_at=arrived.get(ref_id),
            played_at=played.get(ref_id), voice_ms=fact.voice_ms or 0,
        )
        for ref_id, fact in stored.items()
    ]  # fmt: skip
