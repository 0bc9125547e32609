"""SIM cards of watches: number, holder, plan and monthly usage, from the operator's list."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from services.core.devices.watches.rules import is_serial, number_faults
from services.core.devices.watches.tables import SimMonth, Watch
from services.core.office.registration.actions import STATES_WITH_SIM
from services.core.people.accounts.errors import PhoneInvalidError
from services.core.people.accounts.phone_numbers import possible_phone
from services.core.people.programme.tables import Site
from services.core.platform.audit.actions import Actor, record_audit
from services.core.platform.db.database import UnitOfWork
from services.core.platform.spreadsheets.sheets import (
    Fault,
    Listed,
    Row,
    SheetRefusedError,
    all_faults,
    first_faults,
    is_date,
    read_sheet,
    repeated_cells,
)

REQUIRED_COLUMNS: Final = ("serial",)
OPTIONAL_COLUMNS: Final = ("iccid", "number", "holder", "expires", "quota_mb", "month", "used_mb")
_ICCID: Final = re.compile(r"[0-9]{18,22}")
_MONTH: Final = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")
_MEGABYTES: Final = re.compile(r"[0-9]{1,7}")
_HOLDER_CHARACTERS_MAX: Final = 40


@dataclass(frozen=True)
class SimRow:
    """One row of the operator's list; None for an empty cell."""

    row: int
    serial: str
    iccid: str | None
    number: str | None
    holder: str | None
    expires_on: date | None
    quota_mb: int | None
    month: date | None
    used_mb: int | None

    def fault(self, column: str, code: str, sentence: str) -> Fault:
        """Return a fault of this row."""
        return Fault(self.row, column, code, sentence)


@dataclass
class SimsNoted:
    """Result of a list: the serials updated and the serials left unchanged."""

    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)


def read_sim_list(raw: bytes) -> Listed[SimRow]:
    """Return the rows of a SIM card list and its faults; raises SheetRefusedError for a file that is not one."""
    faults: list[Fault] = []
    rows = read_sheet(raw, required=REQUIRED_COLUMNS, optional=OPTIONAL_COLUMNS, capitals=("serial",), collected=faults)
    faults += [fault for row in rows for fault in _faults(row)]
    # One row for each watch. Two months need two lists, because two quotas in one list would be ambiguous.
    for column in ("serial", "iccid", "number"):
        faults += repeated_cells(rows, column, f"{column}_repeated")
    return Listed([_sim(row) for row in rows], first_faults(faults))


async def record_sims(
    work: UnitOfWork,
    actor: Actor,
    listed: Listed[SimRow],
    progress: Callable[[], None] = lambda: None,
    *,
    site_id: uuid.UUID | None = None,
) -> SimsNoted:
    """Record a SIM card list, all rows or none; an empty cell and a repeated call change nothing.

    With ``site_id``, a watch of another site is reported as unknown.

    Raises SheetRefusedError with every fault of the file and every row that conflicts with a registered watch.
    """
    rows = listed.rows
    here = [] if site_id is None else [col(Watch.site_id) == site_id]
    result = await work.session.exec(
        select(Watch, Site.country)
        .join(Site, col(Site.site_id) == col(Watch.site_id))
        .where(col(Watch.serial).in_([row.serial for row in rows]), *here)
        .order_by(col(Watch.watch_id))
        .with_for_update(of=Watch, key_share=True)
    )
    watches = {watch.serial: (watch, country) for watch, country in result}
    numbers, faults = _numbers(rows, {serial: country for serial, (_, country) in watches.items()})
    faults += [
        row.fault("serial", "watch_unknown", "No watch has this serial.") for row in rows if row.serial not in watches
    ]
    faults += await _number_conflicts(work, rows, numbers)
    if faults := all_faults(listed.faults, faults):
        raise SheetRefusedError(faults)
    outcome = SimsNoted()
    for row in rows:
        watch, _ = watches[row.serial]
        changed = _note_particulars(work, watch, row, numbers.get(row.row))
        changed = await _note_month(work, watch, row) or changed
        if changed:
            record_audit(work, actor, "watch.sim_changed", subject_id=watch.watch_id)
        (outcome.changed if changed else outcome.unchanged).append(row.serial)
        progress()
    return outcome


