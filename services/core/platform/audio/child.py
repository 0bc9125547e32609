"""The decoding process: one recording, then it exits. It is confined before it reads the recording.

Standard input carries ``length (4 bytes) | JSON | length (4) | recording``, standard output the same shape.
"""

from __future__ import annotations

import io
import json
import os
import struct
import sys
import wave
from typing import IO

import av.logging

from services.core.platform.audio.confinement import confine
from services.core.platform.audio.containers import NotReadableError
from services.core.platform.audio.decoding import TooLongError, examine
from services.core.platform.audio.rendering import DoesNotFitError, render
from services.core.platform.audio.rules import Form


def write_frame(out: IO[bytes], head: dict[str, object], body: bytes = b"") -> None:
    """Write a head and a body."""
    packed = json.dumps(head).encode()
    out.write(struct.pack(">I", len(packed)) + packed + struct.pack(">I", len(body)) + body)
    out.flush()


def read_frame(source: IO[bytes]) -> tuple[dict[str, object], bytes] | None:
    """Read a head and a body; None when the other side has closed the pipe."""
    parts = []
    for _ in range(2):
        length = source.read(4)
        if len(length) < 4:  # noqa: PLR2004
            return None
        parts.append(source.read(struct.unpack(">I", length)[0]))
    return json.loads(parts[0]), parts[1]


def warm_up() -> None:
    """Run every kind of job once, on silence: libraries load parts at their first use, and cannot once confined."""
    file = io.BytesIO()
    with wave.open(file, "wb") as silence:
        silence.setparams((1, 2, 8_000, 0, "NONE", ""))
        silence.writeframes(bytes(3_200))
    for form in Form:
        made, _ = render(file.getvalue(), form, None)
        examine(made)
    for broken in (b"OggS" + bytes(99), b"none"):
        work({"job": "examine"}, broken)


def work(head: dict[str, object], clip: bytes) -> tuple[dict[str, object], bytes]:
    """Run one job and return its answer; a fault of the recording is an answer and not an exception."""
    try:
        named = head.get("declared")
        declared = named if isinstance(named, str) else None
        if head["job"] == "examine":
            return examine(clip, declared), b""
        most = head.get("max_bytes")
        maximum = most if isinstance(most, int) else None
        made, properties = render(clip, Form(str(head["form"])), maximum, declared)
    except NotReadableError:
        return {"error": "not_readable"}, b""
    except TooLongError:
        return {"error": "too_long"}, b""
    except DoesNotFitError:
        return {"error": "does_not_fit"}, b""
    except MemoryError:
        return {"error": "not_readable"}, b""
    return properties, made


def main() -> None:
    """Read one job from standard input and write its answer to standard output."""
    source, out = sys.stdin.buffer, sys.stdout.buffer
    # FFmpeg's log messages about a recording are discarded.
    av.logging.set_level(None)
    warm_up()
    confine()
    job = read_frame(source)
    if job is not None:
        answer, body = work(*job)
        write_frame(out, answer, body)
    out.flush()
    # Exit without clean-up: no code that the recording may have reached runs any more.
    os._exit(0)


if __name__ == "__main__":
    main()
