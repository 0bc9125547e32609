"""Valid lists of families, and the texts they may never hold."""

import pytest

from services.core.office.enrolment.actions import read_family_list
from services.core.platform.spreadsheets.sheets import SheetRefusedError

HEADING = "family_code,phone,site,cohort,watch_serial\n"


def faults(text: str) -> list[tuple[int, str, str]]:
    with pytest.raises(SheetRefusedError) as refused:
        read_family_list(text.encode())
    return [(fault.row, fault.column, fault.code) for fault in refused.value.faults]


def test_a_good_row_is_read_with_its_code_in_capitals() -> None:
    (family,) = read_family_list((HEADING + "dg1-017,138 0013 8000,Dongguan,2026A,\n").encode())
    assert (family.family_code, family.phone, family.watch_serial) == ("DG1-017", "138 0013 8000", None)


def test_the_number_of_the_signed_paper_comes_along_where_it_was_written_down() -> None:
    heading = "family_code,phone,site,cohort,form_number\n"
    families = read_family_list((heading + "A1,13800138000,s,c,2026/0417 b\nA2,13800138001,s,c,\n").encode())
    assert [family.form_number for family in families] == ["2026/0417 B", None]
    assert faults(heading + "A1,13800138000,s,c,Wang Mei\nA2,13800138001,s,c,F1\nA3,13800138002,s,c,f1\n") == [
        (2, "form_number", "form_number_malformed"),
        (4, "form_number", "form_number_repeated"),
    ]


@pytest.mark.parametrize("code", ["", "1", "WANGMEI", "-1A", "1A-", "A" * 20 + "1", "DG 17", "家1", "DG_17"])
def test_a_family_code_is_no_name(code: str) -> None:
    assert faults(HEADING + f'"{code}",13800138000,s,c,\n')[0][2] in {"family_code_malformed", "cell_is_formula"}


@pytest.mark.parametrize("column", ["child_name", "name", "孩子", "tên", "çocuk ad\u0131"])
def test_a_childs_name_has_no_place_before_consent(column: str) -> None:
    assert [code for _, _, code in faults(f"family_code,phone,site,cohort,{column}\nA1,1,s,c,Mei\n")] == ["name_column"]


def test_all_faults_are_told_at_once() -> None:
    assert faults(HEADING + "A1,,s,c,W1\nA1,13800138000,,,W1\n") == [
        (2, "phone", "phone_missing"),
        (3, "cohort", "cohort_missing"),
        (3, "family_code", "family_code_repeated"),
        (3, "site", "site_missing"),
        (3, "watch_serial", "watch_serial_repeated"),
    ]
