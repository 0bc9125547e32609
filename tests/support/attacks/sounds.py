"""Recordings that mean harm: playlists, two things at once, a day in a kilobyte, and damage by the thousand."""

from __future__ import annotations

import io
import random
import struct
import wave
import zipfile
import zlib
from fractions import Fraction

import av
from av.audio.stream import AudioStream

from services.core.platform.audio.rules import Media
from tests.support.sounds import spoken

# Of a playlist: a file and an address that must never be opened.
FILE, ADDRESS = "file:{file}", "http://127.0.0.1:{port}/a.mp3"
PLAYLISTS = {
    "m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{ADDRESS}\n#EXTINF:2,\n{FILE}\n#EXT-X-ENDLIST\n",
    "extm3u": f"#EXTM3U\n{FILE}\n{ADDRESS}\n",
    "concat": f"concat:{FILE}|{ADDRESS}",
    "ffconcat": f"ffconcat version 1.0\nfile '{FILE}'\nfile '{ADDRESS}'\n",
    "dash": (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT2S">'  # noqa: E501
        f"<Period><AdaptationSet><Representation id='1'><BaseURL>{ADDRESS}</BaseURL></Representation></AdaptationSet>"
        "</Period></MPD>"
    ),
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio {port} RTP/AVP 0\n",
    "asx": f"<asx version='3.0'><entry><ref href='{ADDRESS}'/></entry></asx>",
    "svg": f"<svg xmlns='http://www.w3.org/2000/svg'><image href='{ADDRESS}'/></svg>",
}


def playlist(kind: str, file: str, port: int) -> bytes:
    """Return a playlist that names this file and this port."""
    return PLAYLISTS[kind].replace("{file}", file).replace("{port}", str(port)).encode()


def behind_magic(kind: str, file: str, port: int) -> dict[str, bytes]:
    """Return the same playlist behind the first bytes of every kind that is taken."""
    text = playlist(kind, file, port)
    return {
        "amr": b"#!AMR\n" + text,
        "ogg": b"OggS" + text,
        "webm": b"\x1aE\xdf\xa3" + text,
        "mp4": b"\x00\x00\x00\x18ftypM4A " + text,
        "wav": b"RIFF\x00\x00\x00\x00WAVE" + text,
        "mp3": b"ID3\x04\x00\x00\x00\x00\x00\x00" + text,
        "adts": b"\xff\xf1\x50\x40" + text,
        "adts behind id3": b"ID3\x04\x00\x00\x00\x00\x00\x00\xff\xf1\x50\x40" + text,
        "aiff": b"FORM\x00\x00\x00\x00AIFF" + text,
        "aifc": b"FORM\x00\x00\x00\x00AIFC" + text,
        "caf": b"caff\x00\x01\x00\x00" + text,
        "flac": b"fLaC\x00\x00\x00\x22" + text,
        "3gp": b"\x00\x00\x00\x18ftyp3gp4" + text,
    }


# ---------------------------------------------------------------- two things at once


def polyglots() -> dict[str, tuple[bytes, Media | None]]:
    """Return files that other programs read as something else, and the one sound each may be taken for."""
    mp3, ogg, wav_file = spoken(Media.MP3), spoken(Media.OGG_OPUS), spoken(Media.WAV)
    page = b"<html><script>fetch('http://127.0.0.1/')</script></html>"
    return {
        "zip behind mp3": (mp3 + zipped(), Media.MP3),
        "zip before mp3": (zipped() + mp3, None),
        "ogg in png": (picture(ogg), None),
        "png behind ogg": (ogg + picture(b""), Media.OGG_OPUS),
        "html in id3": (tagged(page) + mp3, Media.MP3),
        "pdf before wav": (b"%PDF-1.4\n%EOF\n" + wav_file, None),
        "pdf behind wav": (wav_file + b"\n%PDF-1.4\n%EOF\n", Media.WAV),
        "playlist in id3": (tagged(b"#EXTM3U\nfile:/etc/passwd\n") + mp3, Media.MP3),
        "jpeg as cover of m4a": (with_cover(spoken(Media.MP4_AAC), b"\xff\xd8\xff\xe0" + page), Media.MP4_AAC),
        "wav called mp3": (b"ID3" + wav_file, None),
        "script before amr": (b"#!/bin/sh\n" + spoken(Media.AMR_NB), None),
    }


