"""Every kind of recording that is taken, as other people's encoders write it."""

from __future__ import annotations

import hashlib
import io
import wave
from array import array
from pathlib import Path

import pytest

from services.core.platform.audio.containers import DEMUXERS
from services.core.platform.audio.errors import AudioNotReadableError
from services.core.platform.audio.rules import Form, Media
from services.core.platform.audio.sandbox import AudioSandbox
from tests.support.sounds import RECORDERS, VECTORS, samples, spoken

# 3,239.5 ms went in; an encoder adds what its frames and its delay take.
SPOKEN_MS = 3_240
ADDED_MS = {Media.MP3: 75, Media.MP4_AAC: 30, Media.MP4_OPUS: 20, Media.ADTS_AAC: 90}


def stereo(left: array[int], right: array[int]) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((2, 2, 16_000, 0, "NONE", ""))
        out.writeframes(array("h", (sample for pair in zip(left, right, strict=True) for sample in pair)).tobytes())
    return file.getvalue()


def test_the_vectors_are_those_that_the_page_tells_of() -> None:
    table = (VECTORS / "README.md").read_text()
    files = [file for file in VECTORS.iterdir() if file.is_file() and file.name != "README.md"]
    assert {file.stem for file in files} == {media.value for media in Media}
    for file in files:
        (line,) = (line for line in table.splitlines() if line.startswith(f"| {file.name} |"))
        assert hashlib.sha256(file.read_bytes()).hexdigest() in line
    assert sum(file.stat().st_size for file in files) < 500_000
    for file in RECORDERS.iterdir():
        (line,) = (line for line in table.splitlines() if line.startswith(f"| recorders/{file.name} |"))
        assert hashlib.sha256(file.read_bytes()).hexdigest() in line


