"""Pairs of watch and family that were written on paper while there was no network, entered at once."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from services.core.devices.watches.errors import (
    PaperTimeWrongError,
    WatchElsewhereError,
    WatchOfOtherSiteError,
    WatchStateError,
    WatchUnknownError,
)
from services.core.devices.watches.rules import serial_of_scan
from services.core.office.hand_outs.watches import hand_out_watch
from services.core.people.households.errors import FamilyUnknownError
from services.core.platform.audit.actions import Actor
from services.core.platform.db.database import UnitOfWork

PAPER_KEPT: Final = timedelta(days=7)
# A clock of an office may be ahead of the server's.
_CLOCKS_DIFFER: Final = timedelta(minutes=2)
_OF_FAMILY: Final = (FamilyUnknownError,)
_REFUSALS: Final = (
    FamilyUnknownError, WatchElsewhereError, WatchOfOtherSiteError, WatchStateError, WatchUnknownError,
)  # fmt: skip


@dataclass(frozen=True)
class PaperFault:
    """One row that cannot be entered: its number from 1, the column, and the error."""

    row: int
    column: str
    code: str
    family_code: str | None = None


@dataclass
class Entered:
    """Serials handed out by this call, pairs that stood already, and faults; with faults nothing must be kept."""

    given: list[str] = field(default_factory=list)
    unchanged: int = 0
    faults: list[PaperFault] = field(default_factory=list)


async def enter_from_paper(
    work: UnitOfWork, actor: Actor, site_id: uuid.UUID, pairs: Sequence[tuple[str, str]], given_at: datetime
) -> Entered:
    """Hand out the watches of a paper, (label or serial, family code) each, at the paper's time.

    The caller rolls back if there are faults. Repeating the call changes nothing. Raises PaperTimeWrongError.
    """
    if not work.now - PAPER_KEPT <= given_at <= work.now + _CLOCKS_DIFFER:
        raise PaperTimeWrongError
    entered = Entered()
    # Watches are locked in one order, so that two papers with the same watches cannot deadlock.
    rows = sorted(enumerate(pairs, start=1), key=lambda row: (serial_of_scan(row[1][0]), row[0]))
    for row, (scan, family_code) in rows:
        try:
            is_new = await hand_out_watch(
                work, actor, scan, family_code, site_id=site_id, given_at=min(given_at, work.now)
            )
        except _REFUSALS as refused:
            column = "family_code" if isinstance(refused, _OF_FAMILY) else "scan"
            holder = refused.family_code if isinstance(refused, WatchElsewhereError) else None
            entered.faults.append(PaperFault(row, column, refused.code, holder))
            continue
        if is_new:
            entered.given.append(serial_of_scan(scan))
        else:
            entered.unchanged += 1
    entered.faults.sort(key=lambda fault: fault.row)
    return entered
