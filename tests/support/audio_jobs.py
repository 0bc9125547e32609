"""A process that does jobs as the audio child does, each in a limited copy of itself: 20 times as many.

`python -I tests/support/audio_jobs.py`; both directions are frames of the child's own. An answer has the child's
answer, or the signal that ended it, with what it took.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time

import av.logging

from services.core.platform.audio.child import read_frame, warm_up, work, write_frame
from services.core.platform.audio.confinement import confine

DEADLINE_S = 20.0


def run_job(head: dict[str, object], clip: bytes) -> dict[str, object]:
    """Do one job in a limited copy of this process."""
    reading, writing = os.pipe()
    began_s = time.monotonic()
    process = os.fork()
    if not process:
        confine()
        answer, _ = work(head, clip)
        with os.fdopen(writing, "wb") as out:
            write_frame(out, answer)
        os._exit(0)
    os.close(writing)
    is_late = not select.select([reading], [], [], DEADLINE_S)[0]
    if is_late:
        os.kill(process, signal.SIGKILL)
    with os.fdopen(reading, "rb") as source:
        frame = read_frame(source)
    _, status, usage = os.wait4(process, 0)
    return {
        "answer": None if frame is None else frame[0],
        "is_late": is_late,
        "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0,
        "peak_kib": usage.ru_maxrss,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "took_s": time.monotonic() - began_s,
    }


def main() -> None:
    """Answer jobs until standard input ends."""
    av.logging.set_level(None)
    warm_up()
    while (job := read_frame(sys.stdin.buffer)) is not None:
        write_frame(sys.stdout.buffer, run_job(*job))


if __name__ == "__main__":
    main()
