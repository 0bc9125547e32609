"""Read lists in CSV and XLSX as written by Excel, Numbers, LibreOffice and WPS.

All faults are reported at once, by row and column, so that a list can be corrected in one round.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Generic, TypeVar

from services.core.platform.errors import CoreError
from services.core.platform.spreadsheets.workbooks import (
    WorkbookRefusedError,
    check_unpacked,
    is_workbook,
    workbook_rows,
)
from services.core.platform.text_rules import TextNotAllowedError, TextRule, begins_as_formula, check_text

# A programme of one country has a few thousand rows of 100 bytes; a larger file is not such a list.
BYTES_MAX = 5_000_000
ROWS_MAX = 20_000
_CELL = TextRule(max_characters=200, max_bytes=800, is_name=True, may_be_empty=True)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

# Column headings for a person's name, in the languages of the programme's countries. Names need consent.
_NAME_WORDS = (
    "name", "child", "pupil", "student", "guardian", "parent", "mother", "father",
    "姓名", "名字", "孩子", "学生", "家长", "tên", "họ", "ten", "ho",
    "ad\N{LATIN SMALL LETTER DOTLESS I}", "ad", "adi", "soyad", "isim", "çocuk", "cocuk",
)  # fmt: skip

# In Turkish, LOWER("I") is dotless and UPPER("i") is dotted. No two known columns differ in these dots alone.
_TURKISH_I = {0x130: "i", 0x131: "i"}

# The values that spreadsheets show for a failed formula.
_ERROR_VALUES = frozenset({"#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!"})

# A title, an address, a date: as many rows may stand above the heading.
_TITLE_ROWS_MAX: Final = 10
# Stands for a column whose heading is a fault: its cells have none of their own.
_UNUSED: Final = "?"

_HIDDEN: Final = ("row_hidden", "This row is hidden. Show it (check for a filter) or delete it.")

RowT = TypeVar("RowT")


@dataclass(frozen=True, order=True)
class Fault:
    """One fault: its row as the spreadsheet numbers it (the heading is row 1; 0: the file), its column, its code.

    ``file`` names the second file of an import that reads two; it is empty for a fault of the list itself.
    """

    row: int
    column: str
    code: str
    sentence: str
    file: str = ""


@dataclass(frozen=True)
class Row:
    """One non-empty row: its number in the spreadsheet, and the normalised cell of every known column."""

    number: int
    cells: dict[str, str]

    def fault(self, column: str, code: str, sentence: str) -> Fault:
        """Return a fault of this row."""
        return Fault(self.number, column, code, sentence)


@dataclass(frozen=True)
class Listed(Generic[RowT]):
    """A list that was read: its rows, and every fault that the list alone shows.

    Rows with faults are among the rows, so that their other cells are compared with the database in the same round.
    Whoever writes the rows raises SheetRefusedError when there is any fault.
    """

    rows: list[RowT]
    faults: list[Fault]


class SheetRefusedError(CoreError):
    """The list has faults; nothing was stored."""

    code = "sheet_refused"
    sentence = "Nothing was imported. Fix these rows and upload the file again."

    def __init__(self, faults: Iterable[Fault]) -> None:
        super().__init__()
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.file, fault)))

    def fields(self) -> dict[str, int | str]:
        """Return the number of faults."""
        return {"faults": len(self.faults)}


def read_sheet(
    raw: bytes,
    *,
    required: Sequence[str],
    optional: Sequence[str] = (),
    as_is: Sequence[str] = (),
    capitals: Sequence[str] = (),
    collected: list[Fault] | None = None,
) -> list[Row]:
    """Return the rows of a list with its columns in any order; CSV is separated by comma, semicolon or tab.

    A workbook (XLSX) has the list on its only non-empty sheet and follows the same rules. CSV is UTF-8 with or without
    BOM, with any line ends; empty rows and Excel's ``sep=`` line are skipped. A missing optional column reads as empty
    cells. Cells of the columns ``as_is`` (secrets) are neither normalised nor checked, those of ``capitals`` are read
    in capitals. Rows above the heading (a title, a date) are skipped. With ``collected``, faults of unknown columns,
    hidden rows and single cells are appended to it instead of raised, so that the caller can report them together
    with its own. Raises SheetRefusedError for anything else: no column is ignored silently, no cell is guessed.
    """
    heading, records, hidden = _table(raw, required)
    faults = [Fault(number, "", *_HIDDEN) for number in hidden]
    columns, wrong_columns = _columns(*heading, required, optional)
    if wrong_columns and (collected is None or not {*required} <= {*columns}):
        raise SheetRefusedError([*wrong_columns, *faults])
    faults += wrong_columns
    rows: list[Row] = []
    for number, record in records:
        if not any(cell.strip() for cell in record):
            continue
        row, wrong = _row(number, record, columns, as_is)
        cells = dict.fromkeys(optional, "") | row.cells
        rows.append(Row(number, cells | {column: cells[column].upper() for column in capitals if column in cells}))
        faults.extend(wrong)
        if len(rows) > ROWS_MAX:
            raise _refused("too_many_rows", f"The list has more than {ROWS_MAX} rows. Split it.")
    if collected is not None:
        collected.extend(faults)
    elif faults:
        raise SheetRefusedError(faults)
    if not rows:
        raise _refused("no_rows", "There are no rows below the heading.")
    return rows


def check_unpacked_size(raw: bytes, most_bytes: int) -> None:
    """Reject a workbook that unpacks to more than this many bytes before parsing it; raises SheetRefusedError."""
    if is_workbook(raw):
        try:
            check_unpacked(raw, most_bytes)
        except WorkbookRefusedError as error:
            raise _refused(error.code, error.sentence) from error


def heading_of(raw: bytes) -> list[str]:
    """Return the column names of a list as :func:`read_sheet` compares them; raises SheetRefusedError."""
    (_, record), _, _ = _table(raw)
    return [_column_name(cell) for cell in record]


def first_faults(faults: Iterable[Fault]) -> list[Fault]:
    """Return the first fault of each cell; later faults of an unreadable cell are consequences of the first."""
    first: dict[tuple[int, str], Fault] = {}
    for fault in faults:
        first.setdefault((fault.row, fault.column), fault)
    return list(first.values())


def all_faults(alone: Sequence[Fault], compared: Iterable[Fault]) -> list[Fault]:
    """Return the faults of a list alone, and those of comparing it with the database.

    A cell that has a fault alone has no second one: what follows from an unreadable cell says nothing new.
    """
    unreadable = {(fault.file, fault.row, fault.column) for fault in alone}
    return [
        *dict.fromkeys(alone),
        *(fault for fault in compared if (fault.file, fault.row, fault.column) not in unreadable),
    ]


def of_file(faults: Iterable[Fault], file: str) -> list[Fault]:
    """Return the faults as ones of an import's second file."""
    return [replace(fault, file=file) for fault in faults]


