"""Enrol families and hand out a watch to each, from one list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlmodel import col, select

from services.core.devices.watches.errors import WatchElsewhereError, WatchOfOtherSiteError, WatchUnknownError
from services.core.devices.watches.rules import may_move
from services.core.devices.watches.tables import Watch
from services.core.office.enrolment.actions import CheckedFamily, Enrolled, FamilyRow, check_families, enrol_checked
from services.core.office.hand_outs.watches import hand_out_watch
from services.core.platform.audit.actions import Actor
from services.core.platform.db.database import UnitOfWork
from services.core.platform.spreadsheets.sheets import Fault, SheetRefusedError, first_faults


@dataclass
class EnrolledWithWatches:
    """Result of a list: the enrolled families and the serials handed out by this call."""

    families: Enrolled = field(default_factory=Enrolled)
    handed_out: list[str] = field(default_factory=list)


async def enrol_and_hand_out(
    work: UnitOfWork,
    actor: Actor,
    families: Sequence[FamilyRow],
    *,
    programme: str | None = None,
    further: Sequence[Fault] = (),
    progress: Callable[[], None] = lambda: None,
) -> EnrolledWithWatches:
    """Enrol a list of families and hand out the watches named in it, all rows or none; a second call changes nothing.

    Raises SheetRefusedError with every fault of families and watches, and with the ``further`` faults that the caller
    found in the file.
    """
    checked, faults = await check_families(work, families, programme=programme)
    faults = first_faults([*further, *faults, *await _watch_faults(work, checked)])
    if faults:
        raise SheetRefusedError(faults)
    outcome = EnrolledWithWatches(await enrol_checked(work, actor, checked, progress))
    for entry in checked:
        serial = entry.row.watch_serial
        if serial is not None and await hand_out_watch(work, actor, serial, entry.row.family_code):
            outcome.handed_out.append(serial)
    return outcome


async def _watch_faults(work: UnitOfWork, checked: Sequence[CheckedFamily]) -> list[Fault]:
    serials = [entry.row.watch_serial for entry in checked if entry.row.watch_serial is not None]
    result = await work.session.exec(select(Watch).where(col(Watch.serial).in_(serials)).with_for_update())
    watches = {watch.serial: watch for watch in result}
    faults = []
    for entry in checked:
        if entry.row.watch_serial is None:
            continue
        refusal = _refusal(entry, watches.get(entry.row.watch_serial))
        if refusal is not None:
            faults.append(entry.row.fault("watch_serial", *refusal))
    return faults


def _refusal(checked: CheckedFamily, watch: Watch | None) -> tuple[str, str] | None:
    if watch is None:
        return WatchUnknownError.code, WatchUnknownError.sentence
    if watch.state == "handed_out" and watch.handed_out_to is not None:
        if checked.known is not None and watch.handed_out_to == checked.known.family_id:
            return None
        return WatchElsewhereError.code, WatchElsewhereError.sentence
    if not may_move(watch.state, "handed_out"):
        return f"watch_{watch.state}", f"This watch is {watch.state}. Record its return first."
    if watch.site_id != checked.site.site_id:
        return WatchOfOtherSiteError.code, WatchOfOtherSiteError.sentence
    return None
