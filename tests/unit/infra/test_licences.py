"""Every locked package has a licence that ours may contain, and docs/licences.md lists it."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tomllib
from email.message import Message
from pathlib import Path

import pytest

from services.web.serving import BUILT

CHECKOUT = Path(__file__).parents[3]
sys.path.insert(0, str(CHECKOUT / "infra"))

import licences  # noqa: E402 - scripts of the set-up are no package


def test_every_locked_package_is_compatible_with_our_licence() -> None:
    foreign = [
        f"{package.name}: {package.licence}"
        for package in licences.locked_packages()
        if not licences.is_compatible(package.licence)
    ]
    assert not foreign, f"not compatible with {licences.OURS}: {foreign}; use another package"


def test_the_page_is_as_the_metadata_says() -> None:
    made = licences.page(list(licences.locked_packages()))
    assert licences.PAGE.read_text() == made, "run: .venv/bin/python infra/licences.py --write"


@pytest.mark.parametrize(
    ("expression", "compatible"),
    [
        ("MIT", True),
        ("MIT AND PSF-2.0", True),
        ("EPL-2.0 OR BSD-3-Clause", True),
        ("MIT AND GPL-2.0-only", False),
        ("GPL-2.0-only OR EPL-2.0", False),
        ("SSPL-1.0", False),
        ("", False),
    ],
)
def test_an_expression_is_judged_by_all_of_its_parts(expression: str, *, compatible: bool) -> None:
    assert licences.is_compatible(expression) is compatible


def test_a_package_without_a_licence_is_named_with_the_file_to_edit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(licences, "metadata", lambda _: Message())
    with pytest.raises(licences.UnknownLicenceError, match=r"mystery names no single licence.*infra/licences\.py"):
        licences.licence_of("mystery")


def test_a_package_of_another_platform_is_named_with_the_file_to_edit() -> None:
    with pytest.raises(
        licences.UnknownLicenceError, match=r"not-on-this-platform is not installed.*infra/licences\.py"
    ):
        licences.licence_of("not-on-this-platform")


def test_the_project_says_the_same_licence_everywhere() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    assert project["license"] == licences.OURS
    text = (CHECKOUT / "LICENSE").read_text()
    assert "GNU AFFERO GENERAL PUBLIC LICENSE" in text
    assert len(text.splitlines()) > 600
    assert re.search(r"Apache License\s+Version 2\.0", (CHECKOUT / "docs" / "LICENSE-contract").read_text())
    for page in ("README.md", "CONTRIBUTING.md"):
        assert licences.OURS in (CHECKOUT / page).read_text()


def test_the_script_ends_well_for_what_is_locked() -> None:
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, CHECKOUT / "infra" / "licences.py"], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_built_pages_name_their_packages_with_version_and_licence() -> None:
    packages = re.findall(r"^(\S+) (\S+), (\S+)\nin: (.+)$", (BUILT / "contents.txt").read_text(), re.MULTILINE)
    declared = json.loads((licences.CHECKOUT / "web" / "package.json").read_text())["dependencies"]
    assert declared.items() <= {name: version for name, version, _, _ in packages}.items()
    for name, _, licence, files in packages:
        assert licences.is_compatible(licence), f"{name}: {licence}"
        assert all((BUILT / file).is_file() for file in files.split(", "))


def test_the_digests_beside_the_built_pages_are_those_of_the_files() -> None:
    listed = re.findall(r"^([0-9a-f]{64})  (.+)$", (BUILT / "contents.txt").read_text(), re.MULTILINE)
    files = {path for path in BUILT.rglob("*") if path.is_file()} - {BUILT / "contents.txt"}
    made = [(hashlib.sha256(path.read_bytes()).hexdigest(), str(path.relative_to(BUILT))) for path in files]
    assert sorted(listed) == sorted(made)
