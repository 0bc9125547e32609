"""Renditions of recordings: each form, from each kind."""

from __future__ import annotations

import io

import av
import pytest

from services.core.platform.audio.errors import DoesNotFitError
from services.core.platform.audio.rules import BIT_RATES, Form, Media
from services.core.platform.audio.sandbox import AudioSandbox
from tests.support.attacks.sounds import tagged, with_cover
from tests.support.sounds import bits_a_second, duration_ms, encoded, heard, louder, loudness_db, spoken, wav

IS_ALREADY = {Form.PHONE: Media.MP4_AAC, Form.AMR_NB: Media.AMR_NB, Form.OPUS: Media.OGG_OPUS}
# Players see 48 kHz: Opus is always decoded at that rate.
RATE_HZ = {Form.PHONE: 24_000, Form.AMR_NB: 8_000, Form.OPUS: 48_000}


@pytest.mark.parametrize("media", Media)
async def test_every_kind_is_made_into_every_form(sandbox: AudioSandbox, media: Media) -> None:
    original = await sandbox.examine(spoken(media))
    for form in Form:
        await _is_made_well(sandbox, media, form, original.duration_ms)


async def _is_made_well(sandbox: AudioSandbox, media: Media, form: Form, original_ms: int) -> None:
    made = await sandbox.render(spoken(media), form)
    assert (made.form, made.bit_rate) == (form, BIT_RATES[form][0])
    again = await sandbox.examine(made.data)
    assert (again.media, again.channels) == (IS_ALREADY[form], 1)
    assert abs(made.duration_ms - original_ms) <= 1
    assert abs(duration_ms(made.data) - original_ms) <= 60
    with av.open(io.BytesIO(made.data)) as file:
        assert [stream.type for stream in file.streams] == ["audio"]
        assert file.streams.audio[0].rate == RATE_HZ[form]
    if form is Form.AMR_NB:
        assert made.data.startswith(b"#!AMR\n")
    if form is Form.PHONE:
        # The index comes before the sound: a phone plays before it has everything.
        assert made.data.index(b"moov") < made.data.index(b"mdat")
        assert 24_000 <= bits_a_second(made.data) <= 32_000
    assert again.bars[:3] == (0, 0, 0)
    assert sum(bar > 30 for bar in again.bars) >= 20


async def test_phones_get_their_bit_rate_of_short_and_of_long_clips(sandbox: AudioSandbox) -> None:
    for sound in (wav(1.0), encoded("m4a", 20.0)):
        made = await sandbox.render(sound, Form.PHONE)
        assert 24_000 <= bits_a_second(made.data) <= 32_000
        tighter = await sandbox.render(sound, Form.PHONE, max_bytes=len(made.data) - 1)
        assert 24_000 <= bits_a_second(tighter.data) < bits_a_second(made.data)


@pytest.mark.parametrize("form", Form)
async def test_the_quiet_and_the_loud_are_heard_alike(sandbox: AudioSandbox, form: Form) -> None:
    originals = [louder(spoken(Media.WAV), gain) for gain in (1.19, 0.3, 0.06)]
    assert loudness_db(heard(originals[0])) - loudness_db(heard(originals[-1])) > 25
    louds = [loudness_db(heard((await sandbox.render(original, form)).data)) for original in originals]
    assert max(louds) - min(louds) <= 3
    assert min(louds) > -23


@pytest.mark.parametrize("form", Form)
async def test_silence_stays_silence(sandbox: AudioSandbox, form: Form) -> None:
    made = await sandbox.render(wav(2.0, level=0.0), form)
    assert max(abs(sample) for sample in heard(made.data)) < 33
    # Noise below -54 dB is no voice, and is not made one.
    hiss = await sandbox.render(wav(2.0, level=0.001), form)
    assert loudness_db(heard(hiss.data)) < -50


@pytest.mark.parametrize("form", Form)
async def test_what_a_phone_wrote_into_a_recording_is_gone(sandbox: AudioSandbox, form: Form) -> None:
    secret = b"Dongguan, building 7"
    for original in (tagged(secret) + spoken(Media.MP3), with_cover(spoken(Media.MP4_AAC), secret)):
        assert secret in original
        made = await sandbox.render(original, form)
        assert secret not in made.data
        assert b"Mei" not in made.data
        with av.open(io.BytesIO(made.data)) as file:
            metadata = {**file.metadata, **file.streams.audio[0].metadata}
        assert {name.lower() for name in metadata} <= {
            "major_brand", "minor_version", "compatible_brands", "encoder", "language", "handler_name", "vendor_id",
        }  # fmt: skip


@pytest.mark.parametrize("form", Form)
async def test_it_is_made_as_small_as_it_has_to_be(sandbox: AudioSandbox, form: Form) -> None:
    sound = wav(4.0)
    rates, sizes = BIT_RATES[form], []
    rate = rates[0]
    room = None
    while True:
        try:
            made = await sandbox.render(sound, form, max_bytes=room)
        except DoesNotFitError:
            break
        assert room is None or len(made.data) <= room
        assert made.bit_rate <= rate
        assert abs(duration_ms(made.data) - 4_000) <= 60
        rate, room = made.bit_rate, len(made.data) - 1
        sizes.append((rate, len(made.data)))
    assert len(sizes) >= 2
    assert rate == rates[-1], "the lowest was tried before it was given up"


async def test_a_minute_fits_the_usual_watch(sandbox: AudioSandbox) -> None:
    minute = encoded("m4a", 60.0)
    for form in (Form.AMR_NB, Form.OPUS):
        made = await sandbox.render(minute, form, max_bytes=262_144)
        assert abs(duration_ms(made.data) - 60_000) <= 100
    small = await sandbox.render(minute, Form.AMR_NB, max_bytes=40_000)
    assert small.bit_rate == 4_750