def test_the_page_lists_every_accepted_kind_and_its_demuxer() -> None:
    page = (Path(__file__).parents[5] / "docs" / "audio.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("|")]
    for media in Media:
        assert any(f"`{media.value}`" in row for row in rows), media
    # Each demuxer is a surface for attacks: a new one is added here on purpose, with vectors and damage.
    assert {"aac", "aiff", "amr", "caf", "flac", "matroska", "mov", "mp3", "ogg", "wav"} == DEMUXERS


@pytest.mark.parametrize("media", Media)
async def test_speech_is_known_for_what_it_is(sandbox: AudioSandbox, media: Media) -> None:
    examined = await sandbox.examine(spoken(media))
    assert (examined.media, examined.channels) == (media, 1)
    assert abs(examined.duration_ms - SPOKEN_MS - ADDED_MS.get(media, 0)) <= 10
    # 0.4 of 3.24 s are silent before and after the words: the first and the last five of 44 bars.
    assert examined.bars[:5] == (0,) * 5
    assert examined.bars[-5:] == (0,) * 5
    assert max(examined.bars) == 100
    assert sum(bar > 30 for bar in examined.bars) >= 25


async def test_every_kind_draws_the_same_picture(sandbox: AudioSandbox) -> None:
    plain = (await sandbox.examine(spoken(Media.WAV))).bars
    for media in Media:
        bars = (await sandbox.examine(spoken(media))).bars
        # An encoder's delay moves the picture by a bar at most.
        off = [min(abs(bar - near) for near in plain[max(0, n - 1) : n + 2]) for n, bar in enumerate(bars)]
        assert sum(off) / len(off) < 4, media


async def test_bars_follow_the_sound(sandbox: AudioSandbox) -> None:
    loud, quiet, nothing = samples(1.1, level=0.5), samples(1.1, level=0.05), array("h", bytes(2 * 17_600))
    four = stereo(nothing + quiet + loud + nothing, nothing + quiet + loud + nothing)
    examined = await sandbox.examine(four)
    assert examined.channels == 2
    assert examined.duration_ms == 4_400
    assert examined.bars[:11] == (0,) * 11
    # The resampler rings a little into the silence.
    assert examined.bars[34:] == (0,) * 10
    assert max(examined.bars[22:33]) == 100
    # 20 dB below the loudest: 44 of 100.
    assert abs(max(examined.bars[12:21]) - 44) <= 2
    assert 5 < min(examined.bars[12:21]) < min(examined.bars[23:32])


async def test_silence_has_flat_bars(sandbox: AudioSandbox) -> None:
    assert (await sandbox.examine(stereo(array("h", bytes(32_000)), array("h", bytes(32_000))))).bars == (0,) * 44


async def test_a_recording_that_was_cut_off_is_known_as_far_as_it_goes(sandbox: AudioSandbox) -> None:
    for media in (Media.AMR_NB, Media.AMR_WB, Media.OGG_OPUS, Media.WEBM_OPUS, Media.MP3, Media.WAV, Media.MP4_AAC):
        whole = spoken(media)
        examined = await sandbox.examine(whole[: len(whole) * 2 // 3])
        assert examined.media is media
        # Ogg is cut at the last whole page.
        assert 900 < examined.duration_ms < 3_000, media


# Recordings of phones that were once refused; all last 3 s.
RECORDED = {
    "adts.aac": Media.ADTS_AAC,
    "aiff.aiff": Media.AIFF,
    "alac.m4a": Media.MP4_ALAC,
    "android-3gp-amrnb.3gp": Media.MP4_AMR_NB,
    "flac.flac": Media.FLAC,
    "ima-adpcm.wav": Media.WAV,
    "pcm.caf": Media.CAF,
}


@pytest.mark.parametrize(("name", "media"), RECORDED.items())
async def test_what_phones_record_is_known_and_made_into_every_form(
    sandbox: AudioSandbox, name: str, media: Media
) -> None:
    recording = (RECORDERS / name).read_bytes()
    examined = await sandbox.examine(recording)
    assert (examined.media, examined.channels) == (media, 1)
    # A block of ADPCM and a frame of AAC are filled up.
    assert abs(examined.duration_ms - 3_000) < 70
    for form in Form:
        made = await sandbox.render(recording, form)
        assert abs(made.duration_ms - 3_000) < 70, form


@pytest.mark.parametrize(("kind", "header"), [("amr-nb", b"#!AMR\n"), ("amr-wb", b"#!AMR-WB\n")])
async def test_amr_without_its_header_is_known_by_the_declared_codec_alone(
    sandbox: AudioSandbox, kind: str, header: bytes
) -> None:
    whole = spoken(Media(kind))
    bare = whole.removeprefix(header)
    assert len(bare) == len(whole) - len(header)
    assert await sandbox.examine(bare, declared=kind) == await sandbox.examine(whole)
    made = await sandbox.render(bare, Form.PHONE, declared=kind)
    assert abs(made.duration_ms - SPOKEN_MS) <= 10
    for declared in (None, "opus", "mp3", "AMR"):
        with pytest.raises(AudioNotReadableError):
            await sandbox.examine(bare, declared=declared)
    # A declaration makes nothing of what is no AMR.
    for other in (bytes(range(256)) * 4, b"", b"\x00", b"<html></html>", b"\xff" * 99):
        with pytest.raises(AudioNotReadableError):
            await sandbox.examine(other, declared=kind)


async def test_the_case_from_the_field_plays(sandbox: AudioSandbox) -> None:
    bare = (RECORDERS / "amr-without-header.amr").read_bytes()
    examined = await sandbox.examine(bare, declared="amr-nb")
    assert (examined.media, examined.duration_ms) == (Media.AMR_NB, 3_020)


@pytest.mark.parametrize("header", [None, b"#!AMR-WB_MC1.0\n\0\0\0\2", b"#!AMR", b"#!AMR_MC1.0\n", b"#!AMRX\n"])
async def test_amr_of_several_channels_is_refused_and_never_played_at_half_speed(
    sandbox: AudioSandbox, header: bytes | None
) -> None:
    two = (RECORDERS / "amr-two-channels.amr").read_bytes()
    recording = two if header is None else header + two[15:]
    for declared in (None, "amr-nb", "amr-wb"):
        with pytest.raises(AudioNotReadableError):
            await sandbox.examine(recording, declared=declared)
