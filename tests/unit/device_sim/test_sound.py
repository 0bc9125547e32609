"""Sound that is made is speech-like, the same for the same seed, and real recordings that decode."""

from __future__ import annotations

from array import array
from pathlib import Path

import pytest

from services.device_sim.sound import (
    SoundRefusedError,
    read_file,
    record_clip,
    samples_of,
    speech_wav,
    wav_of,
    write_file,
)
from services.device_sim.speech import RATE_HZ, speech
from services.protocol.words import Codec
from tests.support.sounds import duration_ms, encoded


def test_the_same_seed_says_the_same_and_another_something_else() -> None:
    assert speech(2.0, seed=1) == speech(2.0, seed=1)
    assert speech(2.0, seed=1) != speech(2.0, seed=2)


def test_speech_has_its_length_is_loud_and_pauses() -> None:
    samples = speech(5.0, seed=1)
    assert len(samples) == 5 * RATE_HZ
    assert max(map(abs, samples)) == 22_000
    # As loudness of 20 ms each: some are silent, as many are not.
    spans = [max(map(abs, samples[place : place + 160])) for place in range(0, len(samples), 160)]
    silent = sum(span < 100 for span in spans) / len(spans)
    assert 0.1 < silent < 0.6


@pytest.mark.parametrize(("codec", "starts"), [(Codec.AMR_NB, b"#!AMR\n"), (Codec.OPUS, b"OggS")])
def test_a_clip_decodes_to_what_was_said_and_is_the_same_for_the_same_sound(codec: Codec, starts: bytes) -> None:
    samples = speech(2.0, seed=1)
    clip = record_clip(samples, codec)
    assert clip.sound.startswith(starts)
    assert clip.duration_ms == 2000
    assert abs(duration_ms(clip.sound) - 2000) < 60
    assert record_clip(samples, codec).sound == clip.sound
    assert "sound" not in repr(clip)
    decoded = samples_of(clip.sound)
    assert abs(len(decoded) - len(samples)) < RATE_HZ // 20
    assert max(map(abs, decoded)) > 5_000


def test_amr_takes_32_bytes_for_each_20_ms() -> None:
    # RFC 4867: the header, and frames of the 12.2 kbit/s mode; the encoder's delay makes one more.
    assert len(record_clip(speech(1.0, seed=1), Codec.AMR_NB).sound) in {6 + 50 * 32, 6 + 51 * 32}


@pytest.mark.parametrize("kind", ["amr-nb", "opus", "webm", "m4a"])
def test_any_recording_becomes_samples(kind: str) -> None:
    assert abs(len(samples_of(encoded(kind, 1.0))) - RATE_HZ) < RATE_HZ // 8


def test_a_wav_file_brings_its_samples_back() -> None:
    samples = speech(0.5, seed=1)
    assert samples_of(wav_of(samples)) == samples
    assert samples_of(speech_wav(0.5, seed=1)) == samples


@pytest.mark.parametrize("recording", [b"", b"RIFF", b"#!AMR\n", b"<html>no sound</html>" * 99, bytes(4096)])
def test_what_is_no_recording_is_refused_or_has_no_sound(recording: bytes) -> None:
    with pytest.raises(SoundRefusedError):
        record_clip(samples_of(recording), Codec.AMR_NB)


def test_a_minute_is_recorded_and_more_is_not() -> None:
    minute = array("h", bytes(2 * 60 * RATE_HZ))
    assert record_clip(minute, Codec.AMR_NB).duration_ms == 60_000
    with pytest.raises(SoundRefusedError, match="60 seconds"):
        record_clip(minute + array("h", [0]), Codec.AMR_NB)


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    with pytest.raises(SoundRefusedError, match="none\\.wav: No such file"):
        read_file(tmp_path / "none.wav")
    with pytest.raises(SoundRefusedError, match="Is a directory"):
        write_file(tmp_path, b"x")
