"""A hostile program as the decoder: it can read, signal, connect to and start nothing."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from typing import Any

import pytest

from services.core.platform.audio import confinement

MACHINE = platform.machine()
# uretprobe and uprobe: Linux lets them pass every filter, and ends a process that calls them outside of a probe.
OF_PROBES = {335, 336}
# The decoder's imports are loaded, then it is confined, then it turns hostile. `parent` is the process with the keys.
BEGIN = """
import ctypes, errno, json, mmap, os, signal, sys
from services.core.platform.audio import child, confinement
libc = ctypes.CDLL(None, use_errno=True)
parent = os.getppid()
def outcome(attempt):
    try:
        attempt()
    except OSError as error:
        return errno.errorcode[error.errno]
    except ValueError:
        return "ValueError"
    return "done"
def call(number, *arguments):
    ctypes.set_errno(0)
    if libc.syscall(number, *(arguments or (0, 0, 0, 0, 0, 0))) == -1:
        raise OSError(ctypes.get_errno(), "refused")
def read_memory():
    own = ctypes.create_string_buffer(8)
    class Span(ctypes.Structure):
        _fields_ = [("at", ctypes.c_void_p), ("size", ctypes.c_size_t)]
    here, there = Span(ctypes.addressof(own), 8), Span(%d, 8)
    if libc.process_vm_readv(parent, ctypes.byref(here), 1, ctypes.byref(there), 1, 0) == -1:
        raise OSError(ctypes.get_errno(), "refused")
def trace():
    if libc.ptrace(16, parent, 0, 0) == -1:  # PTRACE_ATTACH
        raise OSError(ctypes.get_errno(), "refused")
attempts = {
    "read_memory": read_memory,
    "trace": trace,
    "open_memory": lambda: os.open(f"/proc/{parent}/mem", os.O_RDONLY),
    "open_environment": lambda: os.open(f"/proc/{parent}/environ", os.O_RDONLY),
    "open_file": lambda: os.open("/etc/passwd", os.O_RDONLY),
    "signal": lambda: os.kill(parent, 0),
    "signal_group": lambda: os.killpg(os.getpgid(parent), 0),
    "fork": lambda: os._exit(7) if os.fork() == 0 else None,
    "execute": lambda: os.execv("/bin/true", ["true"]),
}
child.warm_up()
"""
END = "\nprint(json.dumps(told))\nsys.stdout.flush()\nos._exit(0)\n"


def run_hostile(script: str) -> dict[str, Any]:
    """Run a script as the sandbox runs the decoder; return what it printed."""
    secret = b"a master key"
    address = id(secret)
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-I", "-c", BEGIN % address + script + END], env={}, stdin=subprocess.DEVNULL,
        capture_output=True, start_new_session=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    outcomes: dict[str, Any] = json.loads(done.stdout)
    return outcomes


def test_the_attempts_would_succeed_unconfined() -> None:
    outcomes = run_hostile(
        "del attempts['execute'], attempts['trace']; told = {name: outcome(one) for name, one in attempts.items()}"
    )
    assert set(outcomes.values()) <= {"done", "EPERM", "EACCES"}
    assert outcomes["open_file"] == outcomes["signal"] == outcomes["fork"] == "done"


def test_a_confined_decoder_can_read_signal_and_start_nothing() -> None:
    outcomes = run_hostile("confinement.confine(); told = {name: outcome(one) for name, one in attempts.items()}")
    assert set(outcomes.values()) <= {"EPERM", "EACCES", "EMFILE", "EAGAIN"}, outcomes


@pytest.mark.skipif(MACHINE not in confinement.CALLS, reason="no seccomp filter for this architecture")
def test_every_system_call_that_decoding_does_not_make_is_refused() -> None:
    allowed = sorted({*confinement.CALLS[MACHINE].values(), *confinement.MEMORY_CALLS[MACHINE], *OF_PROBES})
    outcomes = run_hostile(
        f"confinement.confine()\nallowed = {allowed}\n"
        "told = {str(one): outcome(lambda: call(one)) for one in range(520) if one not in allowed}"
    )
    assert set(outcomes.values()) == {"EPERM"}
    assert len(outcomes) > 450


@pytest.mark.skipif(MACHINE not in confinement.CALLS, reason="no seccomp filter for this architecture")
def test_no_memory_becomes_executable() -> None:
    outcomes = run_hostile(
        "confinement.confine()\n"
        "told = {'plain': outcome(lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE)),"
        " 'executable': outcome(lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC))}"
    )
    assert outcomes == {"plain": "done", "executable": "EPERM"}


def test_without_the_filter_of_calls_the_other_layers_hold() -> None:
    outcomes = run_hostile(
        "confinement._filter_calls = lambda machine: None\nconfinement.confine()\n"
        "told = {name: outcome(one) for name, one in attempts.items()}"
    )
    assert set(outcomes.values()) <= {"EPERM", "EACCES", "EMFILE", "EAGAIN", "ESRCH"}, outcomes


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change to another user")
def test_started_by_root_each_decoder_is_a_user_of_its_own() -> None:
    script = "confinement._filter_calls = lambda machine: None\nconfinement.confine()\ntold = {'users': os.getresuid()}"
    first, second = (run_hostile(script)["users"] for _ in range(2))
    assert len({*first}) == len({*second}) == 1
    assert 0 not in {*first, *second}


def test_no_core_file_is_written_and_nothing_is_inherited() -> None:
    # A core dump would contain a child's voice.
    outcomes = run_hostile(
        "import resource\nheld = len(os.listdir('/proc/self/fd'))\nenvironment = sorted(os.environ)\n"
        "confinement._filter_calls = lambda machine: None\nconfinement.confine()\n"
        "told = {'core': resource.getrlimit(resource.RLIMIT_CORE), 'file': resource.getrlimit(resource.RLIMIT_FSIZE),"
        " 'held': held, 'environment': environment, 'dumpable': libc.prctl(3, 0, 0, 0, 0)}"
    )
    assert outcomes["core"] == outcomes["file"] == [0, 0]
    assert outcomes["held"] <= 4
    assert set(outcomes["environment"]) <= {"LC_CTYPE"}
    assert outcomes["dumpable"] == 0