def filled(rows: Sequence[Row], column: str, content: str) -> list[Row]:
    """Return the rows with ``content`` in each empty cell of a column."""
    return [Row(row.number, row.cells | {column: row.cells[column] or content}) for row in rows]


def repeated_cells(rows: Sequence[Row], column: str, code: str) -> list[Fault]:
    """Return a fault for each row whose cell repeats one of an earlier row; empty cells are ignored."""
    first_seen: dict[str, int] = {}
    faults = []
    for row in rows:
        cell = row.cells[column].upper()
        if cell and cell in first_seen:
            faults.append(row.fault(column, code, f"Row {first_seen[cell]} has the same value."))
        first_seen.setdefault(cell, row.number)
    return faults


def is_date(cell: str) -> bool:
    """Return whether a cell is an ISO 8601 date with hyphens; every other notation is ambiguous."""
    try:
        date.fromisoformat(cell)
    except ValueError:
        return False
    return _DATE.fullmatch(cell) is not None


def _refused(code: str, sentence: str, row: int = 0, column: str = "") -> SheetRefusedError:
    return SheetRefusedError([Fault(row, column, code, sentence)])


def _table(
    raw: bytes, required: Sequence[str] = ()
) -> tuple[tuple[int, list[str]], Iterator[tuple[int, list[str]]], list[int]]:
    """Return the heading, an iterator over the rows below it, each with its number, and the numbers of hidden rows.

    The heading is the first filled row, or one of the next few if that one alone has every required column.
    """
    if len(raw) > BYTES_MAX:
        raise _refused("file_too_large", f"More than {BYTES_MAX // 1_000_000} MB: is this the right file?")
    if is_workbook(raw):
        try:
            records, hidden = workbook_rows(raw)
        except WorkbookRefusedError as error:
            raise _refused(error.code, error.sentence) from error
        if not records:
            raise _refused("file_empty", "The workbook is empty.")
        place = _place_of_heading([record for _, record in records[: _TITLE_ROWS_MAX + 1]], required)
        return records[place], iter(records[place + 1 :]), hidden
    lines = _lines(_decode(raw))
    first, delimiter = _heading(lines)
    near = [index for index in range(first, len(lines)) if lines[index].strip()][: _TITLE_ROWS_MAX + 1]
    # A title has no delimiter; the heading below it shows which one the list has.
    split = [lines[index].split(max(",;\t", key=lines[index].count)) for index in near]
    if place := _place_of_heading([[cell.strip('" ') for cell in cells] for cells in split], required):
        first = near[place]
        delimiter = max(",;\t", key=lines[first].count)
    _, record = next(_records(lines[first : first + 1], delimiter, 0))
    return (first + 1, record), _records(lines, delimiter, first + 1), []


