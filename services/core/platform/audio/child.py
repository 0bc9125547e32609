"""The work of a decoding process: one recording, then it exits. It is confined before it reads the recording.

Standard input carries ``length (4 bytes) | JSON | length (4) | recording``, standard output the same shape.
"""

from __future__ import annotations

import io
import json
import os
import struct
import wave
from typing import IO

from services.core.platform.audio.containers import NotReadableError
from services.core.platform.audio.decoding import TooLongError, examine
from services.core.platform.audio.rendering import DoesNotFitError, render
from services.core.platform.audio.rules import Form, Media, original_will_do


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
        form = Form(str(head["form"]))
        if head["job"] == "transcode":
            return _transcode(clip, form, maximum, declared)
        made, properties = render(clip, form, maximum, declared)
    except (NotReadableError, MemoryError):
        return {"error": "not_readable"}, b""
    except TooLongError:
        return {"error": "too_long"}, b""
    except DoesNotFitError:
        return {"error": "does_not_fit"}, b""
    return properties, made


def _transcode(
    clip: bytes, form: Form, maximum: int | None, declared: str | None
) -> tuple[dict[str, object], bytes]:  # fmt: skip
    """Examine a recording, then render it unless it plays as it is; that it does not fit is part of the answer."""
    examined = examine(clip, declared)
    if original_will_do(Media(str(examined["media"])), int(str(examined["channels"])), len(clip), form, maximum):
        return {"examined": examined}, b""
    try:
        made, properties = render(clip, form, maximum, declared)
    except DoesNotFitError:
        return {"examined": examined, "does_not_fit": True}, b""
    return {"examined": examined, **properties}, made


def run_one_job() -> None:
    """Read one job from standard input, write its answer to standard output, and exit."""
    with open(0, "rb", closefd=False) as source, open(1, "wb", closefd=False) as out:
        job = read_frame(source)
        if job is not None:
            answer, body = work(*job)
            write_frame(out, answer, body)
        # Exit without clean-up: no code that the recording may have reached runs any more.
        os._exit(0)
