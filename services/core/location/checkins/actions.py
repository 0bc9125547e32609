"""Receive fixes from watches: assess and store them, and apply their effects. One transaction for many watches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from services.core.devices.watches.tables import WatchIdentity
from services.core.devices.watches.timestamps import was_assigned
from services.core.location.checkins.device_assignments import DeviceAssignment, device_assignments
from services.core.location.checkins.effects import AnsweredCommand, FixEffects, publish_effects
from services.core.location.checkins.rules import AssessedFix, FixTime, KnownPlaces, assess, date_fix, update_known
from services.core.location.checkins.sealing import (
    Place,
    checkin_context,
    content_mark,
    latest_context,
    seal_place,
    suspect_context,
)
from services.core.location.checkins.store import (
    FixKey,
    LatestPlace,
    NewCheckin,
    existing_keys,
    insert_checkins,
    write_latest_places,
)
from services.core.location.geometry import Point
from services.core.location.zones.passages import update_zones
from services.core.platform.db.database import UnitOfWork
from services.core.platform.idempotency.actions import DUPLICATE, STORED, Answer, rejected

NOT_PAIRED: Final = rejected("not_paired")
_LOCATION_OFF: Final = rejected("location_off")
_BEFORE_PAIRING: Final = rejected("before_pairing")
_CONFLICT: Final = rejected("id_conflict")


class ReceivedFix(NamedTuple):
    """A fix as a watch sent it; ``fingerprint`` is the digest of its known fields."""

    username: str
    ref: str | None
    point: Point
    accuracy_m: float | None
    altitude_m: float | None
    source: str | None
    tst: int
    boot: int | None
    mono_s: int | None
    fingerprint: str
    # The ref of the command that this fix answers.
    reply_to: str | None = None
    battery_pct: int | None = None


class _Entry(NamedTuple):
    """A fix during the processing of its batch; ``ref`` as of :func:`_ref_of`."""

    sent: ReceivedFix
    assignment: DeviceAssignment
    dated: FixTime
    mark: bytes
    ref: str


async def receive_fixes(
    work: UnitOfWork, identities: Mapping[str, WatchIdentity], fixes: Sequence[ReceivedFix]
) -> list[Answer]:
    """Store the fixes of any number of watches and return their receipts in the same order.

    ``identities`` holds the standing identities by user name, locked by the caller in the order of the names.

    The same fix again: ``duplicate``; its id with other content: ``rejected id_conflict``. With location off or without
    consent nothing is stored (``location_off``), nor are fixes from before the watch was assigned to this child
    (``before_pairing``). Good fixes newer than the latest place update the latest place and the zones. Raises
    SealBrokenError when one child's key was erased: the caller then retries each watch by itself.
    """
    senders = {fix.username for fix in fixes}
    assignments = await device_assignments(work, [identity for name, identity in identities.items() if name in senders])
    answers: list[Answer] = [STORED] * len(fixes)
    entries: dict[int, _Entry] = {}
    for number, fix in enumerate(fixes):
        assignment = assignments.get(fix.username)
        if assignment is None:
            answers[number] = NOT_PAIRED
        elif not assignment.may_keep:
            answers[number] = _LOCATION_OFF
        elif not _was_worn_by_child(fix, assignment, dated := _date(work, fix, assignment)):
            answers[number] = _BEFORE_PAIRING
        else:
            entries[number] = _entry(fix, assignment, dated)
    new = await _without_known(work, entries, answers)
    await _keep(work, new)
    return answers


def _date(work: UnitOfWork, fix: ReceivedFix, assignment: DeviceAssignment) -> FixTime:
    return date_fix(
        assignment.clock, work.now, tst=fix.tst, boot=fix.boot, mono_s=fix.mono_s, kept_for=work.retention.fixes,
    )  # fmt: skip


def _was_worn_by_child(fix: ReceivedFix, assignment: DeviceAssignment, dated: FixTime) -> bool:
    return was_assigned(
        assignment.clock, assignment.wearings, dated.stated_at, boot=fix.boot,
        first_boot=assignment.identity.first_boot,
    )  # fmt: skip


def _entry(fix: ReceivedFix, assignment: DeviceAssignment, dated: FixTime) -> _Entry:
    mark = content_mark(assignment.key, fix.fingerprint)
    return _Entry(fix, assignment, dated, mark, _ref_of(fix, dated, mark))


def _ref_of(fix: ReceivedFix, dated: FixTime, mark: bytes) -> str:
    """Return the watch's id. Without an id the time identifies a fix; without a usable time, the digest of its content.

    Ids from watches never contain a dot, so the derived refs cannot collide with them.
    """
    if fix.ref:
        return fix.ref
    has_time = fix.tst and not dated.is_misdated
    return "" if has_time else f".{mark.hex()}"


async def _without_known(work: UnitOfWork, entries: dict[int, _Entry], answers: list[Answer]) -> list[_Entry]:
    """Write the receipts of duplicates and conflicts; return the new entries, each once."""
    used_keys = await existing_keys(
        work, [FixKey(entry.sent.username, entry.ref, entry.sent.tst) for entry in entries.values()]
    )
    new = []
    for number, entry in entries.items():
        sent = entry.sent
        # An id identifies the fix whatever its time; without an id the time does.
        name = (sent.username, entry.ref, 0 if entry.ref else sent.tst)
        if name not in used_keys:
            used_keys[name] = entry.mark
            new.append(entry)
        elif used_keys[name] == entry.mark or not sent.ref:
            answers[number] = DUPLICATE
        else:
            answers[number] = _CONFLICT
    return new


async def _keep(work: UnitOfWork, entries: list[_Entry]) -> None:
    of_watch: defaultdict[str, list[_Entry]] = defaultdict(list)
    for entry in entries:
        of_watch[entry.sent.username].append(entry)
    rows: list[NewCheckin] = []
    latest: list[LatestPlace] = []
    effects = FixEffects()
    for of_one in of_watch.values():
        # Sorted by time: fixes of an array that is sent newest first must not count as late.
        of_one.sort(key=lambda checkin: checkin.dated.happened_at)
        assignment = of_one[0].assignment
        before = assignment.known
        rows += _assess_and_apply(work, of_one, effects)
        if assignment.known != before and assignment.latest is not None:
            latest.append(assignment.latest)
    await insert_checkins(work, rows)
    await write_latest_places(work, latest)
    await work.flush()
    await publish_effects(work, effects)


def _assess_and_apply(work: UnitOfWork, entries: list[_Entry], effects: FixEffects) -> list[NewCheckin]:
    """Assess the fixes of one watch, apply them to place and zones, and return their rows."""
    assignment = entries[0].assignment
    before, newest = assignment.known, None
    child = str(assignment.child_id)
    rows = []
    for entry in entries:
        assessed = assess(entry.sent.point, entry.sent.accuracy_m, entry.dated, assignment.known, entry.sent.source)
        assignment.known = update_known(assignment.known, assessed)
        rows.append(_row(entry, assessed, child))
        if assessed.moves:
            newest = (entry, assessed)
            effects.passed += update_zones(work, assignment, assessed)
        if entry.sent.reply_to is not None:
            effects.answered.append(AnsweredCommand(assignment, entry.sent.reply_to))
        if entry.sent.battery_pct is not None and not assessed.late:
            effects.battery_pct[assignment.child_id] = (assignment, entry.sent.battery_pct)
    if misdated := sum(entry.dated.is_misdated for entry in entries):
        # Staff see the count for the device: the clock is broken, or the GPS module needs an update.
        assignment.identity.misdated_fixes += misdated
        work.add(assignment.identity)
    if newest is not None:
        effects.moved.append(assignment)
    if assignment.known != before:
        _update_latest(assignment, newest, work.now)
    return rows


def _row(entry: _Entry, assessed: AssessedFix, child: str) -> NewCheckin:
    sent = entry.sent
    context = checkin_context(child, sent.username, entry.ref, sent.tst)
    return NewCheckin(
        username=sent.username, ref=entry.ref, tst=sent.tst, child_id=entry.assignment.child_id,
        happened_at=assessed.fix.happened_at, content_mark=entry.mark,
        quality=assessed.quality, reasons=" ".join(assessed.reasons), accuracy_m=assessed.fix.accuracy_m,
        source=sent.source, sealed_place=seal_place(entry.assignment.key, Place(sent.point, sent.altitude_m), context),
    )  # fmt: skip


def _update_latest(
    assignment: DeviceAssignment, newest: tuple[_Entry, AssessedFix] | None, received_at: datetime
) -> None:  # fmt: skip
    """Set the new latest place of a child, or the suspect fix that was too far away."""
    if newest is not None:
        entry, assessed = newest
        assert assessed.fix.accuracy_m is not None  # noqa: S101 - a good fix has an accuracy
        place = Place(entry.sent.point, entry.sent.altitude_m)
        assignment.latest = LatestPlace(
            child_id=assignment.child_id, happened_at=assessed.fix.happened_at, received_at=received_at,
            accuracy_m=assessed.fix.accuracy_m, source=entry.sent.source,
            sealed_place=seal_place(assignment.key, place, latest_context(assignment.child_id)),
        )  # fmt: skip
    if assignment.latest is not None:
        assignment.latest.witnessed_at = assignment.known.witnessed_at
        _write_suspect(assignment.latest, assignment.known, assignment)


def _write_suspect(row: LatestPlace, known: KnownPlaces, assignment: DeviceAssignment) -> None:
    suspect = known.suspect
    row.suspect_at = None if suspect is None else suspect.happened_at
    row.suspect_accuracy_m = None if suspect is None else suspect.accuracy_m
    row.suspect_source = None if suspect is None else suspect.source
    row.sealed_suspect = (
        None
        if suspect is None
        else seal_place(assignment.key, Place(suspect.point), suspect_context(assignment.child_id))
    )  # fmt: skip
