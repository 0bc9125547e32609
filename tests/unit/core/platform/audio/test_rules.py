"""Bounds of recordings, and how they are made to fit: numbers worked out by hand."""

from __future__ import annotations

import pytest

from services.core.platform.audio.rules import (
    BARS,
    BIT_RATES,
    Form,
    Media,
    bars_of_peaks,
    expected_bytes,
    plays_as,
    rates_to_try,
)


def test_nothing_and_silence_are_flat() -> None:
    assert bars_of_peaks([]) == (0,) * BARS
    assert bars_of_peaks([0] * 500) == (0,) * BARS
    # -60 dBFS is where sound begins.
    assert bars_of_peaks([32] * 500) == (0,) * BARS
    assert bars_of_peaks([33] * 500) == (100,) * BARS


def test_heights_are_decibels_below_the_loudest_moment() -> None:
    # 0, -6.02, -18.06, -36.1 and -20 dB, in spans of two peaks.
    peaks = [10_000, 9, 5_000, 5_000, 1_250, 0, 0, 156, 0, 1_000] + [0] * 78
    bars = bars_of_peaks(peaks)
    assert bars[:5] == (100, 83, 50, 0, 44)
    assert bars[5:] == (0,) * 39


def test_the_loudest_of_each_span_counts_and_none_is_left_out() -> None:
    for length in (1, 43, 44, 45, 3_000):
        for place in (0, length // 2, length - 1):
            peaks = [0] * length
            peaks[place] = 20_000
            assert 100 in bars_of_peaks(peaks)


@pytest.mark.parametrize(
    ("media", "channels", "form"),
    [
        (Media.AMR_NB, 1, Form.AMR_NB),
        (Media.OGG_OPUS, 1, Form.OPUS),
        (Media.OGG_OPUS, 2, None),
        (Media.MP4_AAC, 2, Form.PHONE),
        (Media.MP4_OPUS, 1, None),
        (Media.WEBM_OPUS, 1, None),
        (Media.AMR_WB, 1, None),
        (Media.MP3, 1, None),
        (Media.WAV, 1, None),
    ],
)
def test_what_is_delivered_as_it_is(media: Media, channels: int, form: Form | None) -> None:
    assert plays_as(media, channels) is form


def test_amr_is_calculated_to_the_byte() -> None:
    # RFC 4867: 6 bytes of header, and 32 or 13 for each frame of 20 ms.
    assert expected_bytes(Form.AMR_NB, 12_200, 1_000) == 6 + 50 * 32
    assert expected_bytes(Form.AMR_NB, 4_750, 1_001) == 6 + 51 * 13


def test_only_bit_rates_that_may_fit_are_tried_the_best_first() -> None:
    assert rates_to_try(Form.AMR_NB, 60_000, None) == list(BIT_RATES[Form.AMR_NB])
    assert rates_to_try(Form.AMR_NB, 1_000, 1_606) == list(BIT_RATES[Form.AMR_NB])
    assert rates_to_try(Form.AMR_NB, 1_000, 1_605)[0] == 10_200
    assert rates_to_try(Form.AMR_NB, 1_000, 656) == [4_750]
    assert rates_to_try(Form.AMR_NB, 1_000, 655) == []