def zipped() -> bytes:
    """Return a ZIP archive of one file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        out.writestr("run.js", "alert(1)")
    return file.getvalue()


def picture(hidden: bytes) -> bytes:
    """Return a PNG of one pixel with ``hidden`` in a chunk of its own."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", head), chunk(b"prVt", hidden), chunk(b"IDAT", zlib.compress(b"\0\0")), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def tagged(text: bytes) -> bytes:
    """Return an ID3v2.3 tag with a comment."""
    body = b"\0eng\0" + text
    frame = b"COMM" + struct.pack(">I", len(body)) + b"\0\0" + body
    size = bytes(len(frame) >> shift & 127 for shift in (21, 14, 7, 0))
    return b"ID3\x03\x00\x00" + size + frame


def with_cover(m4a: bytes, cover: bytes) -> bytes:
    """Return an M4A with iTunes metadata (a cover, a name) in a box behind everything else."""
    covr = box(b"covr", box(b"data", struct.pack(">II", 13, 0) + cover))
    name = box(b"\xa9nam", box(b"data", struct.pack(">II", 1, 0) + b"<b>Mei</b>"))
    meta = box(b"meta", bytes(4) + box(b"hdlr", bytes(8) + b"mdirappl" + bytes(9)) + box(b"ilst", covr + name))
    return m4a + box(b"moov", box(b"udta", meta))


# ---------------------------------------------------------------- more than there seems to be


def box(name: bytes, *parts: bytes) -> bytes:
    """Return an MP4 box (ISO/IEC 14496-12)."""
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + name + body


