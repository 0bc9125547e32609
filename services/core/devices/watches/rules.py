"""Validate lists of watches, and decide which states a watch can change to. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.core.devices.watches.errors import WatchStateError
from services.core.platform.spreadsheets.sheets import (
    Fault,
    Listed,
    Row,
    SheetRefusedError,
    first_faults,
    is_date,
    read_sheet,
    repeated_cells,
)

SERIAL: Final = re.compile(r"[A-Z0-9]{4,20}")
_IMEI: Final = re.compile(r"[0-9]{15}")
_ICCID: Final = re.compile(r"[0-9]{18,22}")
# A spreadsheet turns 860000000000007 into 8.6E+14 and drops the last digits.
_ROUNDED: Final = re.compile(r"[0-9][.,]?[0-9]*[eE]\+?[0-9]+")
_TEXT_CHARACTERS_MAX: Final = 40

# Prefix of the serial in the QR code of a label.
# Labels printed before 2026-12 hold this; newer ones hold the address of the page for finders and the serial.
QR_PREFIX: Final = "smartwatch:serial:"
_LABEL_ADDRESS: Final = re.compile(r"https?://[^\s#]{1,200}/w#(?P<serial>[A-Za-z0-9]{1,40})")

REQUIRED_COLUMNS: Final = ("serial", "model", "site")
OPTIONAL_COLUMNS: Final = ("imei", "iccid", "sim_holder", "sim_expires")

# The states that a watch can change to. `returned` means in stock, also for a watch that was found or repaired.
_MOVES: Final = {
    "registered": frozenset({"handed_out", "lost", "broken"}),
    "handed_out": frozenset({"returned", "lost", "broken"}),
    "returned": frozenset({"handed_out", "lost", "broken"}),
    "lost": frozenset({"returned", "broken"}),
    "broken": frozenset({"returned", "lost"}),
}
STATES: Final = tuple(_MOVES)


@dataclass(frozen=True)
class WatchRow:
    """One watch of a list; None where the list has no value."""

    row: int
    serial: str
    imei: str | None
    model: str
    site: str
    iccid: str | None
    sim_holder: str | None
    sim_expires_on: date | None

    def fault(self, column: str, code: str, sentence: str) -> Fault:
        """Return a fault of this row."""
        return Fault(self.row, column, code, sentence)


def is_serial(text: str) -> bool:
    """Return whether a text is a serial: 4 to 20 of A-Z and 0-9."""
    return SERIAL.fullmatch(text) is not None


def serial_of_scan(scanned: str) -> str:
    """Return the serial in a scan: of a label's QR code (an address, or the prefix of older ones), or a plain serial.

    Small letters are read as capitals: a serial has capitals only, and a hand types small ones.
    """
    text = scanned.strip()
    if address := _LABEL_ADDRESS.fullmatch(text):
        text = address["serial"]
    return text.removeprefix(QR_PREFIX).strip().upper()


def luhn_fits(digits: str) -> bool:
    """Return whether the last digit is the Luhn check digit of the others (ISO/IEC 7812-1 annex B)."""
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if index % 2 else 1)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 - the digits of a two-digit product, added
    return total % 10 == 0


def read_watch_list(raw: bytes) -> list[WatchRow]:
    """Return the watches of a list without faults; raises SheetRefusedError with every fault of the list alone."""
    listed = watch_list(raw)
    if listed.faults:
        raise SheetRefusedError(listed.faults)
    return listed.rows


def watch_list(raw: bytes) -> Listed[WatchRow]:
    """Return the watches of a list beside its faults; raises SheetRefusedError for a file that is no list."""
    faults: list[Fault] = []
    return watches_of(
        read_sheet(raw, required=REQUIRED_COLUMNS, optional=OPTIONAL_COLUMNS, capitals=("serial",), collected=faults),
        faults,
    )


def watches_of(rows: Sequence[Row], further: Sequence[Fault] = ()) -> Listed[WatchRow]:
    """Return the watches in the rows of a sheet, and all their faults after those of ``further``."""
    faults = [*further]
    faults += [fault for row in rows for fault in _faults(row)]
    for column in ("serial", "imei", "iccid"):
        faults += repeated_cells(rows, column, f"{column}_repeated")
    return Listed([_watch(row) for row in rows], first_faults(faults))


def may_move(state: str, target: str) -> bool:
    """Return whether a watch can change from one state to the other."""
    return target in _MOVES.get(state, frozenset())


def check_move(serial: str, state: str, target: str) -> None:
    """Raise WatchStateError unless a watch can change from its state to the requested one."""
    if not may_move(state, target):
        raise WatchStateError(serial, state, target)


def _watch(row: Row) -> WatchRow:
    cells = row.cells
    return WatchRow(
        row=row.number,
        serial=cells["serial"],
        imei=cells["imei"] or None,
        model=cells["model"],
        site=cells["site"],
        iccid=cells["iccid"] or None,
        sim_holder=cells["sim_holder"] or None,
        sim_expires_on=date.fromisoformat(cells["sim_expires"]) if is_date(cells["sim_expires"]) else None,
    )


def _faults(row: Row) -> list[Fault]:
    cells, faults = row.cells, []
    if not is_serial(cells["serial"]):
        faults.append(row.fault("serial", "serial_malformed", "A serial has 4 to 20 characters of A-Z and 0-9."))
    faults += number_faults(row, "imei", _IMEI, "An IMEI has 15 digits.")
    faults += number_faults(row, "iccid", _ICCID, "An ICCID has 18 to 22 digits.")
    if _IMEI.fullmatch(cells["imei"]) and not luhn_fits(cells["imei"]):
        faults.append(row.fault("imei", "imei_checksum", "The check digit is wrong. At least one digit is mistyped."))
    for column in ("model", "site"):
        if not cells[column]:
            faults.append(row.fault(column, f"{column}_missing", "This cell is empty."))
    for column in ("model", "sim_holder"):
        if len(cells[column]) > _TEXT_CHARACTERS_MAX:
            faults.append(row.fault(column, f"{column}_too_long", f"More than {_TEXT_CHARACTERS_MAX} characters."))
    if cells["sim_expires"] and not is_date(cells["sim_expires"]):
        faults.append(row.fault("sim_expires", "sim_expires_malformed", "Write the date as 2027-01-31."))
    return faults


def number_faults(row: Row, column: str, form: re.Pattern[str], sentence: str) -> list[Fault]:
    """Return the fault of a cell that should hold digits; a number rounded by a spreadsheet has a fault of its own."""
    cell = row.cells[column]
    if not cell or form.fullmatch(cell):
        return []
    if _ROUNDED.fullmatch(cell):
        return [
            row.fault(column, f"{column}_rounded", "A spreadsheet has rounded this number. Format the column as text.")
        ]
    return [row.fault(column, f"{column}_malformed", sentence)]
