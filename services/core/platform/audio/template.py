"""The process that decoders are forked from: loaded and warm, it holds no key, no connection and no recording.

It is started with an empty environment and its niceness, and reads nothing but its owner's requests from standard
input, a socket that keeps messages apart: ``F`` and a number, with a socket for the job: fork a decoder; ``K`` and a
number: kill that one.
It answers ``E`` and the number when a decoder has ended. A decoder is confined before it reads its job, reads one
recording and exits; it ends with the template, and the template with its owner.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import sys
from pathlib import Path

import av.logging

from services.core.platform.audio.child import run_one_job, warm_up
from services.core.platform.audio.confinement import confine
from services.core.platform.audio.orders import ENDED, FORK, MESSAGE
from services.core.platform.memory_access import deny_memory_access


class Template:
    """Forks decoders until its owner closes the socket."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._numbers: dict[int, int] = {}  # by process id; a process that is in here has not been waited for

    def serve(self) -> None:
        """Do what the owner asks."""
        signal.signal(signal.SIGCHLD, lambda *_: self._wait_for_ended())
        while True:
            message, descriptors, _, _ = socket.recv_fds(self._control, MESSAGE.size, 1)
            if len(message) < MESSAGE.size:
                return
            order, number = MESSAGE.unpack(message)
            # No decoder is waited for before it is known, or while it is looked up.
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
            if order == FORK:
                self._fork(number, descriptors[0])
            else:
                self._kill(number)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})

    def _fork(self, number: int, job: int) -> None:
        process_id = os.fork()
        if process_id == 0:
            with contextlib.suppress(BaseException):
                self._become_decoder(job)
            os._exit(1)
        os.close(job)
        self._numbers[process_id] = number

    def _become_decoder(self, job: int) -> None:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        # A group of its own in the session of the template, whose niceness as a whole it then has.
        os.setpgid(0, 0)
        self._control.close()
        os.dup2(job, 0)
        os.dup2(job, 1)
        os.close(job)
        confine()
        run_one_job()

    def _kill(self, number: int) -> None:
        for process_id, known in self._numbers.items():
            if known == number:
                os.kill(process_id, signal.SIGKILL)

    def _wait_for_ended(self) -> None:
        with contextlib.suppress(ChildProcessError, OSError):
            while (process_id := os.waitpid(-1, os.WNOHANG)[0]) != 0:
                self._control.send(MESSAGE.pack(ENDED, self._numbers.pop(process_id)))


def _give_way(niceness: int) -> None:
    """Let the template and its decoders give way. Linux may share the processor among sessions: then theirs does."""
    if niceness > 0:
        os.nice(niceness)
        with contextlib.suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(niceness), encoding="ascii")


def main() -> None:
    """Load everything, then fork."""
    deny_memory_access()
    _give_way(int(sys.argv[1]))
    # FFmpeg's log messages about a recording are discarded.
    av.logging.set_level(None)
    warm_up()
    # Decoders share the memory of what is loaded: a collection would write to it.
    gc.collect()
    gc.freeze()
    control = socket.socket(fileno=os.dup(sys.stdin.fileno()))
    Template(control).serve()
    os._exit(0)


if __name__ == "__main__":
    main()
