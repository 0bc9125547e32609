"""Rules of recordings: their chunks, their end, their recipient."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any, Final

from services.device_sim.conformance.bench import WatchBench
from services.device_sim.conformance.frames import Frame
from services.protocol import limits
from services.protocol.topics import Uplink

_HEADERS: Final = {"amr-nb": b"#!AMR\n", "opus": b"OggS"}


class ClipRules:
    """Puts chunks together and compares them with their `end`."""

    def __init__(self, bench: WatchBench) -> None:
        self._bench = bench
        self._verdicts = bench.verdicts
        self._chunks: dict[str, dict[int, bytes]] = {}
        self._began_on: dict[str, int] = {}

    def take_chunk(self, topic: Uplink, frame: Frame) -> None:
        """Keep a chunk; judge its size and form."""
        chunk, shown = frame.payload, frame.shown()
        if self._bench.hello.get("binary") is False:
            try:
                chunk = base64.b64decode(chunk, validate=True)
            except (binascii.Error, ValueError):
                self._verdicts.broken("V8", came="bytes", expected="base64 text", frame=shown)
                return
            self._verdicts.held("V8")
        fits = 0 < len(chunk) <= limits.CHUNK_MAX_BYTES
        self._verdicts.check(
            "V1", fits, came=f"a chunk of {len(chunk)} bytes", expected=f"1 to {limits.CHUNK_MAX_BYTES}", frame=shown
        )
        self._chunks.setdefault(str(topic.ref), {})[int(topic.chunk or 0)] = chunk
        self._began_on.setdefault(str(topic.ref), frame.connection)

    def take_end(self, topic: Uplink, frame: Frame) -> None:
        """Judge a clip as its `end` describes it."""
        fields, shown, check = frame.fields, frame.shown(), self._verdicts.check
        chunks = self._chunks.get(str(topic.ref), {})
        count = int(fields.get("chunks", 0))
        short = [n for n in range(count - 1) if n in chunks and len(chunks[n]) < limits.CHUNK_MIN_BYTES]
        if short:
            came = f"chunk {short[0]} of {len(chunks[short[0]])} bytes"
            self._verdicts.broken("V1", came=came, expected=f"{limits.CHUNK_MIN_BYTES} at least", frame=shown)
        whole = b"".join(chunks.get(number, b"") for number in range(count))
        same = (
            set(chunks) == set(range(count))
            and len(whole) == fields.get("bytes")
            and hashlib.sha256(whole).hexdigest() == str(fields.get("sha256")).lower()
        )
        # What a lost connection cut short is asked for by `missing`.
        if same or self._began_on.get(str(topic.ref), frame.connection) == frame.connection:
            check(
                "V2",
                same,
                came=f"chunks {sorted(chunks)} of {len(whole)} bytes",
                expected=f"{count} chunks of {fields.get('bytes')} bytes with this sha256",
                frame=shown,
            )
        within = len(whole) <= limits.CLIP_MAX_BYTES and (fields.get("duration_ms") or 0) <= limits.CLIP_MAX_S * 1000
        check("V3", within, came=f"{len(whole)} bytes", expected=f"{limits.CLIP_MAX_BYTES} at most", frame=shown)
        header = _HEADERS.get(str(fields.get("codec")))
        if header is not None and whole:
            came = repr(whole[: len(header)])
            check("V5", whole.startswith(header), came=came, expected=repr(header), frame=shown)
        self.judge_recipient(fields, frame)

    def judge_recipient(self, fields: dict[str, Any], frame: Frame) -> None:
        """Judge `to` against the contacts that the watch holds."""
        listed = self._bench.contacts.get("contacts", [])
        known = {"family", *(contact["id"] for contact in listed if contact.get("may_message"))}
        if listed:
            to = fields.get("to")
            expected = f"one of {', '.join(sorted(known))}"
            self._verdicts.check("V6", to in known, came=f"to {to!r}", expected=expected, frame=frame.shown())
