"""The set-up of a fresh machine, branch by branch. What needs a network is marked long."""

import fcntl
import os
import shutil
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[3]
SETUP = CHECKOUT / "infra" / "setup"
sys.path.insert(0, str(SETUP))
sys.path.insert(0, str(CHECKOUT / "infra"))

import bring_pip  # noqa: E402 - scripts that run before anything is installed are no package
import check_stopped  # noqa: E402
import leftovers  # noqa: E402
import make_venv  # noqa: E402


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own scripts
        command, check=False, capture_output=True, text=True, env=os.environ | environment
    )


def make_program(folder: Path, name: str, text: str) -> Path:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    return program


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with a .venv that has no pip, as it is where python3-venv is missing."""
    base = subprocess.run(
        [sys.executable, "-c", "import sys; print(sys._base_executable)"], check=True, capture_output=True, text=True
    ).stdout.strip()
    subprocess.run([base, "-m", "venv", "--without-pip", tmp_path / ".venv"], check=True)  # noqa: S603
    return tmp_path


# ------------------------------------------------------------------------- which Python


def test_a_python_that_is_new_enough_is_found() -> None:
    found = run("sh", SETUP / "find_python.sh")
    assert found.returncode == 0
    assert run(found.stdout.strip(), "--version").stdout.startswith("Python 3.")


def test_a_newer_python_is_taken_when_python3_is_too_old(tmp_path: Path) -> None:
    make_program(tmp_path, "python3", 'case "$1" in -V) echo Python 3.9.2;; *) exit 1;; esac')
    newer = make_program(tmp_path, "python3.12", "exit 0")
    found = run("/bin/sh", SETUP / "find_python.sh", PATH=str(tmp_path))
    assert found.stdout.strip() == str(newer)


def test_without_a_python_that_is_new_enough_it_says_what_was_found_and_what_to_install(tmp_path: Path) -> None:
    make_program(tmp_path, "python3", 'case "$1" in -V) echo Python 3.9.2;; *) exit 1;; esac')
    found = run("/bin/sh", SETUP / "find_python.sh", PATH=str(tmp_path))
    assert found.returncode == 1
    assert "3.11 or newer" in found.stderr
    assert "Python 3.9.2" in found.stderr
    assert "apt install" in found.stderr


def test_the_python_that_is_needed_is_the_one_the_project_names() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11"
    assert "needed=3.11" in (SETUP / "find_python.sh").read_text()
    assert "(3, 11)" in (SETUP / "find_python.sh").read_text()


# ------------------------------------------------------------------------- a pip


@pytest.mark.skipif(find_spec("ensurepip") is None, reason="this Python was packaged without its pip")
def test_pip_of_python_itself_needs_nothing_else(checkout: Path) -> None:
    said: list[str] = []
    command = bring_pip.bring_pip(checkout, said.append, os.environ)
    assert run(*command, "--version").returncode == 0
    assert said == ["pip comes with this Python"]
    said.clear()
    assert bring_pip.bring_pip(checkout, said.append, os.environ) == command
    assert said == []  # the second time it is there


def test_the_systems_pip_installs_into_ours_where_python_has_none_itself(checkout: Path) -> None:
    command = bring_pip.pip_of_the_system(checkout, checkout / ".venv" / "bin" / "python", print, os.environ)
    if command is None:
        pytest.skip("the Python below this environment has no pip")
    told = run(*command, "list", "--format=freeze")
    assert told.returncode == 0
    assert "pytest" not in told.stdout  # of .venv, which is empty, and of nothing else


def test_with_no_way_left_it_says_what_to_install(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for way in ("already_there", "ensurepip", "pip_of_the_system", "package_unpacked", "package_installed"):
        monkeypatch.setattr(bring_pip, way, lambda *_: None)
    with pytest.raises(bring_pip.NoPipError, match="apt install python3-venv"):
        bring_pip.bring_pip(checkout, print, os.environ)


@pytest.mark.long
@pytest.mark.skipif(not shutil.which("apt-get"), reason="Debian and Ubuntu only")
def test_pip_is_unpacked_from_the_systems_packages_without_root(checkout: Path) -> None:
    said: list[str] = []
    command = bring_pip.package_unpacked(checkout, checkout / ".venv" / "bin" / "python", said.append, os.environ)
    assert command is not None
    assert run(*command, "--version").stdout.startswith("pip ")
    assert "python3-pip-whl" in said[0]
    assert [entry.name for entry in (checkout / ".tools").iterdir()] == ["pip"]


@pytest.mark.long
@pytest.mark.skipif(not shutil.which("apt-get"), reason="Debian and Ubuntu only")
def test_lists_of_our_own_are_fetched_where_the_system_has_none(tmp_path: Path) -> None:
    options = bring_pip.private_apt(tmp_path)
    assert bring_pip.try_download("python3-pip-whl", tmp_path, options, os.environ) == []
    run("apt-get", *options, "update")
    assert len(bring_pip.try_download("python3-pip-whl", tmp_path, options, os.environ)) == 1


# ------------------------------------------------------------------------- .venv


def test_the_stamp_changes_with_the_lock_and_with_the_project(tmp_path: Path) -> None:
    for name in ("requirements.lock", "pyproject.toml"):
        (tmp_path / name).write_text("one")
    first = make_venv.stamp_of(tmp_path)
    assert make_venv.stamp_of(tmp_path) == first
    (tmp_path / "requirements.lock").write_text("two")
    assert make_venv.stamp_of(tmp_path) != first


def test_a_half_made_or_moved_environment_is_not_ours(checkout: Path) -> None:
    assert not make_venv.is_ours(checkout / "nothing")
    moved = checkout / "moved"
    (checkout / ".venv").rename(moved)
    (moved / "pyvenv.cfg").unlink()
    assert not make_venv.is_ours(moved)


def test_settings_that_would_send_packages_elsewhere_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_USER", "1")
    monkeypatch.setenv("PIP_PROXY", "http://proxy")
    clean = make_venv.clean_environment(tmp_path)
    assert "PIP_USER" not in clean
    assert clean["PIP_PROXY"] == "http://proxy"
    assert clean["PIP_CACHE_DIR"].startswith(str(tmp_path))


# ------------------------------------------------------------------------- left-overs and running things


def test_leftovers_are_found_by_file_and_line(tmp_path: Path) -> None:
    run("git", "init", "-q", tmp_path)
    # Put together here, so that the check does not find this file.
    (tmp_path / "a.py").write_text(f"x = 1  # {'TO'}{'DO'} later\n" + "\n" * 400)
    (tmp_path / "b.md").write_text(f"see /{'home'}/someone/notes\n")
    (tmp_path / "c.bin").write_bytes(b"\xff\xfe/" + b"home/x")
    found = leftovers.find_leftovers(tmp_path)
    assert [line.split(": ")[0] for line in found] == ["a.py", "a.py:1", "b.md:1"]


def test_what_is_still_running_is_told_before_its_rows_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(check_stopped, "VAR", tmp_path)
    (tmp_path / "default").mkdir()
    with (tmp_path / "default" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert check_stopped.main() == 1
        assert "still running" in capsys.readouterr().err
    assert check_stopped.main() == 0
