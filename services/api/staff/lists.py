"""Import of uploaded lists: parsed in a thread, applied as a whole or not at all, with one report of all faults."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from fastapi import Request

from services.api.forms import read_file
from services.api.staff.access import SiteScope, require_site_scope
from services.api.staff.schemas.imports import ListFault, ListImportResponse
from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.limits.actions import Charge, charge
from services.core.platform.limits.rules import Limits
from services.core.platform.spreadsheets.sheets import Fault, SheetRefusedError, check_unpacked_size


class _ReadList(Protocol):
    @property
    def faults(self) -> Collection[Fault]: ...


Rows = TypeVar("Rows", bound=_ReadList)

# A workbook of 1 MiB can unpack to much more than a list of some thousand rows, and parsing it would take seconds.
_UNPACKED_MAX_BYTES: Final = 12_000_000
_FAULTS_REPORTED: Final = 500
LIST_FIELD: Final = "list"


@dataclass(frozen=True)
class Counts:
    """Result of an import: numbers of rows."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    watches_handed_out: int = 0


async def import_list(
    request: Request,
    work: UnitOfWork,
    scope: SiteScope,
    read: Callable[[bytes], Rows],
    write: Callable[[UnitOfWork, Rows], Awaitable[Counts]],
    *,
    dry_run: bool,
) -> ListImportResponse:
    """Import the body, or the field `list` of a form, as a list, all rows or none; return the counts, or every fault.

    Faults of the file itself carry a sentence. Faults from the comparison with the database carry a code only, because
    their sentences can name a family or watch of another site. A dry run is rolled back.

    The caller's access can end while the list is parsed: it is decided again in the transaction that writes.
    Raises RetryLaterError, and what the access rule raises.
    """
    await charge(work, Charge(Limits.LISTS_OF_STAFF, str(scope.caller.staff_id)))
    await work.commit_early()
    raw = await read_file(request, LIST_FIELD)
    try:
        # Parsing can take seconds, so it runs in a thread to keep the event loop free.
        rows = await asyncio.to_thread(_read, raw, read)
    except SheetRefusedError as refused:
        return _refused(refused.faults, dry_run=dry_run, in_full=True)
    database: Database = request.app.state.database
    try:
        async with database.begin() as writing:
            await require_site_scope(writing, scope)
            counts = await write(writing, rows)
            if dry_run:
                await writing.roll_back()
    except SheetRefusedError as refused:
        return _refused(refused.faults, dry_run=dry_run, in_full=False, alone=rows.faults)
    return ListImportResponse(taken=not dry_run, dry_run=dry_run, **vars(counts), faults_in_all=0, faults=[])


def _read(raw: bytes, read: Callable[[bytes], Rows]) -> Rows:
    check_unpacked_size(raw, _UNPACKED_MAX_BYTES)
    return read(raw)


def _refused(
    faults: Sequence[Fault], *, dry_run: bool, in_full: bool, alone: Collection[Fault] = frozenset()
) -> ListImportResponse:
    alone = frozenset(alone)
    shown = [
        ListFault(
            row=fault.row,
            column=fault.column,
            code=fault.code,
            sentence=fault.sentence if in_full or fault in alone else None,
        )
        for fault in faults[:_FAULTS_REPORTED]
    ]
    return ListImportResponse(taken=False, dry_run=dry_run, **vars(Counts()), faults_in_all=len(faults), faults=shown)
