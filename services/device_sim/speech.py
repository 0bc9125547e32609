"""Synthetic sound that resembles speech: the same for the same seed, no person's voice. Pure."""

from __future__ import annotations

import math
import random
from array import array

RATE_HZ = 8_000
# First two formants of five vowels (Hz), as textbooks give them for a child's short vocal tract.
_VOWELS = ((1_000, 1_600), (650, 2_600), (370, 3_200), (600, 1_050), (430, 1_150))
# Children speak three to four syllables a second, with a pause for breath now and then.
_SYLLABLE_S = (0.16, 0.34)
_PAUSE_S = (0.04, 0.12)
_BREATH_S = 0.4
_BREATH_CHANCE = 0.12
_PITCH_HZ = (210.0, 320.0)
_BANDWIDTH_HZ = 120.0
_PEAK = 22_000


def speech(seconds: float, seed: int) -> array[int]:
    """Return 16-bit mono samples at 8 kHz: syllables of voiced vowels with pauses between them."""
    source = random.Random(seed)  # noqa: S311 - it draws sounds, not secrets
    total = round(seconds * RATE_HZ)
    made: list[float] = []
    while len(made) < total:
        made += _syllable(source)
        pause_s = _BREATH_S if source.random() < _BREATH_CHANCE else source.uniform(*_PAUSE_S)
        made += [0.0] * round(pause_s * RATE_HZ)
    made = made[:total]
    loudest = max((abs(sample) for sample in made), default=0.0) or 1.0
    return array("h", (int(sample * _PEAK / loudest) for sample in made))


def _syllable(source: random.Random) -> list[float]:
    count = round(source.uniform(*_SYLLABLE_S) * RATE_HZ)
    pitch_hz = source.uniform(*_PITCH_HZ)
    fall = source.uniform(0.8, 1.1)
    voiced = _pulses(count, pitch_hz, pitch_hz * fall)
    for formant_hz in source.choice(_VOWELS):
        voiced = _resonance(voiced, formant_hz)
    # A consonant's hiss opens some syllables.
    hiss = round(source.choice((0.0, 0.03, 0.05)) * RATE_HZ)
    loudest = max(map(abs, voiced)) or 1.0
    opening = [source.uniform(-0.15, 0.15) for _ in range(hiss)]
    return opening + [
        sample / loudest * math.sin(math.pi * (place + 0.5) / count) ** 0.5 for place, sample in enumerate(voiced)
    ]


def _pulses(count: int, from_hz: float, to_hz: float) -> list[float]:
    """Return a glottal source: a pulse at the start of each period."""
    pulses, phase = [0.0] * count, 1.0
    for place in range(count):
        phase += (from_hz + (to_hz - from_hz) * place / count) / RATE_HZ
        if phase >= 1.0:
            phase -= 1.0
            pulses[place] = 1.0
    return pulses


def _resonance(samples: list[float], formant_hz: float) -> list[float]:
    """Return the samples through one resonator of two poles."""
    radius = math.exp(-math.pi * _BANDWIDTH_HZ / RATE_HZ)
    first, second = 2 * radius * math.cos(2 * math.pi * formant_hz / RATE_HZ), -radius * radius
    resonance, last, before = [], 0.0, 0.0
    for sample in samples:
        last, before = sample + first * last + second * before, last
        resonance.append(last)
    return resonance