def _place_of_heading(records: Sequence[Sequence[str]], required: Sequence[str]) -> int:
    """Return the index of the heading: 0, unless that row has no required column and a later one has all."""
    names = [{_column_name(cell) for cell in record} for record in records]
    if not required or names[0] & {*required}:
        return 0
    return next((place for place, columns in enumerate(names) if {*required} <= columns), 0)


def _decode(raw: bytes) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _refused("not_utf8", "The file is UTF-16. Save it as `CSV UTF-8`.")
    if raw.startswith(b"\xd0\xcf\x11\xe0"):
        raise _refused("not_csv", "The file is an old or a protected workbook. Save it as XLSX without a password.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = raw.count(b"\n", 0, error.start) + 1
        raise _refused("not_utf8", "The file is not UTF-8. Save it as `CSV UTF-8`.", row) from None
    if "\x00" in text:
        raise _refused("not_csv", "This is not a CSV file: it contains NUL bytes.")
    if not text.strip():
        raise _refused("file_empty", "The file is empty.")
    return text


def _lines(text: str) -> list[str]:
    # Not splitlines(): it also splits at separators inside a cell, which have to be reported as a fault.
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _heading(lines: Sequence[str]) -> tuple[int, str]:
    """Return the index of the heading's line and its delimiter."""
    first = next(index for index, line in enumerate(lines) if line.strip())
    if lines[first].strip().lower().startswith("sep=") and len(lines[first].strip()) == len("sep=") + 1:
        delimiter = lines[first].strip()[-1]
        rest = (index for index in range(first + 1, len(lines)) if lines[index].strip())
        first = next(rest, first)
        if delimiter in ",;\t":
            return first, delimiter
    return first, max(",;\t", key=lines[first].count)


def _columns(
    number: int, record: Sequence[str], required: Sequence[str], optional: Sequence[str]
) -> tuple[list[str], list[Fault]]:
    """Return the name of each heading column ('' for an empty or an unknown heading), and the faults of the heading."""
    columns = [_column_name(cell) for cell in record]
    known = (*required, *optional)
    faults = [_unknown_column(number, column) for column in columns if column and column not in known]
    faults += [
        Fault(number, column, "column_repeated", "This column occurs twice.")
        for column in known
        if columns.count(column) > 1
    ]
    if not faults or any(column in known for column in columns):
        faults += [
            Fault(number, column, "column_missing", f"The heading row has no column `{column}`.")
            for column in required
            if column not in columns
        ]
    else:
        faults = [
            Fault(number, "", "heading_missing", f"The first row must contain the column names: {', '.join(known)}.")
        ]
    used: list[str] = []
    for column in columns:
        # Of two equal columns the first counts: the second one is a fault already.
        used.append(_UNUSED if column and (column not in known or column in used) else column)
    return used, faults


def _unknown_column(number: int, column: str) -> Fault:
    shown = "?" if cell_fault(column) else column[:40]
    words = column.replace("-", "_").replace("'", "_").split("_")
    if any(word in _NAME_WORDS for word in words) or any(sign in column for sign in _NAME_WORDS if not sign.isascii()):
        return Fault(
            number, shown, "name_column", "Names of people are not accepted before consent. Remove this column."
        )
    return Fault(number, shown, "column_unknown", "This column is unknown. Remove it or correct its heading.")


def _records(lines: Sequence[str], delimiter: str, start: int) -> Iterator[tuple[int, list[str]]]:
    """Yield (row number, cells) from line index ``start`` on; raises SheetRefusedError for unbalanced quotes."""
    # _row rejects cells that span lines, but the CSV reader needs the line ends to find the end of such a cell.
    reader = csv.reader(io.StringIO("\n".join(lines[start:])), delimiter=delimiter, strict=True)
    number = start
    try:
        for record in reader:
            number += 1
            yield number, record
    except csv.Error:
        raise _refused("quotes_broken", "The quotation marks are unbalanced.", number + 1) from None


def _row(number: int, record: Sequence[str], columns: Sequence[str], as_is: Sequence[str]) -> tuple[Row, list[Fault]]:
    faults = []
    if any(cell.strip() for cell in record[len(columns) :]):
        faults.append(
            Fault(
                number,
                "",
                "too_many_cells",
                "The row has more cells than columns. Perhaps a text with a comma is not quoted.",
            )
        )
    cells = {}
    for index, column in enumerate(columns):
        raw = record[index] if index < len(record) else ""
        cell = _tidy(raw)
        if column == _UNUSED:
            continue
        if not column:
            if cell:
                faults.append(Fault(number, "", "column_unnamed", "A cell has no heading above it."))
            continue
        cells[column] = raw if column in as_is else cell
        if column not in as_is and (fault := cell_fault(cell)):
            faults.append(Fault(number, column, *fault))
    return Row(number, cells), faults


def cell_fault(cell: str) -> tuple[str, str] | None:
    """Return code and sentence of the fault of a normalised cell, independent of its column, or None."""
    try:
        check_text("cell", cell, _CELL)
    except TextNotAllowedError as error:
        if error.reason == "too_long":
            return "cell_too_long", f"More than {_CELL.max_characters} characters."
        return "cell_unreadable", "The cell contains a line break or an invisible character. Type it again."
    if cell in _ERROR_VALUES:
        return "cell_is_error", "A formula failed in this cell. Enter the value."
    # A plus sign followed by digits is a phone number, not a formula.
    is_phone = unicodedata.normalize("NFKC", cell[:1]) == "+" and cell[1:].replace(" ", "")[:1].isdigit()
    if begins_as_formula(cell) and not is_phone:
        return "cell_is_formula", "A spreadsheet would run this as a formula. Format the cell as text."
    return None


def _tidy(cell: str) -> str:
    return unicodedata.normalize("NFC", cell).strip()


def _column_name(cell: str) -> str:
    """Return a heading for comparison, with full-width letters and Turkish capitals folded."""
    folded = " ".join(unicodedata.normalize("NFKC", cell).split()).translate(_TURKISH_I).lower()
    return unicodedata.normalize("NFC", folded).replace(" ", "_")
