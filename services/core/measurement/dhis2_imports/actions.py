"""Request an import into DHIS2, send it a batch at a time, keep what DHIS2 answered.

A value in DHIS2 has its data element, period and organisation unit as its key. A repeated batch updates the same
values, so that an import that broke off is continued or repeated and stores nothing twice.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import structlog
from sqlalchemy import func
from sqlmodel import col, select

from services.core.measurement.dhis2_imports.errors import (
    Dhis2IdsAmbiguousError,
    Dhis2IdsMalformedError,
    Dhis2ImportRunningError,
    SimulatedNotSentError,
)
from services.core.measurement.dhis2_imports.rules import (
    TRIES,
    Answer,
    Problem,
    Summary,
    Verdict,
    in_batches,
    pause_before,
)
from services.core.measurement.dhis2_imports.tables import Dhis2Import
from services.core.measurement.exports.dhis2 import Dhis2Ids, data_value_set, dry_run_of
from services.core.measurement.publishing.queries import published_cells, scopes_of_file
from services.core.measurement.tables import UsageWeek
from services.core.people.programme.queries import programme_of
from services.core.people.programme.tables import Programme, Site
from services.core.platform.audit.actions import Actor, record_audit
from services.core.platform.db.claiming import claim_oldest
from services.core.platform.db.columns import new_id
from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.disclosure import Audience
from services.core.platform.outbox.actions import CHANNEL

KIND: Final = "dhis2_import"
_CLAIM_LIVES: Final = timedelta(minutes=15)
_UID: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{10}")
_CODE: Final = re.compile(r"[a-z0-9_]{1,30}")
_MAX_ELEMENTS: Final = 50
_MAX_UNITS: Final = 500

log = structlog.get_logger()


@dataclass(frozen=True)
class Batch:
    """Values to send next. ``number`` counts from 0 in its phase, ``of`` is the number of batches in it."""

    import_id: uuid.UUID
    phase: str
    number: int
    of: int
    tries: int
    values: Sequence[dict[str, str]]

    @property
    def dry_run(self) -> bool:
        """Whether DHIS2 only checks the batch."""
        return self.phase == "check"


@dataclass(frozen=True)
class ImportRequest:
    """What to send where: ``mapping`` has data_elements by indicator and org_units by scope."""

    mapping: Mapping[str, Any]
    check_only: bool


async def request_import(
    work: UnitOfWork, actor: Actor, programme: Programme, site: Site | None, requested: ImportRequest
) -> Dhis2Import:
    """Queue an import of the published weeks of a programme, or of one of its sites, for the worker.

    Only numbers that are public (10 families and more) are sent. Raises Dhis2IdsMalformedError, Dhis2IdsAmbiguousError,
    SimulatedNotSentError, Dhis2ImportRunningError.
    """
    check_ids(requested.mapping)
    if programme.simulated and not requested.check_only:
        raise SimulatedNotSentError
    await work.session.get_one(
        Programme, programme.programme_id, with_for_update={"key_share": True}, populate_existing=True
    )
    running = await work.session.exec(
        select(Dhis2Import.import_id).where(
            Dhis2Import.programme_id == programme.programme_id, col(Dhis2Import.state).in_(["waiting", "running"])
        )
    )
    if running.first() is not None:
        raise Dhis2ImportRunningError
    last_week = await work.session.exec(
        select(func.max(UsageWeek.week)).where(UsageWeek.programme_id == programme.programme_id)
    )
    made = Dhis2Import(
        import_id=new_id(), programme_id=programme.programme_id, site_id=None if site is None else site.site_id,
        asked_by=uuid.UUID(actor.id) if actor.kind == "staff" else None, mapping=dict(requested.mapping),
        check_only=requested.check_only, last_week=last_week.one(), asked_at=work.now, changed_at=work.now,
    )  # fmt: skip
    work.add(made)
    await work.flush()
    record_audit(work, actor, "dhis2_import.asked", subject_id=made.import_id)
    work.notify(CHANNEL, KIND)
    return made


def check_ids(mapping: Mapping[str, Any]) -> None:
    """Raise unless the mapping has ids of DHIS2 in their form, and each id once."""
    elements, units = mapping.get("data_elements"), mapping.get("org_units")
    if not isinstance(elements, Mapping) or not isinstance(units, Mapping) or set(mapping) - _KEYS:
        raise Dhis2IdsMalformedError
    well_formed = (
        0 < len(elements) <= _MAX_ELEMENTS
        and 0 < len(units) <= _MAX_UNITS
        and all(_CODE.fullmatch(str(code)) for code in elements)
        and all(_is_uuid(scope) for scope in units)
        and all(isinstance(uid, str) and _UID.fullmatch(uid) for uid in [*elements.values(), *units.values()])
    )
    if not well_formed:
        raise Dhis2IdsMalformedError
    if len(set(elements.values())) < len(elements) or len(set(units.values())) < len(units):
        raise Dhis2IdsAmbiguousError


_KEYS: Final = frozenset({"data_elements", "org_units"})


def _is_uuid(value: object) -> bool:
    try:
        uuid.UUID(str(value))
    except ValueError:
        return False
    return True


async def next_batch(database: Database, batch_values: int) -> Batch | None:
    """Claim the oldest import that waits and return its next batch; None when nothing waits.

    An import without a value to send ends here. After a kill another process continues with the same batch.
    """
    while True:
        async with database.begin() as work:
            row = await claim_oldest(work, Dhis2Import, lives=_CLAIM_LIVES, tries=TRIES)
            if row is None:
                return None
            row.changed_at = work.now
            if row.state == "failed":
                _end(work, row, "failed")
                continue
            values = await _values(work, row)
            if not values:
                row.problem = Problem.NOTHING_PUBLIC
                _end(work, row, "failed")
                continue
            return _batch_of(row, values, batch_values)


async def settle_batch(database: Database, batch: Batch, answer: Answer, batch_values: int) -> Batch | None:
    """Keep what DHIS2 answered to a batch; return the next batch of the import, None when it has ended or waits."""
    async with database.begin() as work:
        row = await work.session.get(Dhis2Import, batch.import_id, with_for_update={"key_share": True})
        if row is None or (row.state, row.phase, row.batches_done, row.tries) != (
            "running", batch.phase, batch.number, batch.tries,
        ):  # fmt: skip
            # The programme was deleted, or another process continued after this claim ran out.
            log.info("dhis2_import_dropped", import_id=str(batch.import_id))
            return None
        row.changed_at = work.now
        row.problem, row.message = answer.problem, answer.message
        match answer.verdict:
            case Verdict.LATER:
                row.state = "waiting"
                row.claimed_until = work.now + pause_before(row.tries, answer.retry_after_s)
                work.add(row)
                return None
            case Verdict.REFUSED:
                _end(work, row, "failed")
                return None
            case Verdict.TAKEN | Verdict.CONFLICTS:
                _count(row, answer.summary)
                row.batches_done += 1
                row.tries = 1
                row.claimed_until = work.now + _CLAIM_LIVES
                if row.batches_done == batch.of:
                    _end_phase(work, row)
                _note_progress(row, batch.of)
                work.add(row)
        if row.ended_at is not None:
            return None
        return _batch_of(row, await _values(work, row), batch_values)


def _batch_of(row: Dhis2Import, values: Sequence[dict[str, str]], batch_values: int) -> Batch | None:
    batches = in_batches(values, batch_values)
    # A smaller setting since the last batch would skip values: begin the phase again, which changes nothing twice.
    if row.batches_done >= len(batches):
        row.batches_done = 0
    return Batch(row.import_id, row.phase, row.batches_done, len(batches), row.tries, batches[row.batches_done])


def _count(row: Dhis2Import, summary: Summary) -> None:
    if row.phase == "check":
        row.checked = Summary.read(row.checked).plus(summary).written()
    else:
        row.imported = Summary.read(row.imported).plus(summary).written()


def _end_phase(work: UnitOfWork, row: Dhis2Import) -> None:
    """End the import after its last batch, or go from the check to the import."""
    checked = Summary.read(row.checked)
    if row.phase == "import":
        summary = Summary.read(row.imported)
        is_whole = not summary.conflict_count and not summary.ignored
        row.problem = None if is_whole else Problem.CONFLICTS
        _end(work, row, "done" if is_whole else "partly")
    elif checked.conflict_count or checked.ignored:
        row.problem = Problem.CONFLICTS
        _end(work, row, "conflicts")
    elif row.check_only:
        _end(work, row, "checked")
    else:
        row.phase, row.batches_done = "import", 0


def _note_progress(row: Dhis2Import, of: int) -> None:
    # The check is the first half, unless it is all.
    share = row.batches_done / of
    whole = share if row.check_only else (share / 2 if row.phase == "check" else 0.5 + share / 2)
    row.percent = 100 if row.ended_at is not None else min(99, int(100 * whole))


def _end(work: UnitOfWork, row: Dhis2Import, state: str) -> None:
    row.state, row.ended_at, row.claimed_until = state, work.now, None
    work.add(row)
    log.info("dhis2_import_ended", import_id=str(row.import_id), state=state, problem=row.problem)


async def _values(work: UnitOfWork, row: Dhis2Import) -> Sequence[dict[str, str]]:
    """Return all values of the import, the same at each call: published weeks never change."""
    programme = await programme_of(work, row.programme_id)
    site = None if row.site_id is None else await work.session.get_one(Site, row.site_id)
    scopes = await scopes_of_file(work, programme, site, Audience.PUBLIC, parts=True)
    units = {uuid.UUID(scope): unit for scope, unit in row.mapping["org_units"].items()}
    ids = Dhis2Ids(row.mapping["data_elements"], {scope: unit for scope, unit in units.items() if scope in scopes})
    cells = [
        cell
        for scope_id in scopes
        for cell in await published_cells(work, row.programme_id, Audience.PUBLIC, scope_id=scope_id)
        if row.last_week is not None and cell.week <= row.last_week
    ]
    omitted = dry_run_of(cells, Audience.PUBLIC, ids)
    row.values = omitted.values
    row.left_out = {
        "suppressed": omitted.suppressed,
        "bounds": omitted.bounds,
        "indicators_without_element": list(omitted.indicators_without_element),
        "scopes_without_unit": list(omitted.scopes_without_unit),
        "units_of_other_scopes": sorted(str(scope) for scope in units if scope not in scopes),
    }
    values: list[dict[str, str]] = data_value_set(cells, Audience.PUBLIC, ids, dry_run=True)["body"]["dataValues"]
    return sorted(values, key=lambda value: (value["period"], value["dataElement"], value["orgUnit"]))
