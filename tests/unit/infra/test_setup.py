"""The set-up of a fresh machine, branch by branch. What needs a network is marked long."""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.requirements import Requirement

CHECKOUT = Path(__file__).parents[3]
SETUP = CHECKOUT / "infra" / "setup"
sys.path.insert(0, str(SETUP))
sys.path.insert(0, str(CHECKOUT / "infra"))

import bring_pip  # noqa: E402 - scripts that run before anything is installed are no package
import check_stopped  # noqa: E402
import leftovers  # noqa: E402
import make_venv  # noqa: E402
import progress  # noqa: E402


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
    result = run("sh", SETUP / "find_python.sh")
    assert result.returncode == 0
    assert run(result.stdout.strip(), "--version").stdout.startswith("Python 3.")


def test_a_newer_python_is_taken_when_python3_is_too_old(tmp_path: Path) -> None:
    make_program(tmp_path, "python3", 'case "$1" in -V) echo Python 3.9.2;; *) exit 1;; esac')
    newer = make_program(tmp_path, "python3.12", "exit 0")
    result = run("/bin/sh", SETUP / "find_python.sh", PATH=str(tmp_path))
    assert result.stdout.strip() == str(newer)


def test_without_a_python_that_is_new_enough_it_says_what_was_found_and_what_to_install(tmp_path: Path) -> None:
    make_program(tmp_path, "python3", 'case "$1" in -V) echo Python 3.9.2;; *) exit 1;; esac')
    result = run("/bin/sh", SETUP / "find_python.sh", PATH=str(tmp_path))
    assert result.returncode == 1
    assert "3.11 or newer" in result.stderr
    assert "Python 3.9.2" in result.stderr
    assert "apt install" in result.stderr


def test_the_python_that_is_needed_is_the_one_the_project_names() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11"
    assert "needed=3.11" in (SETUP / "find_python.sh").read_text()
    assert "(3, 11)" in (SETUP / "find_python.sh").read_text()


# ------------------------------------------------------------------------- a pip


@pytest.mark.skipif(find_spec("ensurepip") is None, reason="this Python was packaged without its pip")
def test_pip_of_python_itself_needs_nothing_else(checkout: Path) -> None:
    lines: list[str] = []
    command = bring_pip.bring_pip(checkout, lines.append, os.environ)
    assert run(*command, "--version").returncode == 0
    assert lines == ["pip comes with this Python"]
    lines.clear()
    assert bring_pip.bring_pip(checkout, lines.append, os.environ) == command
    assert lines == []  # the second time it is there


def test_the_systems_pip_installs_into_ours_where_python_has_none_itself(checkout: Path) -> None:
    command = bring_pip.pip_of_the_system(checkout, checkout / ".venv" / "bin" / "python", print, os.environ)
    if command is None:
        pytest.skip("the Python below this environment has no pip")
    result = run(*command, "list", "--format=freeze")
    assert result.returncode == 0
    assert "pytest" not in result.stdout  # of .venv, which is empty, and of nothing else


