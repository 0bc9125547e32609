"""Valid spreadsheets, and the report of each fault."""

import pytest

from services.core.platform.spreadsheets.grouping import grouped_lines
from services.core.platform.spreadsheets.sheets import (
    BYTES_MAX,
    ROWS_MAX,
    Fault,
    SheetRefusedError,
    read_sheet,
    repeated_cells,
)


def read(text: str | bytes, optional: tuple[str, ...] = (), as_is: tuple[str, ...] = ()) -> list[dict[str, str]]:
    raw = text if isinstance(text, bytes) else text.encode()
    return [row.cells for row in read_sheet(raw, required=("a", "b"), optional=optional, as_is=as_is)]


def faults(text: str | bytes) -> list[tuple[int, str, str]]:
    with pytest.raises(SheetRefusedError) as refused:
        read(text)
    return [(fault.row, fault.column, fault.code) for fault in refused.value.faults]


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n",
        "a,b\r\n1,2\r\n",
        "a,b\r1,2",
        "a;b\n1;2",
        "a\tb\n1\t2",
        "sep=;\na;b\n1;2",
        "\ufeffa,b\n1,2",
        "\n\na,b\n\n1,2\n,\n\n",
        "b,a\n2,1",
        " A , B \n 1 ,\u00a02",
        '"a","b"\n"1","2"',
        "a,b,\n1,2,",
        "Children of the spring,\n\n2027-03-01\na,b\n1,2",
        "Children; of the spring\na;b\n1;2",
    ],
)
def test_every_way_a_spreadsheet_saves_a_list_reads_the_same(text: str) -> None:
    assert read(text) == [{"a": "1", "b": "2"}]


def test_a_cell_keeps_what_is_inside_quotation_marks() -> None:
    assert read('a,b\n"1, and ""more""",2') == [{"a": '1, and "more"', "b": "2"}]


def test_an_optional_column_that_is_missing_reads_as_empty() -> None:
    assert read("a,b\n1,2", optional=("c",)) == [{"a": "1", "b": "2", "c": ""}]


def test_letters_are_composed_so_that_what_looks_alike_compares_alike() -> None:
    assert read("a,b\nViệt,2") == read("a,b\nVi\u0065\u0323\u0302t,2")


def test_rows_are_numbered_as_the_spreadsheet_numbers_them() -> None:
    rows = read_sheet(b"a,b\n\n1,2\n,\n3,4\n", required=("a", "b"))
    assert [row.number for row in rows] == [3, 5]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", (0, "", "file_empty")),
        (b"\xef\xbb\xbf \r\n", (0, "", "file_empty")),
        (b"a,b\n1,\xff\xfe2\n", (2, "", "not_utf8")),
        ("a,b\n1,2".encode("utf-16"), (0, "", "not_utf8")),
        (b"a,b\n1,\x002", (0, "", "not_csv")),
        (b"PK\x03\x04 no workbook", (0, "", "not_workbook")),
        (b"\xd0\xcf\x11\xe0 an old workbook", (0, "", "not_csv")),
        (b"a,b\n" + b"x" * BYTES_MAX, (0, "", "file_too_large")),
        (b"a,b\n", (0, "", "no_rows")),
        (b"1,2\n3,4\n", (1, "", "heading_missing")),
        (b"a\n1\n", (1, "b", "column_missing")),
        (b"a,b,a\n1,2,3\n", (1, "a", "column_repeated")),
        (b"a,b,c\n1,2,3\n", (1, "c", "column_unknown")),
        (b"a,b\n1,2,3\n", (2, "", "too_many_cells")),
        (b"a,b,\n1,2,3\n", (2, "", "column_unnamed")),
        (b'a,b\n1,2\n1,"2\n', (3, "", "quotes_broken")),
        (b'a,b\n1,"2"3\n', (2, "", "quotes_broken")),
        (b'a,b\n1,"2\n3"\n', (2, "b", "cell_unreadable")),
        ("a,b\n1,2\u202e3\n".encode(), (2, "b", "cell_unreadable")),
        (b"a,b\n1," + b"2" * 201, (2, "b", "cell_too_long")),
        (b"a,b\n1,=2+3\n", (2, "b", "cell_is_formula")),
        (b'a,b\n1,"=""0123"""\n', (2, "b", "cell_is_formula")),
        (b"a,b\n1,@SUM(A1)\n", (2, "b", "cell_is_formula")),
        (b"a,b\n1,+cmd\n", (2, "b", "cell_is_formula")),
        (b"a,b\n1,-2\n", (2, "b", "cell_is_formula")),
    ],
)
def test_what_is_no_list_is_refused_with_the_reason(text: bytes, expected: tuple[int, str, str]) -> None:
    assert faults(text) == [expected]


