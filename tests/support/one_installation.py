"""The whole product on this machine, one for all test files of a process that need it, and gone after the last of them.

A fixture cannot do this: one that a second folder imports is a second one, and each lives until the end of the run.
Starting everything takes eleven seconds of a processor, and what idles takes a twenty-fifth of one.
"""

from __future__ import annotations

import contextlib
import multiprocessing.util
import shutil
import tempfile
from pathlib import Path

from services.devstack.installation import Installation

_stop = contextlib.ExitStack()
_running: list[Installation] = []


def running_installation() -> Installation:
    """Return it, started if it is not running; Postgres as durable as in the field, since tests kill it."""
    if not _running:
        folder = Path(tempfile.mkdtemp(prefix="smartwatch-e2e-"))
        _stop.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)
        _running.append(_stop.enter_context(Installation.acquire(folder / "var", "e2e", announce=print)))
        _stop.callback(_running.clear)
        # For a run that is interrupted: at the end of this process, also of a forked one, which skips atexit.
        multiprocessing.util.Finalize(None, stop_installation, exitpriority=10)
    return _running[0]


def stop_installation() -> None:
    """Stop it, if it is running."""
    _stop.close()
