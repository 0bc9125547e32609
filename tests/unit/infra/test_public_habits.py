"""The habits of a public project: the subject of a commit, one version everywhere, hooks that exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from services import __version__
from services.cli.commands import app
from services.protocol import asyncapi
from tests.support.api_routes import app_without_database

CHECKOUT = Path(__file__).parents[3]
sys.path.insert(0, str(CHECKOUT / "infra"))

import commit_subject  # noqa: E402 - scripts of the set-up are no package


def test_one_version_is_told_by_the_command_the_api_and_the_protocol() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"smartwatch {__version__}\n")
    assert app_without_database().openapi()["info"]["version"] == __version__
    assert asyncapi.document()["info"]["version"] == __version__


def test_the_changelog_begins_with_what_is_unreleased_and_has_this_version() -> None:
    headings = re.findall(r"^## \[(.+?)\]( - \d{4}-\d\d-\d\d)?$", (CHECKOUT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == ("Unreleased", "")
    assert __version__ in [name for name, _ in headings]


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ("broker: bound connections without a log-in\n\nWhy.\n", None),
        ("core/people: return consents by text version\n", None),
        ("Merge branch 'main'\n", None),
        ("Bound connections\n", "area: what it does"),
        ("broker: " + "x" * 70 + "\n", "78 characters"),
        ("broker: bound connections.\n", "full stop"),
        ("broker: bound connections\nbecause\n", "an empty line"),
    ],
)
def test_a_subject_has_an_area_and_72_characters(message: str, fault: str | None) -> None:
    sentences = commit_subject.faults(message)
    assert (fault is None) == (sentences == [])
    assert (fault or "") in "; ".join(sentences)


def test_every_hook_starts_a_program_of_this_checkout() -> None:
    [repository] = yaml.safe_load((CHECKOUT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repository["repo"] == "local"
    for hook in repository["hooks"]:
        program, *arguments = hook["entry"].split()
        assert (CHECKOUT / program).exists(), hook["id"]
        for argument in arguments:
            assert not argument.endswith(".py") or (CHECKOUT / argument).exists(), hook["id"]


def test_the_hook_refuses_a_message_by_its_exit_code(tmp_path: Path) -> None:
    script = CHECKOUT / "infra" / "commit_subject.py"
    for message, code in (("api: list sessions\n", 0), ("wip\n", 1)):
        file = tmp_path / "message"
        file.write_text(message)
        done = subprocess.run([sys.executable, script, file], check=False, capture_output=True)  # noqa: S603 - ours
        assert done.returncode == code
