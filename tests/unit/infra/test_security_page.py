"""docs/security.md: beside each published failure stand tests that exist; the commands and settings it names exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from typer.main import get_command

from services.cli.commands import app
from services.core.platform.settings import Settings

CHECKOUT = Path(__file__).parents[3]
PAGE = (CHECKOUT / "docs" / "security.md").read_text(encoding="utf-8")
FAILURES = PAGE.partition("## What happened to other children's watches")[2].partition("\n## ")[0]
ROWS = [line for line in FAILURES.splitlines() if line.startswith("| ") and "::" in line]
NAMED = re.compile(r"`(?P<file>tests/[\w/]+\.py)::(?P<test>test_\w+)`")


def _tests_in(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_published_failure_is_there() -> None:
    assert len(ROWS) == 13
    words = (
        "IMEI", "numbers that could be counted", "taken from the request", "never checked", "default password",
        "plain text", "paired a watch", "public bucket", "another watch's topic", "listened", "deleted",
        "before anybody agreed", "shipped again",
    )  # fmt: skip
    for row, word in zip(ROWS, words, strict=True):
        assert word in row.split(" | ")[0]


@pytest.mark.parametrize("row", ROWS, ids=[row.split(" | ")[0].lstrip("| ") for row in ROWS])
def test_each_has_tests_that_exist(row: str) -> None:
    named = list(NAMED.finditer(row))
    assert named
    # Nothing that looks like a test is passed over.
    assert len(named) == row.count("::")
    for name in named:
        file = CHECKOUT / name["file"]
        assert file.exists(), name["file"]
        assert name["test"] in _tests_in(file), name["test"]


def test_every_command_and_setting_it_names_exists() -> None:
    groups = get_command(app)
    named = set(re.findall(r"`smartwatch ([a-z-]+) ([a-z-]+)", PAGE))
    assert len(named) > 5
    for group, command in named:
        assert command in groups.commands[group].commands, (group, command)  # type: ignore[attr-defined]
    settings = {f"SMARTWATCH_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"SMARTWATCH_[A-Z_]+", PAGE)) <= settings
