"""Read the single sheet of a workbook (XLSX) as rows of text. The file is untrusted, so every size is bounded.

Losses caused by the spreadsheet are not repaired: a number of more than fifteen digits is returned in its rounded
notation, a formula as the formula, and the rules of the list reject both.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from datetime import date, datetime, time
from typing import Any, Final

# A list of 20,000 rows of ten columns unpacks to about 10 MB; a larger one is a zip bomb or not a list.
_UNPACKED_BYTES_MAX: Final = 60_000_000
_PARTS_MAX: Final = 200
_COLUMNS_MAX: Final = 200
# Blank rows between lists are skipped; a million of them is rejected.
_LINES_MAX: Final = 50_000
_STRICT_NAMESPACE: Final = b"http://purl.oclc.org/ooxml/spreadsheetml/main"
_ROW_TAG: Final = re.compile(rb"<(?:[A-Za-z]\w*:)?row\b([^>]*)>")
_ATTRIBUTE: Final = re.compile(rb"""\b(r|hidden)\s*=\s*["'](\w+)["']""")
# Spreadsheets keep fifteen digits of a number (IEEE 754 double) and replace the remaining ones with zeros.
_EXACT_BELOW: Final = 10**15
# The module of array formulas and data tables, which are objects; other formulas are text.
_FORMULAS: Final = "openpyxl.worksheet.formula"


class WorkbookRefusedError(Exception):
    """The file cannot be read as a list; holds the code and the sentence of its fault."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(code)
        self.code = code
        self.sentence = sentence


_STRICT = WorkbookRefusedError(
    "workbook_strict", "Save the file as `Excel workbook (.xlsx)`, not as `Strict Open XML Spreadsheet`."
)

_BROKEN = WorkbookRefusedError("not_workbook", "This workbook cannot be read. Save it again as XLSX or `CSV UTF-8`.")

_TOO_LARGE = WorkbookRefusedError("file_too_large", "The unpacked workbook is too large. Keep only the list in it.")


def is_workbook(raw: bytes) -> bool:
    """Return whether these bytes start like an XLSX file (a ZIP archive)."""
    return raw.startswith(b"PK\x03\x04")


def check_unpacked(raw: bytes, most_bytes: int) -> None:
    """Reject a workbook that unpacks to more than ``most_bytes``; raises WorkbookRefusedError."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            unpacked_bytes = sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise _BROKEN from error
    if unpacked_bytes > most_bytes:
        raise _TOO_LARGE


def workbook_rows(raw: bytes) -> tuple[list[tuple[int, list[str]]], list[int]]:
    """Return (row number, cells as text) of each non-empty row of the only non-empty sheet, and the hidden row numbers.

    Hidden rows (by a filter or manually) are among the rows. Raises WorkbookRefusedError.
    """
    _check_archive(raw)
    # Loading the library takes 0.3 s of CPU: the API starts without it.
    import openpyxl  # noqa: PLC0415

    try:
        with warnings.catch_warnings():
            # The library warns about unsupported validations and styles, which this reader does not use.
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, keep_links=False)
            # Hidden sheets hold the values of drop-down lists.
            shown = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
            filled = [(sheet, rows) for sheet in shown if (rows := _rows(sheet))]
            hidden = _hidden_rows(raw, filled[0][0]) if filled else frozenset()
    except WorkbookRefusedError:
        raise
    except Exception as error:
        # The library passes on its XML, ZIP and number parsers' errors: KeyError, ValueError, ParseError, zlib.error.
        raise _BROKEN from error
    if len(filled) > 1:
        raise WorkbookRefusedError("several_sheets", "Several sheets have content. Keep only the sheet with the list.")
    rows = filled[0][1] if filled else []
    # A hidden heading row is accepted: its content is checked in any case.
    return rows, [number for number, _ in rows[1:] if number in hidden]


def _check_archive(raw: bytes) -> None:
    """Reject archives of excessive unpacked size before parsing any part."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            parts = archive.infolist()
            unpacked_bytes = sum(part.file_size for part in parts)
            small = len(parts) <= _PARTS_MAX and unpacked_bytes <= _UNPACKED_BYTES_MAX
            # ZIP declares each size: reading stops at the declared size, and a wrong checksum raises.
            sound = not small or not any(
                _declares_entities(archive.read(part)) for part in parts if part.filename.endswith((".xml", ".rels"))
            )
            # ISO/IEC 29500 strict uses other namespaces; the library would read such a file as an empty workbook.
            strict = small and any(
                _STRICT_NAMESPACE in archive.read(part) for part in parts if part.filename == "xl/workbook.xml"
            )
    except Exception as error:
        # BadZipFile, zlib.error, NotImplementedError, RuntimeError (encrypted) have no closer common base class.
        raise _BROKEN from error
    if not small:
        raise _TOO_LARGE
    if not sound:
        raise _BROKEN
    if strict:
        raise _STRICT


def _declares_entities(part: bytes) -> bool:
    # Spreadsheets write no document type; its only use would be entity expansion. Other encodings could hide it.
    return b"<!DOCTYPE" in part or b"<!ENTITY" in part or part.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in part


def _hidden_rows(raw: bytes, sheet: Any) -> frozenset[int]:  # noqa: ANN401 - the library has no types
    """Return the numbers of a sheet's hidden rows; the library exposes them only for fully loaded sheets."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        part = archive.read(sheet._worksheet_path)  # noqa: SLF001 - where it lies is known to the library alone
    hidden, number = set(), 0
    for tag in _ROW_TAG.finditer(part):
        attributes = dict(_ATTRIBUTE.findall(tag[1]))
        # A row without a number follows the previous one (ECMA-376 part 1, 18.3.1.73).
        number = int(attributes.get(b"r", number + 1))
        if attributes.get(b"hidden") in {b"1", b"true"}:
            hidden.add(number)
    return frozenset(hidden)


def _rows(sheet: Any) -> list[tuple[int, list[str]]]:  # noqa: ANN401 - the library has no types
    # The declared dimensions are not trusted.
    sheet.reset_dimensions()
    rows = []
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        if number > _LINES_MAX:
            raise WorkbookRefusedError("too_many_rows", f"The file has more than {_LINES_MAX} lines. Split the list.")
        if len(cells) > _COLUMNS_MAX:
            raise WorkbookRefusedError("too_many_cells", f"More than {_COLUMNS_MAX} columns. Keep only the list.")
        texts = [_text(cell.value) for cell in cells]
        if any(text.strip() for text in texts):
            rows.append((number, texts))
    return rows


def _text(value: object) -> str:
    match value:
        case None:
            text = ""
        case bool():
            text = "TRUE" if value else "FALSE"
        case int() | float():
            text = _number(value)
        case datetime():
            text = value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
        case date():
            text = value.isoformat()
        case _ if type(value).__module__ == _FORMULAS:
            text = "="
        case _:
            text = str(value)
    return text


def _number(value: float) -> str:
    if abs(value) >= _EXACT_BELOW:
        return f"{value:.14E}"
    return str(int(value)) if value == int(value) else repr(value)
