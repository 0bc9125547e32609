"""Lists on their way in over HTTP: read aside, taken whole or not at all, and told in one report."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from fastapi import Request

from services.api.staff.schemas.imports import ListFault, ListImportResponse
from services.core.platform.db.database import UnitOfWork
from services.core.platform.limits.actions import Charge, charge
from services.core.platform.limits.rules import Limits
from services.core.platform.spreadsheets.sheets import Fault, SheetRefusedError, check_unpacked_size

Rows = TypeVar("Rows")

# 1 MiB of a workbook may unpack to more; a list of some thousand rows does not, and reading this much takes seconds.
_UNPACKED_MAX_BYTES: Final = 12_000_000
_FAULTS_REPORTED: Final = 500


@dataclass(frozen=True)
class Counts:
    """What a list came to."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    watches_handed_out: int = 0


async def import_list(
    request: Request,
    work: UnitOfWork,
    staff_id: uuid.UUID,
    read: Callable[[bytes], Rows],
    take: Callable[[Rows], Awaitable[Counts]],
    *,
    dry_run: bool,
) -> ListImportResponse:
    """Read the request's body as a list and take it, all or nothing; return what it came to, or every fault.

    What the list alone shows is told in sentences. What comparing it with the database shows is told as codes: a
    sentence may name a family or a watch elsewhere. A dry run does it all and takes it back. Raises RetryLaterError.
    """
    await charge(work, Charge(Limits.LISTS_OF_STAFF, str(staff_id)))
    raw = await request.body()
    try:
        # Aside, for it may take seconds in which others wait for this process.
        rows = await asyncio.to_thread(_read, raw, read)
    except SheetRefusedError as refused:
        return _refused(refused.faults, dry_run=dry_run, in_full=True)
    try:
        counts = await take(rows)
        if dry_run:
            await work.roll_back()
    except SheetRefusedError as refused:
        # Found before anything is written.
        alone = getattr(rows, "faults", ())
        return _refused(refused.faults, dry_run=dry_run, in_full=False, alone=alone)
    return ListImportResponse(taken=not dry_run, dry_run=dry_run, **vars(counts), faults_in_all=0, faults=[])


def _read(raw: bytes, read: Callable[[bytes], Rows]) -> Rows:
    check_unpacked_size(raw, _UNPACKED_MAX_BYTES)
    return read(raw)


def _refused(
    faults: Sequence[Fault], *, dry_run: bool, in_full: bool, alone: Collection[Fault] = frozenset()
) -> ListImportResponse:
    alone = frozenset(alone)
    told = [
        ListFault(
            row=fault.row,
            column=fault.column,
            code=fault.code,
            sentence=fault.sentence if in_full or fault in alone else None,
        )
        for fault in faults[:_FAULTS_REPORTED]
    ]
    return ListImportResponse(taken=False, dry_run=dry_run, **vars(Counts()), faults_in_all=len(faults), faults=told)
