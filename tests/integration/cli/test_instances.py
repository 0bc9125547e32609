"""Chores find the database of the `smartwatch up` that runs, and say so when it is not clear which."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from services.devstack.instance import Instance, acquire_instance
from tests.integration.cli.conftest import ROOT, Program, Smartwatch

Run = Callable[[str], Instance]


@pytest.fixture
def running(tmp_path: Path, database_url: str) -> Iterator[Run]:
    """Have an instance run in this folder, on this module's database."""
    with ExitStack() as stack:

        def run(name: str) -> Instance:
            instance = acquire_instance(tmp_path / "var", name)
            stack.callback(instance.release)
            instance.write_environment(
                {"SMARTWATCH_DATABASE_URL": database_url, "SMARTWATCH_ENVIRONMENT": "development"}
            )
            return instance

        yield run


@pytest.fixture
def plain(smartwatch: Smartwatch, monkeypatch: pytest.MonkeyPatch) -> Smartwatch:
    """The command line without any setting."""
    monkeypatch.delenv("SMARTWATCH_DATABASE_URL")
    # Set and taken back, so that what a command adopts is forgotten after the test.
    for name in ("SMARTWATCH_DATABASE_URL", "SMARTWATCH_ENVIRONMENT", "SMARTWATCH_INSTANCE"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return smartwatch


def test_without_one_the_way_out_is_told(plain: Smartwatch) -> None:
    assert plain("sites", "list").err.startswith(
        "smartwatch: database_unknown: No database is configured: run `smartwatch up`"
    )


@pytest.mark.parametrize("names", [("default",), ("demo",), ("default", "demo"), ("default", "default-2")])
def test_the_default_or_the_only_one_is_found(plain: Smartwatch, running: Run, names: tuple[str, ...]) -> None:
    for name in names:
        running(name)
    assert plain("sites", "list").code == 0


def test_of_several_one_must_be_named(plain: Smartwatch, running: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    running("one")
    running("two")
    assert plain("sites", "list").err.startswith("smartwatch: instance_ambiguous: Several instances run (one, two)")
    monkeypatch.setenv("SMARTWATCH_INSTANCE", "two")
    assert plain("sites", "list").code == 0
    monkeypatch.setenv("SMARTWATCH_INSTANCE", "three")
    monkeypatch.delenv("SMARTWATCH_DATABASE_URL")  # adopted a moment ago
    assert plain("sites", "list").err.startswith("smartwatch: instance_unknown: ")


def test_one_that_is_still_starting_is_told_so(plain: Smartwatch, tmp_path: Path) -> None:
    instance = acquire_instance(tmp_path / "var", "default")
    try:
        assert plain("sites", "list").err.startswith("smartwatch: instance_starting: ")
    finally:
        instance.release()


def test_what_a_killed_one_left_behind_is_not_taken_for_running(
    plain: Smartwatch, running: Run, tmp_path: Path
) -> None:
    running("default").release()
    (tmp_path / "var/default/environment").write_text("SMARTWATCH_DATABASE_URL=postgresql://x:y@127.0.0.1:1/z\n")
    assert plain("sites", "list").err.startswith("smartwatch: database_unknown: ")


def test_production_never_adopts_what_a_development_instance_left(
    plain: Smartwatch, running: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    running("default")
    monkeypatch.setenv("SMARTWATCH_ENVIRONMENT", "production")
    assert "  database_url is empty" in plain("sites", "list").err.splitlines()


def test_the_module_and_the_help_start_without_any_setting(program: Program) -> None:
    for words in (("--help",), ("watches", "register", "--help"), ("sim", "watch", "--help"), ("doctor", "--help")):
        process = program(*words, SMARTWATCH_DATABASE_URL="", PYTHONPATH=str(ROOT))
        out, err = process.communicate(timeout=90)
        assert (process.returncode, err) == (0, "")
        assert "Usage: " in out
