"""The process that decodes: one recording, then it ends. No files, no network, little memory, little time.

Standard input brings ``length (4 bytes) | JSON | length (4) | recording``, standard output takes the same shape back.
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
from services.core.platform.audio.decoding import NotReadableError, TooLongError, examine
from services.core.platform.audio.rendering import DoesNotFitError, render
from services.core.platform.audio.rules import Form


def write_frame(out: IO[bytes], head: dict[str, object], body: bytes = b"") -> None:
    """Write a head and a body."""
    packed = json.dumps(head).encode()
    out.write(struct.pack(">I", len(packed)) + packed + struct.pack(">I", len(body)) + body)
    out.flush()


def read_frame(source: IO[bytes]) -> tuple[dict[str, object], bytes] | None:
    """Read a head and a body; None: the other side is gone."""
    parts = []
    for _ in range(2):
        length = source.read(4)
        if len(length) < 4:  # noqa: PLR2004
            return None
        parts.append(source.read(struct.unpack(">I", length)[0]))
    return json.loads(parts[0]), parts[1]


def warm_up() -> None:
    """Do every kind of job once, on silence: what libraries load when first used can no longer be opened later."""
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
    """Do one job and return its answer; whatever is wrong with the recording is an answer, too."""
    try:
        if head["job"] == "examine":
            return examine(clip), b""
        most = head.get("max_bytes")
        made, told = render(clip, Form(str(head["form"])), most if isinstance(most, int) else None)
    except NotReadableError:
        return {"error": "not_readable"}, b""
    except TooLongError:
        return {"error": "too_long"}, b""
    except DoesNotFitError:
        return {"error": "does_not_fit"}, b""
    except MemoryError:
        return {"error": "not_readable"}, b""
    return told, made


def main() -> None:
    """Take one job from standard input and answer it on standard output."""
    source, out = sys.stdin.buffer, sys.stdout.buffer
    # FFmpeg's own words about a recording go nowhere.
    av.logging.set_level(None)
    warm_up()
    confine()
    job = read_frame(source)
    if job is not None:
        answer, body = work(*job)
        write_frame(out, answer, body)
    out.flush()
    # Nothing is worth tidying up, and nothing of the recording is to run any more.
    os._exit(0)


if __name__ == "__main__":
    main()
