"""Bulk work typed: dry runs change nothing, workbooks are lists, hand-out by scanner, trainings, SIM cards, the end."""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest

from services.core.office.surveys import publishing
from tests.integration.cli.conftest import Smartwatch, open_hand_out


def workbook(file: Path, *rows: list[object]) -> None:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(file)


def test_fifty_families_from_workbooks_with_dry_runs_and_a_scanner(
    office: Smartwatch, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workbook(
        tmp_path / "watches.xlsx",
        ["serial", "model", "site"], ["BK0001", "sim-1", "Dongguan"], ["BK0002", "sim-1", "Dongguan"],
        ["BK0003", "sim-1", "Dongguan"],
    )  # fmt: skip
    workbook(
        tmp_path / "families.xlsx",
        ["family_code", "phone", "site", "cohort"],
        ["BK-001", 13800139001, "Dongguan", "2026A"], ["BK-002", 13800139002, "Dongguan", "2026A"],
    )  # fmt: skip
    assert office("watches", "register", "watches.xlsx", "--export-for-vendor", "vendor.csv").code == 0

    result = office("families", "enrol", "families.xlsx", "--dry-run")
    assert result.out.splitlines()[-1] == "2 enrolled, 0 unchanged, 0 watches handed out."
    assert office("families", "enrol", "families.xlsx").out == "2 enrolled, 0 unchanged, 0 watches handed out.\n"
    assert office("families", "enrol", "families.xlsx").out == "0 enrolled, 2 unchanged, 0 watches handed out.\n"

    scanned = (
        "smartwatch:serial:BK0001\nBK-001\nBK0002\nbk-001\nundo\nBK0002\nBK-002\nNONE99\nBK-001\nBK0002\nBK-001\n\n"
    )
    open_hand_out(office, database_url)
    monkeypatch.setattr(sys, "stdin", io.StringIO(scanned))
    result = office("hand-out", "scan")
    assert result.out.splitlines() == [
        # None of them has logged in yet, which is reported during the hand-out.
        "  BK0001 -> BK-001 (no working channel)",
        "  BK0002 -> BK-001 (no working channel)",
        "  BK0002 is in stock again; the hand-out to BK-001 is reverted.",
        "  BK0002 -> BK-002 (no working channel)",
        "2 handed out, 2 rejected.",
    ]
    assert [line.split(":")[1].strip() for line in result.err.splitlines()] == ["watch_unknown", "watch_handed_out"]

    result = office("hand-out", "list", "--site", "Dongguan", "--out", "list.pdf")
    assert result.code == 0
    # No hand-out is open, so nobody can have joined: no family is marked.
    assert result.out == "2 families are in list.pdf.\n"
    assert (tmp_path / "list.pdf").read_bytes().startswith(b"%PDF-")
    result = office("watches", "replace", "BK0002", "BK0003", "--state", "broken")
    assert result.out == "BK0002: broken; BK0003: handed out in its place.\n"
    assert office("watches", "replace", "BK0002", "BK0003", "--state", "broken").code == 0
    rows = [line.split("\t") for line in office("watches", "list").out.splitlines()[1:]]
    listed = [[row[0], row[4], row[3]] for row in rows if row[0].startswith("BK")]
    assert listed == [
        ["BK0001", "BK-001", "handed_out"], ["BK0002", "BK-002", "broken"], ["BK0003", "BK-002", "handed_out"],
    ]  # fmt: skip


def test_trainings_sims_and_leaving(office: Smartwatch, tmp_path: Path) -> None:
    (tmp_path / "watches.csv").write_text("serial,model,site\nTS0001,sim-1,Dongguan\n")
    office("watches", "register", "watches.csv", "--export-for-vendor", "vendor-ts.csv")
    enrol = ("families", "enrol", "--code", "TS-001", "--phone", "13800139011", "--site", "Dongguan", "--cohort")
    office(*enrol, "2026A")

    (tmp_path / "sims.csv").write_text(
        "serial,iccid,quota_mb,month,used_mb\nTS0001,89860012345678901234,100,2026-02,42\n"
    )
    assert office("watches", "sims", "sims.csv", "--dry-run").out.splitlines()[-1] == "1 updated, 0 unchanged."
    assert office("watches", "sims", "sims.csv").out == "1 updated, 0 unchanged.\n"
    assert office("watches", "sims", "sims.csv").out == "0 updated, 1 unchanged.\n"

    (tmp_path / "trainings.csv").write_text("family_code,training,attended_on\nTS-001,watch,2026-02-01\n")
    assert (
        office("families", "trainings", "trainings.csv", "--dry-run").out.splitlines()[-1] == "1 recorded, 0 unchanged."
    )
    assert office("families", "trainings", "trainings.csv").out == "1 recorded, 0 unchanged.\n"
    assert office("families", "trainings", "trainings.csv").out == "0 recorded, 1 unchanged.\n"

    result = office("families", "leave", "ts-001", "--reason", "left_factory")
    assert result.out == "TS-001: enrolment ended (left_factory). Watch and messages are unchanged.\n"
    assert office("families", "leave", "TS-001", "--reason", "left_factory").err.startswith(
        "smartwatch: family_unknown"
    )


def test_the_end_of_a_programme_is_announced_and_taken_back(office: Smartwatch) -> None:
    today = datetime.now(UTC).date()
    soon, later = (today + timedelta(days=days) for days in (20, 60))
    assert office("programme", "announce-end", "Pilot", "--on", soon.isoformat()).err.startswith(
        "smartwatch: end_too_soon: "
    )
    result = office("programme", "announce-end", "Pilot", "--on", later.isoformat())
    assert result.out == f"Pilot: ends on {later}; families are told now.\n"
    assert office("programme", "take-back-end", "Pilot").out == "Pilot: runs on.\n"
    assert office("programme", "take-back-end", "Pilot").out == "Pilot: was so already; nothing was changed.\n"


def test_a_survey_without_answers_is_not_published_and_one_with_answers_only_when_asked(
    office: Smartwatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "questions.csv").write_text("question,kind,label\nstay,yes_no,Do you mean to stay?\n")
    survey = ("2026", "--programme", "Pilot")
    assert office("surveys", "define", "2026", "questions.csv", "--programme", "Pilot").code == 0
    result = office("surveys", "names", *survey, "--out", "names.csv")
    # Families of other tests of this database are listed as well: all of the programme are.
    heading, *named = (tmp_path / "names.csv").read_bytes().removeprefix(b"\xef\xbb\xbf").decode().split()
    assert (result.out, result.err, heading) == (f"names.csv: {len(named)} families.\n", "", "family_code,pseudonym")
    assert office("surveys", "report", *survey).err.startswith("smartwatch: survey_not_published")
    assert office("surveys", "publish", *survey).err.startswith("smartwatch: survey_empty")
    # With answers it is told how many, and asked; without a terminal nobody can answer.
    monkeypatch.setattr(publishing, "publishable", five)
    result = office("surveys", "publish", *survey)
    assert result.err.startswith(
        "smartwatch: survey_not_confirmed: 2026 holds answers before and after of 5 families or more."
    )
    assert office("surveys", "publish", *survey, "--yes").err.startswith("smartwatch: survey_empty")
    assert office("surveys", "report", *survey).err.startswith("smartwatch: survey_not_published")


async def five(*_: object) -> publishing.Publishable:
    return publishing.Publishable(5, "ab12")
