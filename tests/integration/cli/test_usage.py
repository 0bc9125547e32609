"""A simulated programme from the command line, and what may be shown of it as files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Smartwatch


def test_a_programme_is_simulated_counted_and_reported(smartwatch: Smartwatch, tmp_path: Path) -> None:
    result = smartwatch("usage", "simulate", "--sites", "2", "--families", "30", "--weeks", "2", "--seed", "5")
    assert result.code == 0, result.err
    assert result.out.startswith("Simulated programme, seed 5: ")
    assert result.out.endswith("2 weeks published.\n")
    again = smartwatch("usage", "simulate", "--sites", "2", "--families", "30", "--seed", "5")
    assert (again.code, "simulation_exists" in again.err) == (1, True)
    name = "Simulated programme, seed 5"
    for suffix in ("html", "csv", "xlsx"):
        result = smartwatch(
            "usage", "report", name, "--out", f"report.{suffix}", "--audience", "staff", "--locale", "vi"
        )
        assert result.code == 0, result.err
        assert (tmp_path / f"report.{suffix}").stat().st_size > 1000
    assert "Simulated programme, seed 5" in (tmp_path / "report.html").read_text()
    # The site and its cohorts: 23 indicators in 2 weeks.
    result = smartwatch("usage", "report", name, "--site", "Simulated site 01", "--out", "site.csv")
    match = re.match(r"site\.csv: ([0-9]+) numbers, [0-9]+ of them suppressed\.", result.out)
    assert match is not None
    assert int(match[1]) >= 2 * 46
    assert int(match[1]) % 46 == 0
    assert smartwatch("usage", "rebuild").out == "30 families counted.\n"

    result = smartwatch("usage", "cells", name, "--out", "here.json")
    assert result.out == "here.json: 50 numbers of groups of 10 families and more.\n"
    (tmp_path / "keys").write_text(f"here {smartwatch('usage', 'key').out}")
    result = smartwatch("usage", "join", "here.json", "--keys", "keys", "--out", "all.csv")
    assert result.err.startswith("smartwatch: join_too_few")
    content = (tmp_path / "here.json").read_text()
    (tmp_path / "there.json").write_text(content.replace('"k": 10', '"k": 20'))
    result = smartwatch("usage", "join", "here.json", "there.json", "--keys", "keys", "--out", "all.csv")
    assert result.err.startswith("smartwatch: join_signature_wrong")
    assert not (tmp_path / "all.csv").exists()


@pytest.mark.parametrize(
    "words",
    [("--out", "a.pdf"), ("--out", "a.csv", "--audience", "all"), ("--out", "a.csv", "--locale", "xx"),
     ("--out", "a.csv")],
)  # fmt: skip
def test_a_report_that_cannot_be_is_refused_in_one_line(smartwatch: Smartwatch, words: tuple[str, ...]) -> None:
    result = smartwatch("usage", "report", "No such programme", *words)
    assert result.code == 1
    assert len(result.err.splitlines()) == 1


def test_numbers_for_dhis2_are_refused_in_one_line_before_anything_is_sent(
    office: Smartwatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ids.json").write_text('{"data_elements": {"messages": "fbfJHSPpUQD"}, "org_units": {}}')
    command = ("usage", "dhis2", "Pilot", "--ids", "ids.json")
    assert office(*command).err.startswith("smartwatch: dhis2_not_configured")
    # Nobody listens there.
    monkeypatch.setenv("SMARTWATCH_DHIS2_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("SMARTWATCH_DHIS2_TOKEN", "d2pat_secret")
    assert office(*command).err.startswith("smartwatch: dhis2_ids_malformed")
    (tmp_path / "ids.json").write_text("no JSON")
    assert office(*command).err.startswith("smartwatch: dhis2_ids_malformed")
    unit = '"0192e4a1-7c3b-7d42-9f10-5b8e6a2c4d01": "DiszpKrYNg8"'
    (tmp_path / "ids.json").write_text(f'{{"data_elements": {{"messages": "fbfJHSPpUQD"}}, "org_units": {{{unit}}}}}')
    result = office(*command)
    assert (result.code, result.out.endswith("0 values, not sent: 0 suppressed.\n")) == (1, True)
    assert result.err.startswith("smartwatch: dhis2_nothing_public: None of these numbers is public")
    assert "d2pat_secret" not in result.err
    assert "nothing_public" in office("usage", "dhis2-imports", "Pilot").out