def test_with_no_way_left_it_says_what_to_install(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for way in ("already_there", "ensurepip", "pip_of_the_system", "package_unpacked", "package_installed"):
        monkeypatch.setattr(bring_pip, way, lambda *_: None)
    with pytest.raises(bring_pip.NoPipError, match="apt install python3-venv"):
        bring_pip.bring_pip(checkout, print, os.environ)


@pytest.mark.long
@pytest.mark.skipif(not shutil.which("apt-get"), reason="Debian and Ubuntu only")
def test_pip_is_unpacked_from_the_systems_packages_without_root(checkout: Path) -> None:
    lines: list[str] = []
    command = bring_pip.package_unpacked(checkout, checkout / ".venv" / "bin" / "python", lines.append, os.environ)
    assert command is not None
    assert run(*command, "--version").stdout.startswith("pip ")
    assert "python3-pip-whl" in lines[0]
    assert [entry.name for entry in (checkout / ".tools").iterdir()] == ["pip"]


@pytest.mark.long
@pytest.mark.skipif(not shutil.which("apt-get"), reason="Debian and Ubuntu only")
def test_lists_of_our_own_are_fetched_where_the_system_has_none(tmp_path: Path) -> None:
    options = bring_pip.private_apt(tmp_path)
    assert bring_pip.try_download("python3-pip-whl", tmp_path, options, os.environ) == []
    run("apt-get", *options, "update")
    assert len(bring_pip.try_download("python3-pip-whl", tmp_path, options, os.environ)) == 1


# ------------------------------------------------------------------------- .venv


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    """A folder with the files that decide what .venv holds."""
    (tmp_path / "infra").mkdir()
    for name in ("requirements.lock", "infra/requirements-demo.lock", "pyproject.toml"):
        (tmp_path / name).write_text("one")
    return tmp_path


@pytest.mark.parametrize(("extent", "lock"), sorted(make_venv.LOCKS.items()))
def test_the_stamp_changes_with_the_lock_and_with_the_project(locked: Path, extent: str, lock: str) -> None:
    stamps = [make_venv.stamp_of(locked, extent), make_venv.stamp_of(locked, extent)]
    assert stamps[0] == stamps[1]
    for name in (lock, "pyproject.toml"):
        (locked / name).write_text("two")
        stamps.append(make_venv.stamp_of(locked, extent))
    assert len(set(stamps)) == 3


def make_as_if(checkout: Path, extent: str) -> None:
    (checkout / ".venv" / "bin").mkdir(parents=True, exist_ok=True)
    (checkout / ".venv" / "bin" / "python").touch()
    (checkout / ".venv" / make_venv.STAMP).write_text(make_venv.stamp_of(checkout, extent))


def test_an_environment_for_everything_serves_the_demo_and_one_for_the_demo_is_not_enough_for_tests(
    locked: Path,
) -> None:
    make_as_if(locked, "everything")
    assert make_venv.is_made(locked, "everything")
    assert make_venv.is_made(locked, "product")
    make_as_if(locked, "product")
    assert make_venv.is_made(locked, "product")
    assert not make_venv.is_made(locked, "everything")


def test_the_demo_installs_the_product_and_no_tool_of_the_checks() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    demo = make_venv.names_in(CHECKOUT / make_venv.LOCKS["product"])
    for line in (*project["dependencies"], *project["optional-dependencies"]["build"]):
        name = Requirement(line).name
        assert name.replace(".", "-").lower() in demo
    assert not demo & {"pytest", "mypy", "ruff", "hypothesis", "moto"}


def test_the_demos_versions_are_those_that_the_tests_run_with() -> None:
    pins = {
        extent: set(re.findall(r"^[a-z0-9-]+(?:\[[a-z0-9,-]+\])?==[^ ]+", (CHECKOUT / lock).read_text(), re.MULTILINE))
        for extent, lock in make_venv.LOCKS.items()
    }
    assert pins["product"] < pins["everything"]


def test_a_newer_python_than_the_tested_ones_starts_with_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    make_venv.warn_of_untested_python((3, 13))
    assert capsys.readouterr().out == ""
    make_venv.warn_of_untested_python((3, 14))
    assert "Python 3.14 is newer" in capsys.readouterr().out


def test_a_newer_python_than_the_tested_ones_is_not_refused(tmp_path: Path) -> None:
    newest = make_program(tmp_path, "python3.14", "exit 0")
    assert run("/bin/sh", SETUP / "find_python.sh", PATH=str(tmp_path)).stdout.strip() == str(newest)


# ------------------------------------------------------------------------- progress


def test_progress_is_printed_for_each_tenth_and_pips_own_complaints_stay_visible() -> None:
    lines: list[str] = []
    shown = progress.Progress(20, lines.append)
    for number in range(20):
        shown.read(f"Collecting one-{number}==1 (from -r requirements.lock (line 2))")
        shown.read(f"  Downloading one_{number}-1-py3-none-any.whl (1.2 MB)")
    shown.read("WARNING: the index answered late")
    shown.read("Installing collected packages: a, b")
    shown.read("Successfully installed a-1 b-1")
    assert lines == [
        *(f"{count} of 20 packages" for count in range(2, 21, 2)),
        "WARNING: the index answered late",
        "all packages are here; unpacking them",
    ]


def test_a_silent_installation_gives_signs_of_life_and_a_failed_one_is_reported(tmp_path: Path) -> None:
    lines: list[str] = []
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)

    def announce(line: str) -> None:
        if not lines:
            fifo.write_text("go on\n")  # the installation ends after its first sign of life, and not before
        lines.append(line)

    with pytest.raises(subprocess.CalledProcessError) as failed:
        progress.Progress(1, announce, silence_s=0.05).run(["sh", "-c", f"read line < {fifo}; exit 3"], os.environ)
    assert failed.value.returncode == 3
    assert lines[0].startswith("still asking the package index")


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
    (tmp_path / "a.py").write_text(f"x = 1  # {'TO'}{'DO'} later\n" + "\n" * 480)
    (tmp_path / "b.md").write_text(f"see /{'home'}/someone/notes\n")
    (tmp_path / "c.bin").write_bytes(b"\xff\xfe/" + b"home/x")
    left = leftovers.find_leftovers(tmp_path)
    assert [line.split(": ")[0] for line in left] == ["a.py", "a.py:1", "b.md:1"]


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
