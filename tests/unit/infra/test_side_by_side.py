"""Files of tests in forked processes: what fails, crashes, warns or is interrupted is told as by one process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

import pytest

from tests.support.process_tree import CpuMeter

CHECKOUT = Path(__file__).parents[3]
FIXTURES = """
import os, pathlib, pytest

@pytest.fixture(scope="session")
def resource():
    yield os.getpid()
    pathlib.Path(os.environ["LEFT"], f"torn-down-{os.getpid()}").touch()
"""
FILES = {
    "test_faults.py": """
import os, signal, warnings

def test_fails(resource):
    print("printed before the failure")
    assert 1 + 1 == 3

def test_warns(resource):
    warnings.warn("careful")

def test_crashes():
    os.kill(os.getpid(), signal.SIGKILL)

def test_after_the_crash(resource):
    os.write(1, b"written to the descriptor")
""",
    "test_two_files_meet.py": """
import os, pathlib, time

def test_waits_for_the_other_file(resource, tmp_path):
    left = pathlib.Path(os.environ["LEFT"])
    (left / "here").touch()
    while not (left / "there").exists():
        time.sleep(0.01)

def test_last():  # with it, its process takes the next file
    pass
""",
    "test_two_files_meet_again.py": """
import os, pathlib, time

def test_waits_for_the_other_file(resource, tmp_path):
    left = pathlib.Path(os.environ["LEFT"])
    (left / "there").touch()
    while not (left / "here").exists():
        time.sleep(0.01)

def test_last():  # with it, its process takes the next file
    pass
""",
}
HANGING = """
import os, pathlib, time

def test_hangs(resource):
    pathlib.Path(os.environ["LEFT"], "hanging").touch()
    time.sleep(300)
"""


# As from a terminal: a shell lets its background commands ignore interrupts, and so would all their children.
PYTEST = "import pytest, signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); sys.exit(pytest.main())"


def start_pytest(folder: Path, left: Path, *arguments: str, descriptors: Collection[int] = ()) -> subprocess.Popen[str]:
    """Run the tests of a folder in two processes, without the plugins and settings of this project."""
    (folder / "conftest.py").write_text(FIXTURES)
    left.mkdir()
    own = ["--processes", "2", "-p", "tests.support.side_by_side", "-c", os.devnull, "--import-mode=importlib"]
    environment = os.environ | {"LEFT": str(left), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.Popen(  # noqa: S603 - pytest itself, by an argument list
        [sys.executable, "-c", PYTEST, *own, "--rootdir", str(folder), *arguments, str(folder)],
        cwd=CHECKOUT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        pass_fds=descriptors,
    )  # fmt: skip


def test_failures_crashes_and_warnings_are_told_and_every_other_test_is_run(tmp_path: Path) -> None:
    folder, left = tmp_path / "folder", tmp_path / "left"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    output, _ = start_pytest(folder, left, "-ra").communicate(timeout=240)
    assert re.search(r"\n=+ 2 failed, 6 passed, 1 warning in ", output), output
    assert "The process of this test ended with code -9." in output
    assert "printed before the failure" in output
    assert "UserWarning: careful" in output
    # The crash took its process, and the one that replaced it has torn down as the other has.
    assert len(list(left.glob("torn-down-*"))) == 2


def test_an_interrupt_ends_all_processes_with_their_fixtures_torn_down(tmp_path: Path) -> None:
    folder, left = tmp_path / "folder", tmp_path / "left"
    folder.mkdir()
    (folder / "test_hanging.py").write_text(HANGING)
    running = start_pytest(folder, left)
    try:
        assert running.stdout is not None
        while not (left / "hanging").exists():
            assert running.poll() is None
        running.send_signal(signal.SIGINT)
        output, _ = running.communicate(timeout=240)
    finally:
        running.kill()
    assert running.returncode == pytest.ExitCode.INTERRUPTED, output
    assert len(list(left.glob("torn-down-*"))) == 1


def test_a_test_that_does_not_load_is_told_and_nothing_is_run(tmp_path: Path) -> None:
    folder, left = tmp_path / "folder", tmp_path / "left"
    folder.mkdir()
    (folder / "test_broken.py").write_text("import a_module_that_is_not_there")
    (folder / "test_whole.py").write_text("def test_it(): pass")
    running = start_pytest(folder, left)
    output, _ = running.communicate(timeout=240)
    assert running.returncode == pytest.ExitCode.INTERRUPTED
    assert "a_module_that_is_not_there" in output


NEEDING = """
import os, pathlib

LEFT = pathlib.Path(os.environ["LEFT"])
(LEFT / "loaded").touch()

def test_it():
    assert (LEFT / "brought").exists()
"""


def test_tests_are_loaded_while_what_they_need_is_brought_and_begin_when_it_is_there(tmp_path: Path) -> None:
    folder, left = tmp_path / "folder", tmp_path / "left"
    folder.mkdir()
    (folder / "test_needing.py").write_text(NEEDING)
    reader, writer = os.pipe()
    running = start_pytest(folder, left, "--begin-at-end-of", str(reader), descriptors=[reader])
    os.close(reader)
    try:
        while not (left / "loaded").exists():
            assert running.poll() is None
        assert running.poll() is None
        (left / "brought").touch()
        os.close(writer)
        output, _ = running.communicate(timeout=240)
    finally:
        running.kill()
    assert running.returncode == pytest.ExitCode.OK, output


# Uses 0.3 s of a processor, of which the kernel counts hundredths; says so, and lives until its input is closed.
BUSY = """
import sys, time
while time.process_time() < 0.3: pass
print("busy no more", flush=True)
sys.stdin.read()
"""
RUN_BUSY = f"subprocess.run([sys.executable, '-c', {BUSY!r}], stdin=subprocess.DEVNULL, check=True)"


def test_a_file_pays_for_what_it_starts_and_never_less_than_nothing(tmp_path: Path) -> None:
    folder, left = tmp_path / "folder", tmp_path / "left"
    folder.mkdir()
    (folder / "test_busy.py").write_text(f"import subprocess, sys\n\ndef test_it():\n    {RUN_BUSY}\n")
    (folder / "test_idle.py").write_text("def test_it(): pass")
    output, _ = start_pytest(folder, left, "--dearest", "2").communicate(timeout=240)
    costs = {file: float(cpu_s) for cpu_s, file in re.findall(r"(-?[\d.]+) s of a processor .* (\S+\.py)", output)}
    assert [*costs] == ["test_busy.py", "test_idle.py"], output
    assert costs["test_busy.py"] >= 0.2
    assert 0 <= costs["test_idle.py"] < costs["test_busy.py"]
    ends = re.search(r"processes ended this many seconds before the last: ([\d.]+), 0.0\n", output)
    assert ends, output


def test_a_process_that_ends_and_is_waited_for_by_nobody_makes_no_reading_negative() -> None:
    meter = CpuMeter(os.getpid())
    # The shell is killed before it can wait for what it has started, which leaves this process's family unnoticed.
    with subprocess.Popen(  # noqa: S603 - our own program, by an argument list
        ["/bin/sh", "-c", '"$0" -c "$1" <&0 & wait', sys.executable, BUSY],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as shell:  # fmt: skip
        assert shell.stdout is not None
        shell.stdout.readline()
        assert meter.spent_s() >= 0.2
        shell.kill()
        shell.wait()
        assert 0 <= meter.spent_s() < 0.2