def test_a_phone_number_with_its_plus_is_no_formula() -> None:
    assert read("a,b\n1,+86 138 0013 8000") == [{"a": "1", "b": "+86 138 0013 8000"}]


def test_too_many_rows_are_refused_without_reading_on() -> None:
    assert faults("a,b\n" + "1,2\n" * (ROWS_MAX + 1)) == [(0, "", "too_many_rows")]


@pytest.mark.parametrize(
    "heading", ["name", "Child Name", "child's_name", "孩子姓名", "学生", "Họ", "ad\u0131", "Çocuk", "parent"]
)
def test_a_column_of_names_is_refused_with_a_word_of_its_own(heading: str) -> None:
    assert [code for _, _, code in faults(f"a,b,{heading}\n1,2,x")] == ["name_column"]


def test_every_fault_is_told_at_once() -> None:
    assert faults("a,b\n=1,2\n3,4,5\n6,\u200b7\u200b8\n") == [
        (2, "a", "cell_is_formula"),
        (3, "", "too_many_cells"),
        (4, "b", "cell_unreadable"),
    ]


def test_secrets_are_taken_as_they_are() -> None:
    assert read("a,b\n1, -=x ", as_is=("b",)) == [{"a": "1", "b": " -=x "}]


def test_a_repeated_cell_names_the_row_it_stood_in_first() -> None:
    rows = read_sheet(b"a,b\nx1,\ny,\nX1,\n", required=("a", "b"))
    assert [(fault.row, fault.code, fault.sentence) for fault in repeated_cells(rows, "a", "a_repeated")] == [
        (4, "a_repeated", "Row 2 has the same value.")
    ]
    assert repeated_cells(rows, "b", "b_repeated") == []


def test_unknown_columns_hidden_rows_and_cells_are_told_in_one_round() -> None:
    collected: list[Fault] = []
    rows = read_sheet(b"a,b,c,a\n1,=2,x,9\n\xc2\xa0,4,y\n", required=("a", "b"), collected=collected)
    assert [(fault.row, fault.column, fault.code) for fault in collected] == [
        (1, "c", "column_unknown"), (1, "a", "column_repeated"), (2, "b", "cell_is_formula"),
    ]  # fmt: skip
    assert [row.cells for row in rows] == [{"a": "1", "b": "=2"}, {"a": "", "b": "4"}]


def test_columns_of_capitals_are_read_in_capitals() -> None:
    [row] = read_sheet(b"a,b\nsw01,sw01", required=("a", "b"), capitals=("a",))
    assert row.cells == {"a": "SW01", "b": "sw01"}


def test_equal_faults_are_one_line_with_their_rows() -> None:
    def fault(row: int, column: str = "phone", file: str = "") -> Fault:
        return Fault(row, column, "phone_malformed", "No number.", file)

    numbers = [2, 3, 4, 9, *range(20, 60, 2)]
    assert grouped_lines([fault(0, ""), fault(7, "imei"), *map(fault, numbers), fault(2, file="secrets.csv")]) == [
        "the file: phone_malformed: No number.",
        "row 7, imei: phone_malformed: No number.",
        "rows 2-4, 9, 20, 22, 24, 26, 28, 30 and 14 more, phone: phone_malformed: No number.",
        "secrets.csv: row 2, phone: phone_malformed: No number.",
    ]
