"""The worker renders a file of published numbers: read scope by scope, rendered in a thread, sealed before storage."""

from __future__ import annotations

import asyncio
import json
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from services.core.measurement.exports.actions import AUDIENCE_OF, FileKind, Recipient, context_of, key_of
from services.core.measurement.exports.dhis2 import Dhis2Ids, data_value_set, dry_run_of
from services.core.measurement.exports.files import Extract, as_csv, as_xlsx
from services.core.measurement.exports.report import donor_report
from services.core.measurement.indicators.rules import Cell
from services.core.measurement.publishing.headlines import headline_of
from services.core.measurement.publishing.queries import published_cells, scopes_of_file
from services.core.measurement.tables import UsageExport, UsageExportFile
from services.core.people.programme.queries import programme_of
from services.core.people.programme.tables import Site
from services.core.platform.crypto.vault import seal
from services.core.platform.db.claiming import claim_oldest
from services.core.platform.db.database import Database

# A killed process loses its claim after this time; another process then starts again.
CLAIM_LIVES: Final = timedelta(minutes=15)
TRIES: Final = 3
# Progress in percent: reading is the first part, rendering the second.
_READ_PERCENT: Final = 60
_RENDERED_PERCENT: Final = 95

log = structlog.get_logger()


@dataclass(frozen=True)
class Job:
    """One export claimed by this process, and the key of its file."""

    export: UsageExport
    key: bytes


async def render_one_file(database: Database) -> bool:
    """Render the oldest waiting file; return whether there was one. After a kill another process starts it again."""
    job = await claim(database)
    if job is None:
        return False
    extract = await _extract(database, job.export)
    # In a thread: a year of a large programme as a workbook takes seconds.
    plain = await asyncio.to_thread(_render, job.export, extract)
    await _note_progress(database, job, _RENDERED_PERCENT)
    await _store(database, job, plain)
    return True


async def claim(database: Database) -> Job | None:
    """Claim the oldest file that waits or whose claim has run out; a file tried too often is marked as failed."""
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
    """Read everything published about the file's scopes, and record the progress."""
    audience = AUDIENCE_OF[Recipient(export.recipient)]
    async with database.begin() as work:
        programme = await programme_of(work, export.programme_id)
        site = None if export.site_id is None else await work.session.get_one(Site, export.site_id)
        # A programme's report is about the programme only; data files include its sites.
        scopes = await scopes_of_file(work, programme, site, audience, parts=export.kind != FileKind.REPORT)
        headline = await headline_of(work, export.programme_id, audience, export.site_id)
        simulated = programme.simulated
        made_at = work.now
    cells: list[Cell] = []
    for number, scope_id in enumerate(scopes, start=1):
        async with database.begin() as work:
            cells += await published_cells(work, export.programme_id, audience, scope_id=scope_id)
            running = await work.session.get(UsageExport, export.usage_export_id, with_for_update={"key_share": True})
            if running is not None:
                running.percent = _READ_PERCENT * number // len(scopes)
                work.add(running)
    return Extract(
        next(iter(scopes.values())), audience, cells, scopes, made_at, export.locale, headline, simulated=simulated
    )


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
    mapping = export.mapping
    units = {uuid.UUID(scope): unit for scope, unit in mapping["org_units"].items()}
    # Dhis2Ids units that are not in this file are refused.
    mapped = Dhis2Ids(
        mapping["data_elements"], {scope: unit for scope, unit in units.items() if scope in extract.scopes}
    )
    document = data_value_set(extract.cells, extract.audience, mapped, dry_run=mapping["dry_run"])
    left_out = dry_run_of(extract.cells, extract.audience, mapped)
    document["left_out"] = {
        "suppressed": left_out.suppressed,
        "bounds": left_out.bounds,
        "indicators_without_element": left_out.indicators_without_element,
        "scopes_without_unit": left_out.scopes_without_unit,
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


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
            # The account ended meanwhile, or another process claimed the file after this claim ran out.
            log.info("usage_export_dropped", usage_export_id=str(export_id))
            return
        work.add(UsageExportFile(usage_export_id=export_id, sealed=sealed))
        export.state = "ready"
        export.percent = 100
        export.size_bytes = len(plain)
        export.ready_at = work.now
        export.expires_at = work.now + work.retention.exports
        work.add(export)
