"""A simulated programme from the command line, and what may be shown of it as files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Smartwatch


def test_a_programme_is_simulated_counted_and_reported(smartwatch: Smartwatch, tmp_path: Path) -> None:
    told = smartwatch("usage", "simulate", "--sites", "2", "--families", "30", "--weeks", "2", "--seed", "5")
    assert told.code == 0, told.err
    assert told.out.startswith("Simulated programme, seed 5: ")
    assert told.out.endswith("2 weeks published.\n")
    again = smartwatch("usage", "simulate", "--sites", "2", "--families", "30", "--seed", "5")
    assert (again.code, "simulation_exists" in again.err) == (1, True)
    name = "Simulated programme, seed 5"
    for suffix in ("html", "csv", "xlsx"):
        told = smartwatch("usage", "report", name, "--out", f"report.{suffix}", "--audience", "staff", "--locale", "vi")
        assert told.code == 0, told.err
        assert (tmp_path / f"report.{suffix}").stat().st_size > 1000
    assert "Simulated programme, seed 5" in (tmp_path / "report.html").read_text()
    # The site and its cohorts: 23 indicators in 2 weeks.
    told = smartwatch("usage", "report", name, "--site", "Simulated site 01", "--out", "site.csv")
    found = re.match(r"site\.csv: ([0-9]+) numbers, [0-9]+ of them suppressed\.", told.out)
    assert found is not None
    assert int(found[1]) >= 2 * 46
    assert int(found[1]) % 46 == 0
    assert smartwatch("usage", "rebuild").out == "30 families counted.\n"


@pytest.mark.parametrize(
    "words",
    [("--out", "a.pdf"), ("--out", "a.csv", "--audience", "all"), ("--out", "a.csv", "--locale", "xx"),
     ("--out", "a.csv")],
)  # fmt: skip
def test_a_report_that_cannot_be_is_refused_in_one_line(smartwatch: Smartwatch, words: tuple[str, ...]) -> None:
    told = smartwatch("usage", "report", "No such programme", *words)
    assert told.code == 1
    assert len(told.err.splitlines()) == 1
