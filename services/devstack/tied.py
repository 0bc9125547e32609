"""Child processes tied to this one: when it dies, also by SIGKILL, they receive a signal and exit.

`setpriv --pdeathsig` (util-linux 2.33) asks the kernel for that signal. The kernel counts the *thread* that
started the child as its parent, so one thread, which lives as long as the process, starts them all: a child
started from a short-lived worker thread would be ended in the middle of its work.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import IO

_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="starts-children")

Child = subprocess.Popen[bytes]


@cache
def can_tie() -> bool:
    """Return whether this machine can end the children of a killed process (Linux with util-linux; not macOS)."""
    setpriv = shutil.which("setpriv")
    if sys.platform != "linux" or setpriv is None:
        return False
    probe = subprocess.run([setpriv, "--pdeathsig", "TERM", "true"], capture_output=True, check=False)
    return probe.returncode == 0


def tied(command: Sequence[str], when_orphaned: signal.Signals) -> list[str]:
    """Return the command wrapped to receive a signal when its parent dies; unchanged where that is impossible."""
    if not can_tie():
        return list(command)
    return ["setpriv", "--pdeathsig", when_orphaned.name.removeprefix("SIG"), "--", *command]


def start_child(
    command: Sequence[str],
    *,
    log: IO[bytes],
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Child:
    """Start a command with its output in a log and in a session of its own.

    The session keeps a Ctrl-C in the terminal from reaching it: its parent decides what stops in which order.
    Use with a command made by `tied`. Raises OSError when the program cannot be started.
    """
    return _starter.submit(
        subprocess.Popen,
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=dict(os.environ if environment is None else environment),
        cwd=folder,
        start_new_session=True,
    ).result()


def stop_child(child: Child, *steps: tuple[signal.Signals, float]) -> int:
    """Send each signal and wait its seconds for the exit; send SIGKILL after the last. Return the exit code.

    A child that has exited is left alone, so that a repeat does nothing.
    """
    for number, grace_s in steps:
        if child.poll() is not None:
            break
        child.send_signal(number)
        try:
            return child.wait(timeout=grace_s)
        except subprocess.TimeoutExpired:
            continue
    if child.poll() is None:
        child.kill()
    return child.wait()
