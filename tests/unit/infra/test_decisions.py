"""docs/decisions: numbered without gaps, dated, with a status, each in the index; every link to one leads somewhere."""

from __future__ import annotations

import re
import subprocess
from datetime import date
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[3]
FOLDER = CHECKOUT / "docs" / "decisions"
PAGES = sorted(page for page in FOLDER.glob("*.md") if page.name != "README.md")
HEAD = re.compile(r"# (?P<title>.+)\n\n(?P<date>\d{4}-\d\d-\d\d) · (?P<area>[a-z-]+) · (?P<status>.+)\n\n")
STATUS = re.compile(r"accepted|superseded by \[\d{4}\]\((?P<by>\d{4}-[a-z-]+\.md)\)")
LINK = re.compile(r"decisions/(?P<page>[0-9a-z-]+\.md)|\]\((?P<beside>\d{4}-[a-z-]+\.md)")


def test_numbers_are_without_gaps() -> None:
    assert [page.name[:4] for page in PAGES] == [f"{number:04d}" for number in range(1, len(PAGES) + 1)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_says_when_about_what_and_whether_it_still_holds(page: Path) -> None:
    head = HEAD.match(page.read_text())
    assert head, f"{page.name} does not begin with its title and a line `date · area · status`"
    date.fromisoformat(head["date"])
    status = STATUS.fullmatch(head["status"])
    assert status, f"{page.name}: neither accepted nor superseded: {head['status']}"
    assert status["by"] is None or (FOLDER / status["by"]).exists()
    index = (FOLDER / "README.md").read_text()
    area = index.partition(f"## {head['area']}\n")[2].partition("\n## ")[0]
    assert f"]({page.name})" in area, f"{page.name} is missing in the index, under {head['area']}"


def test_every_link_to_a_decision_leads_to_one() -> None:
    command = ["git", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout  # noqa: S603
    names = {page.name for page in PAGES} | {"README.md"}
    for name in filter(None, listed.split("\0")):
        file = CHECKOUT / name
        if file.suffix in {".md", ".py", ".toml", ".yaml", ".conf"} and file.exists():
            for match in LINK.finditer(file.read_text()):
                assert (match["page"] or match["beside"]) in names, f"{name}: {match.group()}"