def endless_m4a(seconds: int, *, samples_said: int | None = None, reference: bytes | None = None) -> bytes:
    """Return an M4A of a few kilobytes that decodes to ``seconds`` of silence: its index names the same bytes again.

    ``samples_said`` is what the index claims instead; ``reference`` is where it says that its sound is kept.
    """
    frame, config = _silent_aac()
    samples = -(-seconds * 8_000 // 1_024)
    in_chunk = min(500, samples)
    chunks = -(-samples // in_chunk)
    samples = chunks * in_chunk if samples_said is None else samples_said
    esds = bytes(4) + _descriptor(
        3, b"\0\0\0", _descriptor(4, b"\x40\x15", bytes(11), _descriptor(5, config)), _descriptor(6, b"\2")
    )
    entry = box(
        b"mp4a", bytes(6), b"\0\1", bytes(8), struct.pack(">HHHH", 1, 16, 0, 0), struct.pack(">I", 8_000 << 16),
        box(b"esds", esds),
    )  # fmt: skip
    source = box(b"url ", b"\0\0\0\1") if reference is None else box(b"url ", bytes(4) + reference + b"\0")
    first_byte = 8 + 8

    def full(name: bytes, *numbers: int) -> bytes:
        return box(name, bytes(4), *(struct.pack(">I", number) for number in numbers))

    table = box(
        b"stbl",
        box(b"stsd", bytes(4), struct.pack(">I", 1), entry),
        full(b"stts", 1, samples, 1_024),
        full(b"stsc", 1, 1, in_chunk, 1),
        full(b"stsz", len(frame), samples),
        full(b"stco", chunks, *([16 + first_byte] * chunks)),
    )
    media = box(
        b"mdia", full(b"mdhd", 0, 0, 8_000, samples * 1_024 & 0xFFFFFFFF, 0x55C40000),
        box(b"hdlr", bytes(8), b"soun", bytes(13)),
        box(b"minf", box(b"smhd", bytes(8)), box(b"dinf", box(b"dref", bytes(4), struct.pack(">I", 1), source)), table),
    )  # fmt: skip
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    track = box(b"trak", box(b"tkhd", struct.pack(">6I", 7, 0, 0, 1, 0, 0), bytes(16), matrix, bytes(8)), media)
    movie = box(
        b"mvhd", bytes(12), struct.pack(">IIIH", 1_000, 0, 0x10000, 0x100), bytes(10), matrix, bytes(24), b"\0\0\0\2"
    )
    return box(b"ftyp", b"M4A ", b"\0\0\0\0", b"M4A isom") + box(b"mdat", frame * in_chunk) + box(b"moov", movie, track)


def _descriptor(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes([tag, len(body)]) + body


def _silent_aac() -> tuple[bytes, bytes]:
    """Return a frame of silence, and the codec's configuration."""
    with av.open(io.BytesIO(), "w", format="adts") as out:
        stream = out.add_stream("aac", rate=8_000, layout="mono")
        assert isinstance(stream, AudioStream)
        packets = []
        for number in range(6):
            frame = av.AudioFrame(format="fltp", layout="mono", samples=1_024)
            frame.planes[0].update(bytes(4_096))
            frame.sample_rate, frame.pts, frame.time_base = 8_000, number * 1_024, Fraction(1, 8_000)
            packets += [bytes(packet) for packet in stream.encode(frame)]
        assert packets[-1] == packets[-2]
        # AAC-LC (2), 8 kHz (11), one channel: ISO/IEC 14496-3, section 1.6.2.1.
        return packets[-1], (2 << 11 | 11 << 7 | 1 << 3).to_bytes(2, "big")


def tiny_amr_frames(seconds: int) -> bytes:
    """Return AMR-NB of one byte a frame: fifty times "nothing to say" a second."""
    return b"#!AMR\n" + b"\x7c" * (seconds * 50)


def boastful_wav() -> bytes:
    """Return a WAV of a tenth of a second whose header claims 2 GiB."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((1, 2, 8_000, 0, "NONE", ""))
        out.writeframes(bytes(1_600))
    made = bytearray(file.getvalue())
    made[4:8] = made[40:44] = struct.pack("<I", 2**31 - 1)
    return bytes(made)


def greedy_wav() -> bytes:
    """Return a WAV of 65,535 channels at 4 GHz."""
    head = struct.pack("<HHIIHH", 1, 65_535, 2**32 - 1, 2**32 - 1, 65_535, 16)
    return b"RIFF" + struct.pack("<I", 100_036) + b"WAVEfmt \x10\0\0\0" + head + b"data\xa0\x86\1\0" + bytes(100_000)


# ---------------------------------------------------------------- damage


def mutated(clip: bytes, seed: int) -> bytes:
    """Return the clip after one to four kinds of damage, the same for the same seed."""
    chance = random.Random(seed)
    made = bytearray(clip)
    for _ in range(chance.randint(1, 4)):
        chance.choice(_DAMAGE)(made, chance)
    return bytes(made)


def _flip(made: bytearray, chance: random.Random) -> None:
    # Headers are small, and what is in them matters more: every second flip is there.
    end = min(len(made), 600) if chance.random() < 0.5 else len(made)
    for _ in range(chance.choice((1, 1, 4, 40))):
        if end:
            made[chance.randrange(end)] ^= 1 << chance.randrange(8)


def _cut(made: bytearray, chance: random.Random) -> None:
    start, end = _span(made, chance)
    if chance.random() < 0.5:
        del made[start:]
    else:
        del made[start:end]


def _insert(made: bytearray, chance: random.Random) -> None:
    start, _ = _span(made, chance)
    filling = chance.choice((b"\0", b"\xff", b"")) * chance.choice((1, 8, 500))
    made[start:start] = filling or chance.randbytes(chance.choice((1, 8, 500)))


def _repeat(made: bytearray, chance: random.Random) -> None:
    start, end = _span(made, chance)
    made[end:end] = made[start:end] * chance.choice((1, 3))


def _swap(made: bytearray, chance: random.Random) -> None:
    size = chance.choice((4, 16, 256))
    first, second = (chance.randrange(max(1, len(made) - size)) for _ in range(2))
    made[first : first + size], made[second : second + size] = (
        made[second : second + size], made[first : first + size],
    )  # fmt: skip


def _number(made: bytearray, chance: random.Random) -> None:
    start = chance.randrange(max(1, min(len(made), 2_000)))
    made[start : start + 4] = struct.pack(">I", chance.choice((0, 1, 2**16, 2**31 - 1, 2**31, 2**32 - 1)))


def _span(made: bytearray, chance: random.Random) -> tuple[int, int]:
    start = chance.randrange(len(made) + 1)
    return start, min(len(made), start + chance.choice((1, 16, 200, 3_000)))


_DAMAGE = (_flip, _flip, _cut, _insert, _repeat, _swap, _number)
