"""Lists as workbooks: the same rules as CSV, and nothing that grows."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime
from typing import Any

import openpyxl
import pytest

from services.core.devices.watches.rules import read_watch_list
from services.core.platform.spreadsheets.sheets import SheetRefusedError, read_sheet


def book(*rows: list[Any], more: dict[str, list[list[Any]]] | None = None) -> bytes:
    made = openpyxl.Workbook()
    sheet = made.active
    for row in rows:
        sheet.append(row)
    for title, extra in (more or {}).items():
        other = made.create_sheet(title)
        for row in extra:
            other.append(row)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def with_part(raw: bytes, name: str, content: bytes) -> bytes:
    """Return the workbook with one part replaced or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            if part.filename != name:
                new.writestr(part, old.read(part))
        new.writestr(name, content)
    return out.getvalue()


def read(raw: bytes) -> list[tuple[int, dict[str, str]]]:
    return [(row.number, row.cells) for row in read_sheet(raw, required=("a", "b"))]


def faults(raw: bytes) -> list[tuple[int, str, str]]:
    with pytest.raises(SheetRefusedError) as refused:
        read(raw)
    return [(fault.row, fault.column, fault.code) for fault in refused.value.faults]


def test_a_workbook_reads_as_its_csv_does_with_the_numbers_of_its_rows() -> None:
    raw = book([], ["A ", "b"], [], [" 1", 2], [None, "  "], ["x", 13800138000.0], more={"Sheet2": []})
    assert read(raw) == [(4, {"a": "1", "b": "2"}), (6, {"a": "x", "b": "13800138000"})]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (860000000000009, "860000000000009"),
        (1.5, "1.5"),
        (date(2027, 1, 31), "2027-01-31"),
        (datetime(2027, 1, 31), "2027-01-31"),  # noqa: DTZ001 - as a spreadsheet keeps a day
        (datetime(2027, 1, 31, 8, 30), "2027-01-31 08:30:00"),  # noqa: DTZ001
        (True, "TRUE"),
        ("+86 138 0013 8000", "+86 138 0013 8000"),
    ],
)
def test_values_become_what_the_list_would_say_in_csv(value: object, text: str) -> None:
    assert read(book(["a", "b"], ["1", value]))[0][1]["b"] == text


@pytest.mark.parametrize("value", ["=1+1", '=HYPERLINK("http://x","y")', "@SUM(A1)", "-1+cmd"])
def test_formulas_are_refused(value: str) -> None:
    assert faults(book(["a", "b"], ["1", value])) == [(2, "b", "cell_is_formula")]


def test_numbers_that_the_spreadsheet_has_rounded_are_refused_as_in_csv() -> None:
    raw = book(["serial", "model", "site", "iccid"], ["DG000001", "sim-1", "Dongguan", 89860012345678901234])
    with pytest.raises(SheetRefusedError) as refused:
        read_watch_list(raw)
    assert [(fault.row, fault.column, fault.code) for fault in refused.value.faults] == [(2, "iccid", "iccid_rounded")]


def test_a_list_of_watches_reads_the_same_from_both() -> None:
    csv = b"serial,model,site,imei,sim_expires\nDG000001,sim-1,Dongguan,860000000000009,2027-01-31\n"
    raw = book(
        ["serial", "model", "site", "imei", "sim_expires"],
        ["DG000001", "sim-1", "Dongguan", 860000000000009, date(2027, 1, 31)],
    )
    assert read_watch_list(raw) == read_watch_list(csv)


def test_names_of_people_are_refused_here_too() -> None:
    assert faults(book(["a", "b", "孩子姓名"], ["1", "2", "x"])) == [(1, "孩子姓名", "name_column")]


def test_two_lists_in_one_workbook_are_refused() -> None:
    assert faults(book(["a", "b"], ["1", "2"], more={"Notes": [["old"]]})) == [(0, "", "several_sheets")]


def test_an_empty_workbook_says_so() -> None:
    assert faults(book()) == [(0, "", "file_empty")]


def test_a_workbook_that_unpacks_without_end_is_refused_before_it_is_parsed() -> None:
    bomb = with_part(book(["a", "b"], ["1", "2"]), "xl/media/big.bin", b"\0" * 61_000_000)
    assert len(bomb) < 100_000
    assert faults(bomb) == [(0, "", "file_too_large")]


def test_a_workbook_with_entities_is_refused() -> None:
    laughs = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><x>&b;</x>'
    assert faults(with_part(book(["a", "b"], ["1", "2"]), "xl/styles.xml", laughs)) == [(0, "", "not_workbook")]


@pytest.mark.parametrize("column", ["ZZ", "XFD"])
def test_a_cell_far_to_the_right_is_no_list(column: str) -> None:
    made = openpyxl.Workbook()
    made.active.append(["a", "b"])
    made.active[f"{column}2"] = "x"
    out = io.BytesIO()
    made.save(out)
    assert faults(out.getvalue()) == [(0, "", "too_many_cells")]


def test_a_cell_far_below_is_no_list() -> None:
    made = openpyxl.Workbook()
    made.active.append(["a", "b"])
    made.active["A1048576"] = "x"
    out = io.BytesIO()
    made.save(out)
    assert faults(out.getvalue()) == [(0, "", "too_many_rows")]


@pytest.mark.parametrize("cut", [30, 200, 1000, 3000])
def test_half_a_workbook_is_refused(cut: int) -> None:
    assert faults(book(["a", "b"], ["1", "2"])[:cut]) == [(0, "", "not_workbook")]


@pytest.mark.parametrize("name", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "[Content_Types].xml"])
@pytest.mark.parametrize("content", [b"", b"no xml", b"<x/>", b"<a><b></a>"])
def test_nonsense_inside_is_refused_and_never_fails(name: str, content: bytes) -> None:
    codes = faults(with_part(book(["a", "b"], ["1", "2"]), name, content))
    assert codes[0][2] in {"not_workbook", "file_empty"}


def test_an_error_value_in_a_cell_is_no_value() -> None:
    raw = book(["a", "b"], ["1", "2"])
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml")
    broken = sheet.replace(b'<c r="A2" t="inlineStr"><is><t>1</t></is></c>', b'<c r="A2" t="e"><v>#REF!</v></c>')
    broken = (
        broken
        if broken != sheet
        else sheet.replace(b'<c r="A2" t="s"><v>2</v></c>', b'<c r="A2" t="e"><v>#REF!</v></c>')
    )
    assert broken != sheet
    assert faults(with_part(raw, "xl/worksheets/sheet1.xml", broken)) == [(2, "a", "cell_is_error")]
