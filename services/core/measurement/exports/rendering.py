"""The worker makes a file of published numbers: read scope by scope, rendered aside, sealed before it is stored."""

from __future__ import annotations

import asyncio
import json
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from services.core.measurement.exports.actions import AUDIENCE_OF, FileKind, Recipient, context_of, key_of
from services.core.measurement.exports.dhis2 import Mapped, data_value_set, rehearse
from services.core.measurement.exports.files import Extract, as_csv, as_xlsx
from services.core.measurement.exports.report import donor_report
from services.core.measurement.indicators.rules import Cell
from services.core.measurement.publishing.queries import published_cells, scopes_of_file
from services.core.measurement.tables import UsageExport, UsageExportFile
from services.core.people.programme.queries import programme_of
from services.core.people.programme.tables import Site
from services.core.platform.crypto.vault import seal
from services.core.platform.db.claiming import claim_oldest
from services.core.platform.db.database import Database

# A process that was killed loses its claim after this, and another one begins anew.
CLAIM_LIVES: Final = timedelta(minutes=15)
TRIES: Final = 3
# Reading is the first part of the way, rendering the second.
_READ_PERCENT: Final = 60
_RENDERED_PERCENT: Final = 95

log = structlog.get_logger()


@dataclass(frozen=True)
class Job:
    """One export in this process's hands, and the key of its file."""

    export: UsageExport
    key: bytes


async def make_one_file(database: Database) -> bool:
    """Make the oldest file that waits; return whether there was one. Killed anywhere, another process begins anew."""
    job = await claim(database)
    if job is None:
        return False
    extract = await _extract(database, job.export)
    # Aside: a year of a large programme as a workbook takes seconds.
    plain = await asyncio.to_thread(_render, job.export, extract)
    await _note_progress(database, job, _RENDERED_PERCENT)
    await _store(database, job, plain)
    return True


async def claim(database: Database) -> Job | None:
    """Take the oldest file that waits, or that a killed process left; one tried too often has failed."""
    async with database.begin() as work:
        export = await claim_oldest(work, UsageExport, lives=CLAIM_LIVES, tries=TRIES)
        if export is None:
            return None
        if export.state == "failed":
            log.warning("usage_export_failed", usage_export_id=str(export.usage_export_id))
            return None
        await work.flush()
        work.session.expunge(export)
        return Job(export, key_of(work.vault, export))


async def _extract(database: Database, export: UsageExport) -> Extract:
    """Read everything published of the scopes that the file is about, noting how far it is."""
    audience = AUDIENCE_OF[Recipient(export.recipient)]
    async with database.begin() as work:
        programme = await programme_of(work, export.programme_id)
        site = None if export.site_id is None else await work.session.get_one(Site, export.site_id)
        # A programme's report is about the whole alone; data also tells the sites.
        scopes = await scopes_of_file(work, programme, site, parts=export.kind != FileKind.REPORT)
        made_at = work.now
    cells: list[Cell] = []
    for number, scope_id in enumerate(scopes, start=1):
        async with database.begin() as work:
            cells += await published_cells(work, export.programme_id, audience, scope_id=scope_id)
            running = await work.session.get(UsageExport, export.usage_export_id, with_for_update={"key_share": True})
            if running is not None:
                running.percent = _READ_PERCENT * number // len(scopes)
                work.add(running)
    return Extract(next(iter(scopes.values())), audience, cells, scopes, made_at, export.locale)


def _render(export: UsageExport, extract: Extract) -> bytes:
    match FileKind(export.kind):
        case FileKind.CSV:
            return as_csv(extract)
        case FileKind.XLSX:
            return as_xlsx(extract)
        case FileKind.REPORT:
            return donor_report(extract).encode()
        case FileKind.DHIS2:
            return _for_dhis2(export, extract)


def _for_dhis2(export: UsageExport, extract: Extract) -> bytes:
    said = export.mapping
    units = {uuid.UUID(scope): unit for scope, unit in said["org_units"].items()}
    # A unit of somewhere else is no unit of this file.
    mapped = Mapped(said["data_elements"], {scope: unit for scope, unit in units.items() if scope in extract.scopes})
    told = data_value_set(extract.cells, mapped, dry_run=said["dry_run"])
    left_out = rehearse(extract.cells, mapped)
    told["left_out"] = {
        "suppressed": left_out.suppressed,
        "indicators_without_element": left_out.indicators_without_element,
        "scopes_without_unit": left_out.scopes_without_unit,
    }
    return json.dumps(told, ensure_ascii=False, indent=1).encode()


async def _note_progress(database: Database, job: Job, percent: int) -> None:
    async with database.begin() as work:
        export = await work.session.get(UsageExport, job.export.usage_export_id, with_for_update={"key_share": True})
        if export is not None:
            export.percent = percent
            work.add(export)


async def _store(database: Database, job: Job, plain: bytes) -> None:
    export_id = job.export.usage_export_id
    sealed = await asyncio.to_thread(seal, job.key, plain, context_of(export_id))
    async with database.begin() as work:
        export = await work.session.get(UsageExport, export_id, with_for_update={"key_share": True})
        if export is None or export.state != "running" or export.tries != job.export.tries:
            # The account ended meanwhile, or another process took over when this one's claim was over.
            log.info("usage_export_dropped", usage_export_id=str(export_id))
            return
        work.add(UsageExportFile(usage_export_id=export_id, sealed=sealed))
        export.state = "ready"
        export.percent = 100
        export.size_bytes = len(plain)
        export.ready_at = work.now
        export.expires_at = work.now + work.retention.exports
        work.add(export)
