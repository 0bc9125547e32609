"""Damage by the thousand: each damaged recording is known for something, or refused, in time."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from services.core.platform.audio.child import read_frame, write_frame
from services.core.platform.audio.errors import AudioNotReadableError
from services.core.platform.audio.rules import Form, Media
from services.core.platform.audio.sandbox import AudioSandbox
from tests.support.attacks.sounds import mutated
from tests.support.sounds import spoken

MILL = Path(__file__).parents[4] / "support" / "audio_jobs.py"
REFUSALS = {"not_readable", "too_long", "does_not_fit"}
# The slowest of 8,000 took 2.3 s: a WAV that claimed a rate for which a minute is 160 MiB.
SLOWEST_S = 10.0
# Memory of the libraries and a small recording; the limit is 256 MiB more.
PEAK_MIB_MAX = 350


@dataclass
class Tally:
    """Outcomes of damaged recordings."""

    outcomes: Counter[str] = field(default_factory=Counter)
    crashed: list[int] = field(default_factory=list)
    slowest_s: float = 0.0
    peak_mib: float = 0.0

    def note(self, seed: int, result: dict[str, object]) -> None:
        answer = result["answer"]
        if result["is_late"]:
            outcome = "late"
        elif not isinstance(answer, dict):
            outcome = "crashed"
            self.crashed.append(seed)
        else:
            outcome = str(answer.get("error", "known"))
        self.outcomes[outcome] += 1
        self.slowest_s = max(self.slowest_s, float(str(result["took_s"])))
        self.peak_mib = max(self.peak_mib, int(str(result["peak_kib"])) / 1024)


def jobs_of(seed: int) -> dict[str, object]:
    """Every fourth is rendered as well as examined: rendering decodes, too, and has filters and encoders behind."""
    if seed % 4:
        return {"job": "examine"}
    return {"job": "render", "form": list(Form)[seed // 4 % 3].value, "max_bytes": 20_000 if seed % 8 else None}


def milled(media: Media, seeds: Sequence[int]) -> Tally:
    """Damage one kind of recording with every seed, each read in a limited process of its own."""
    tally = Tally()
    command = [sys.executable, "-I", str(MILL)]
    with subprocess.Popen(  # noqa: S603 - our own script
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        clip = spoken(media)
        for seed in seeds:
            write_frame(process.stdin, jobs_of(seed), mutated(clip, seed))
            frame = read_frame(process.stdout)
            assert frame is not None
            tally.note(seed, frame[0])
        process.stdin.close()
        assert process.wait(10) == 0
    return tally


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPoolExecutor]:
    """Two mills at a time."""
    with ThreadPoolExecutor(2) as pool:
        yield pool


async def holds(pool: ThreadPoolExecutor, sandbox: AudioSandbox, seeds: Sequence[int]) -> None:
    loop = asyncio.get_running_loop()
    tallies = await asyncio.gather(*(loop.run_in_executor(pool, milled, media, seeds) for media in Media))
    for media, tally in zip(Media, tallies, strict=True):
        took = f"slowest {tally.slowest_s:.2f} s, peak {tally.peak_mib:.0f} MiB"
        print(f"{media.value}: {dict(tally.outcomes)}, {took}")  # noqa: T201 - `pytest -s` shows the numbers
        assert set(tally.outcomes) <= {"known", "crashed", *REFUSALS}, media
        assert tally.outcomes["known"] > len(seeds) // 10, "damage that leaves nothing to read tests nothing"
        assert tally.outcomes["not_readable"] > 0, media
        assert tally.outcomes["crashed"] <= len(seeds) // 200, media
        assert tally.slowest_s < SLOWEST_S
        assert tally.peak_mib < PEAK_MIB_MAX
        for seed in tally.crashed:
            # A crash is an answer, too: the same one as for what cannot be read.
            with pytest.raises(AudioNotReadableError):
                await sandbox.examine(mutated(spoken(media), seed))


async def test_a_sample_of_damage_ends_in_an_answer(pool: ThreadPoolExecutor, sandbox: AudioSandbox) -> None:
    await holds(pool, sandbox, range(40))


@pytest.mark.long
@pytest.mark.timeout(1_200)
async def test_a_thousand_kinds_of_damage_of_each_kind_end_in_an_answer(
    pool: ThreadPoolExecutor, sandbox: AudioSandbox
) -> None:
    await holds(pool, sandbox, range(1_000))
