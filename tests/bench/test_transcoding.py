"""What confining each recording in a process of its own adds to decoding and encoding it."""

from __future__ import annotations

import asyncio

from services.core.platform.audio.decoding import examine
from services.core.platform.audio.rendering import render
from services.core.platform.audio.rules import Form
from services.core.platform.audio.sandbox import AudioSandbox
from tests.bench.ratios import measure_ratio
from tests.support.sounds import encoded

SECONDS = 15.0
# Measured 0.9 to 1.1: a fork, the layers of confinement and the way of the bytes. An interpreter a job was 2.6.
BAR = 1.6


async def test_a_recording_in_its_own_process_costs_little_more_than_its_decoding() -> None:
    clip = encoded("amr-nb", SECONDS)

    def bare() -> None:
        examine(clip)
        render(clip, Form.PHONE, None)

    async with AudioSandbox() as sandbox:

        async def ours() -> None:
            await sandbox.transcode(clip, Form.PHONE)

        async def baseline() -> None:
            await asyncio.to_thread(bare)

        await ours()
        await baseline()
        ratio = await measure_ratio("15 s to a phone", ours, "the libraries in this process", baseline, rounds=10)
    assert ratio.times < BAR
