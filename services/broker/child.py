"""Starts Mosquitto so that it ends with this process and, under root, runs as a user of its own."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from services.broker.binary import library_folders
from services.broker.files import Owner

_PR_SET_PDEATHSIG = 1


def _prepare_child() -> Callable[[], None]:
    """Return the function that the child runs between fork and exec; it imports and looks up nothing there."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    parent = os.getpid()

    def prepare() -> None:
        if libc is not None:
            # After the change of user, which clears the signal. At SIGTERM Mosquitto saves its queues and ends.
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(1)  # the parent ended before prctl

    return prepare


async def start_mosquitto(
    binary: Path, folder: Path, owner: Owner | None, keep_open: tuple[int, ...]
) -> asyncio.subprocess.Process:
    """Start ``binary`` in ``folder``, as ``owner`` if given, with its log on a pipe.

    Mosquitto must not change its user by itself, because that clears the signal which ends it with this process. Under
    root, binary and libraries may lie below a folder that its user cannot enter (a checkout in root's home). They are
    therefore named through open descriptors, which need no right on the folders above them. Mosquitto reaches its own
    files from its working folder.
    ``keep_open`` are descriptors the child holds as long as it lives. Its limit of open files is this process's, which
    raised it at its start: each watch needs one of Mosquitto's.
    """
    descriptors: list[int] = []

    def reachable(place: Path) -> str:
        if owner is None or not Path("/proc/self/fd").is_dir():
            return str(place)
        descriptors.append(os.open(place, os.O_PATH | os.O_DIRECTORY))
        return f"/proc/self/fd/{descriptors[-1]}"

    environment = {key: value for key, value in os.environ.items() if not key.startswith("SMARTWATCH_")}
    try:
        # Resolving a local path takes microseconds; a thread takes longer.
        real = binary.resolve()  # noqa: ASYNC240
        libraries = [reachable(place) for place in library_folders(binary)]
        if libraries:
            environment["LD_LIBRARY_PATH"] = ":".join(libraries)
        program = f"{reachable(real.parent)}/{real.name}"
        return await asyncio.create_subprocess_exec(
            program,
            "-c",
            "mosquitto.conf",
            cwd=folder,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            user=None if owner is None else owner.uid,
            group=None if owner is None else owner.gid,
            extra_groups=None if owner is None else [],
            pass_fds=(*keep_open, *descriptors),
            preexec_fn=_prepare_child(),  # prctl is possible only here, and takes no lock
            start_new_session=True,  # Ctrl-C reaches this process alone, which then ends Mosquitto in order
        )
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
