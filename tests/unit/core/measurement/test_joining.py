"""Figures of several systems: which files are refused, and what is added up from published cells."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import date

import pytest

from services.core.measurement.indicators.rules import INDICATORS, Kind
from services.core.measurement.joining.errors import JoinRefusedError
from services.core.measurement.joining.files import (
    CellFile,
    JoinedCell,
    public_key_of,
    read_cell_file,
    read_trusted_keys,
    write_cell_file,
)
from services.core.measurement.joining.rules import as_csv, check_files, join

CHINA, VIETNAM, STRANGER = b"c" * 32, b"v" * 32, b"s" * 32
TRUSTED = {public_key_of(CHINA): "cn", public_key_of(VIETNAM): "vn"}
WEEK = date(2026, 3, 2)
SHARE = next(code for code, indicator in INDICATORS.items() if indicator.kind is Kind.SHARE_OF_FAMILIES)
MEDIAN = next(code for code, indicator in INDICATORS.items() if indicator.kind in {Kind.MEDIAN, Kind.QUARTILES})


def cell(indicator: str = SHARE, **fields: object) -> JoinedCell:
    published = JoinedCell(WEEK, indicator, INDICATORS[indicator].version, 100, 50, 0.5, None)
    return replace(published, **fields)  # type: ignore[arg-type]


def file_of(country: str, *cells: JoinedCell, **fields: object) -> CellFile:
    made = CellFile(
        f"Programme {country}", f"programme-{country}", (country,), (f"site-{country}",), "public", 10, False,
        "2026-04-01T00:00:00+00:00", cells,
    )  # fmt: skip
    return replace(made, **fields)  # type: ignore[arg-type]


def read(content: CellFile, seed: bytes) -> CellFile:
    return read_cell_file("file.json", write_cell_file(content, seed))


def code_of(china: CellFile, vietnam: CellFile, seeds: tuple[bytes, bytes] = (CHINA, VIETNAM)) -> str:
    with pytest.raises(JoinRefusedError) as refused:
        check_files({"cn.json": read(china, seeds[0]), "vn.json": read(vietnam, seeds[1])}, TRUSTED)
    return refused.value.code


def joined(china: CellFile, vietnam: CellFile) -> list[tuple[object, ...]]:
    files = check_files({"cn.json": read(china, CHINA), "vn.json": read(vietnam, VIETNAM)}, TRUSTED)
    return [(figure.how, figure.n, figure.count, figure.value, figure.bound, figure.missing) for figure in join(files)]


def test_shares_are_added_up_and_medians_averaged() -> None:
    china = file_of("CN", cell(n=100, count=50, value=0.5), cell(MEDIAN, n=100, count=None, value=10.0))
    vietnam = file_of("VN", cell(n=300, count=50, value=0.167), cell(MEDIAN, n=300, count=None, value=30.0))
    assert sorted(joined(china, vietnam)) == [
        ("mean", 400, None, 25.0, None, ()), ("share", 400, 100, 0.25, None, ()),
    ]  # fmt: skip


def test_what_one_system_suppressed_is_shown_of_none() -> None:
    hidden = cell(n=None, count=None, value=None)
    assert joined(file_of("CN", cell()), file_of("VN", hidden)) == [("share", None, None, None, None, ("vn",))]
    assert joined(file_of("CN", cell()), file_of("VN")) == [("share", None, None, None, None, ("vn",))]


def test_edges_stay_edges_and_opposite_ones_say_nothing() -> None:
    low, high = cell(count=15, value=0.15, bound="at_most"), cell(count=85, value=0.85, bound="at_least")
    assert joined(file_of("CN", low), file_of("VN", low)) == [("share", 200, 30, 0.15, "at_most", ())]
    assert joined(file_of("CN", low), file_of("VN", high)) == [("share", None, None, None, None, ())]


def test_overlapping_populations_are_refused() -> None:
    assert code_of(file_of("CN"), file_of("VN"), (CHINA, CHINA)) == "join_overlap"
    assert code_of(file_of("CN"), file_of("VN", countries=("VN", "CN"))) == "join_overlap"
    assert code_of(file_of("CN"), file_of("VN", programme_id="programme-CN")) == "join_overlap"
    assert code_of(file_of("CN"), file_of("VN", site_ids=("site-CN",))) == "join_overlap"


def test_small_groups_simulated_numbers_and_strangers_are_refused() -> None:
    assert code_of(file_of("CN"), file_of("VN", least_families=9)) == "join_k_too_small"
    assert code_of(file_of("CN"), file_of("VN", audience="staff", least_families=10)) == "join_k_too_small"
    assert code_of(file_of("CN"), file_of("VN", cell(n=5))) == "join_k_too_small"
    assert code_of(file_of("CN"), file_of("VN", simulated=True)) == "join_simulated"
    assert code_of(file_of("CN"), file_of("VN"), (CHINA, STRANGER)) == "join_key_unknown"
    with pytest.raises(JoinRefusedError) as refused:
        check_files({"cn.json": read(file_of("CN"), CHINA)}, TRUSTED)
    assert refused.value.code == "join_too_few"


def test_a_changed_file_is_refused_whatever_was_changed() -> None:
    written = json.loads(write_cell_file(file_of("CN", cell()), CHINA))
    changes: tuple[dict[str, object], ...] = (
        {"k": 20}, {"countries": ["VN"]}, {"cells": []}, {"more": 1}, {"signature": None}, {"public_key": "x"},
        {"public_key": public_key_of(STRANGER)}, {"signature": base64.b64encode(b"x" * 64).decode()},
    )  # fmt: skip
    for change in changes:
        with pytest.raises(JoinRefusedError) as refused:
            read_cell_file("cn.json", json.dumps(written | change).encode())
        assert refused.value.code == "join_signature_wrong"


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"kind":"smartwatch-usage-cells"}'])
def test_what_is_no_such_file_is_refused(content: bytes) -> None:
    with pytest.raises(JoinRefusedError) as refused:
        read_cell_file("cn.json", content)
    assert refused.value.code == "join_file_malformed"


def test_the_list_of_keys_is_read_or_refused() -> None:
    key = public_key_of(CHINA)
    assert read_trusted_keys("keys", f"# ours\ncn {key}  # signed for\n\n".encode()) == {key: "cn"}
    for wrong in (f"cn {key}\nvn {key}", f"cn {key}\ncn {public_key_of(VIETNAM)}", "cn", "cn eHh4", "cn ~"):
        with pytest.raises(JoinRefusedError) as refused:
            read_trusted_keys("keys", wrong.encode())
        assert refused.value.code == "join_keys_malformed"


def test_the_table_has_a_line_a_figure() -> None:
    files = check_files({"a": read(file_of("CN", cell()), CHINA), "b": read(file_of("VN", cell()), VIETNAM)}, TRUSTED)
    lines = as_csv(join(files)).decode("utf-8-sig").splitlines()
    version = INDICATORS[SHARE].version
    assert lines[1] == f"2026-03-02,{SHARE},{version},share,cn vn,200,100,0.5,,"
