"""A process that holds keys keeps every other process of its user out of its memory."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# Two processes of one user, neither of them privileged: the second tries to read where the first has its memory.
SCRIPT = """
import ctypes, os, sys
from services.core.platform.memory_access import deny_memory_access
def as_user(work):
    ready_r, ready_w = os.pipe(); end_r, end_w = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(end_w)
        if os.geteuid() == 0:
            os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
            ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # a change of user makes a process undumpable
        work(); os.write(ready_w, b"1"); os.read(end_r, 1); os._exit(0)
    os.close(ready_w); os.read(ready_r, 1)
    return process, end_w
def tries(target):
    def work():
        try:
            open(f"/proc/{target}/maps").read(); print("read", flush=True)
        except PermissionError:
            print("refused", flush=True)
    _, end = as_user(work); os.close(end)
for protect in (lambda: None, deny_memory_access):
    target, end = as_user(protect); tries(target); os.close(end)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux")
def test_another_process_of_the_same_user_can_read_nothing() -> None:
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-I", "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["read", "refused"]


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux")
def test_every_command_of_ours_is_such_a_process() -> None:
    script = (
        "import ctypes, contextlib\nfrom services.cli.main import main\n"
        "with contextlib.suppress(SystemExit): main(['--help'])\n"
        "print('dumpable', ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))\n"
    )
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True, timeout=60,
        env={**os.environ},
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "dumpable 0"