def _note_particulars(work: UnitOfWork, watch: Watch, row: SimRow, number: str | None) -> bool:
    given = {
        "iccid": row.iccid, "sim_number": number, "sim_holder": row.holder, "sim_expires_on": row.expires_on,
        "sim_quota_mb": row.quota_mb,
    }  # fmt: skip
    news = {name: value for name, value in given.items() if value is not None and getattr(watch, name) != value}
    watch.sqlmodel_update(news)
    work.add(watch)
    return bool(news)


async def _note_month(work: UnitOfWork, watch: Watch, row: SimRow) -> bool:
    if row.month is None or row.used_mb is None:
        return False
    statement = insert(SimMonth).values(watch_id=watch.watch_id, month=row.month, used_mb=row.used_mb)
    made = await work.run(
        statement.on_conflict_do_update(
            index_elements=["watch_id", "month"],
            set_={"used_mb": row.used_mb},
            where=col(SimMonth.used_mb) != row.used_mb,
        ).returning(col(SimMonth.watch_id))
    )
    return made.scalar_one_or_none() is not None


def _numbers(rows: Sequence[SimRow], countries: dict[str, str]) -> tuple[dict[int, str], list[Fault]]:
    """Return the phone numbers in E.164 by row, and a fault for each that is none."""
    numbers, faults = {}, []
    for row in rows:
        if row.number is None or row.serial not in countries:
            continue
        try:
            numbers[row.row] = possible_phone(row.number, countries[row.serial])
        except PhoneInvalidError as error:
            faults.append(row.fault("number", error.code, f"Not a phone number of {countries[row.serial]}."))
    return numbers, faults


async def _number_conflicts(work: UnitOfWork, rows: Sequence[SimRow], numbers: dict[int, str]) -> list[Fault]:
    """Return a fault for each ICCID or number of another watch in use: its SIM card was moved without a record."""
    faults = []
    by_row = {"iccid": {row.row: row.iccid for row in rows if row.iccid}, "number": numbers}
    for column, attribute in (("iccid", Watch.iccid), ("number", Watch.sim_number)):
        result = await work.session.exec(
            select(attribute, Watch.serial).where(
                col(attribute).in_(list(by_row[column].values())), col(Watch.state).in_(STATES_WITH_SIM)
            )
        )
        owners = {value: serial for value, serial in result}  # noqa: C416 - typed rows, not tuples
        for row in rows:
            value = by_row[column].get(row.row)
            if value is not None and owners.get(value, row.serial) != row.serial:
                faults.append(row.fault(column, f"{column}_taken", f"Watch {owners[value]} already has this value."))
    return faults


def _sim(row: Row) -> SimRow:
    cells = row.cells
    return SimRow(
        row=row.number,
        serial=cells["serial"],
        iccid=cells["iccid"] or None,
        number=cells["number"] or None,
        holder=cells["holder"] or None,
        expires_on=date.fromisoformat(cells["expires"]) if is_date(cells["expires"]) else None,
        quota_mb=_megabytes(cells["quota_mb"]),
        month=date.fromisoformat(f"{cells['month']}-01") if _MONTH.fullmatch(cells["month"]) else None,
        used_mb=_megabytes(cells["used_mb"]),
    )


def _megabytes(cell: str) -> int | None:
    return int(cell) if _MEGABYTES.fullmatch(cell) else None


def _faults(row: Row) -> list[Fault]:
    cells, faults = row.cells, []
    if not is_serial(cells["serial"]):
        faults.append(row.fault("serial", "serial_malformed", "A serial has 4 to 20 characters of A-Z and 0-9."))
    faults += number_faults(row, "iccid", _ICCID, "An ICCID has 18 to 22 digits.")
    if len(cells["holder"]) > _HOLDER_CHARACTERS_MAX:
        faults.append(row.fault("holder", "holder_too_long", f"More than {_HOLDER_CHARACTERS_MAX} characters."))
    if cells["expires"] and not is_date(cells["expires"]):
        faults.append(row.fault("expires", "expires_malformed", "Write the date as 2027-01-31."))
    if cells["month"] and not _MONTH.fullmatch(cells["month"]):
        faults.append(row.fault("month", "month_malformed", "Write the month as 2027-01."))
    faults += [
        row.fault(column, f"{column}_malformed", "Enter whole megabytes, digits only.")
        for column in ("quota_mb", "used_mb")
        if cells[column] and not _MEGABYTES.fullmatch(cells[column])
    ]
    if bool(cells["month"]) != bool(cells["used_mb"]):
        faults.append(row.fault("month", "month_incomplete", "Fill in both month and used_mb, or neither."))
    return faults
