"""Which browser the journeys are played in: the cheapest one that is there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "infra"))
from web.chromium import NoBrowserError, bring_headless_shell, find_chromium

from web import chromium

FULL = "usr/lib/chromium/chromium"
SHELL = "usr/lib/chromium/chromium-headless-shell"


def _program(root: Path, name: str) -> Path:
    program = root / name
    program.parent.mkdir(parents=True, exist_ok=True)
    program.touch()
    return program


def test_an_unpacked_shell_is_preferred_to_the_full_browser_of_the_system(tmp_path: Path) -> None:
    system, unpacked = tmp_path / "system", tmp_path / "unpacked"
    assert find_chromium((system, unpacked)) is None
    full = _program(system, FULL)
    assert find_chromium((system, unpacked)) == full
    shell = _program(unpacked, SHELL)
    assert find_chromium((system, unpacked)) == shell


def test_a_browser_that_is_there_is_enough_where_no_shell_can_be_brought(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full, asked = _program(tmp_path, FULL), []

    def bring(packages: tuple[str, ...], unwanted: Path) -> Path:
        assert unwanted == full
        asked.append(packages)
        raise NoBrowserError

    monkeypatch.setattr(chromium, "find_chromium", lambda: full)
    monkeypatch.setattr(chromium, "_bring", bring)
    assert bring_headless_shell() == full
    # A release without the shell must not bring a second full browser at each run.
    assert asked == [("chromium-headless-shell",)]


def test_a_shell_that_is_there_is_not_brought_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shell = _program(tmp_path, SHELL)
    monkeypatch.setattr(chromium, "find_chromium", lambda: shell)
    # Packages that are asked for would be an error here.
    monkeypatch.setattr(chromium, "_bring", None)
    assert bring_headless_shell() == shell
