"""Families talk for ten minutes: no process holds more memory or descriptors at the end than after its warm-up."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator

import pytest

from services.device_sim.sound import SoundRefusedError, record_clip
from services.device_sim.speech import speech
from services.protocol.words import Codec
from tests.e2e.conftest import Play, installation, pair, play
from tests.support.checker import DEADLINE_S, Conversation
from tests.support.process_load import LoadSamples, growth, second_half

__all__ = ["installation", "play"]

LOAD_S = float(os.environ.get("SMARTWATCH_LOAD_RUN_S", "600"))
FAMILIES = 8
SAMPLE_EVERY_S = 1.0
# A pause between two messages of one person; eight families are about 12 messages a second.
PAUSES_S = (0.5, 1.5)
# A parent may begin 60 recordings in an hour at once, and 2 a minute afterwards, parts of uploads included.
RECORDING_EVERY = 16
# A parent waits while more than this many messages are on their way: a machine that is busy with other work delivers
# fewer than people could send, and all of them have to arrive within the checker's deadline at the end.
ON_THE_WAY_MAX, LOOK_EVERY = 10, 5
# Growth of the second half. Allocators keep what they freed, in pieces: a twentieth and 4 MiB is their noise. A leak
# of 1 KiB a message is 3.5 MiB in five minutes of one process that handles all of them.
NOISE_MIB, NOISE_SHARE = 4.0, 0.05
# Connections open and close in the pools; a descriptor lost every ten seconds is 30 in five minutes. Each backend of
# Postgres keeps the files open that it has read, about a hundred, and opens the last of them after some minutes.
DESCRIPTORS_NOISE = 8.0
DOWN = record_clip(speech(1.5, 21), Codec.AMR_NB)
UP = record_clip(speech(1.5, 22), Codec.AMR_NB)


def _judge(samples: LoadSamples) -> tuple[list[str], list[str]]:
    """Return one line for each series, and the lines of those that are not flat."""
    lines, growing = [], []
    for name, all_loads in sorted(samples.series.items()):
        loads = second_half(all_loads)
        if len(loads) < 2:
            continue
        times_s = [load.at_s for load in loads]
        memory = [load.resident_mib for load in loads]
        files = [float(load.descriptors) for load in loads]
        memory_growth, files_growth = growth(times_s, memory), growth(times_s, files)
        line = (
            f"{name}: {statistics.median(memory):.0f} MiB, {memory_growth:+.1f} MiB;"
            f" {statistics.median(files):.0f} descriptors, {files_growth:+.1f} in {times_s[-1] - times_s[0]:.0f} s"
        )
        lines.append(line)
        if memory_growth > NOISE_MIB + NOISE_SHARE * statistics.median(
            memory
        ) or files_growth > DESCRIPTORS_NOISE + NOISE_SHARE * statistics.median(files):
            growing.append(line)
    return lines, growing


@contextlib.asynccontextmanager
async def _family(play: Play) -> AsyncIterator[Conversation]:
    """A family whose child has places on, paired and online."""
    home = await play.home()
    async with play.parent(home.phone) as parent, play.watch(home) as watch:
        await pair(watch, parent, str(home.child_id))
        await parent.family.consent(str(home.family_id), "location")
        await parent.places.change_settings(str(home.child_id), location=True)
        await watch.wait_until(lambda: watch.places.takes_fixes)
        yield Conversation(play, home, parent, watch)


async def _parent_talks(talk: Conversation, chance: random.Random, until_s: float) -> None:
    number = 0
    while time.monotonic() < until_s:
        number += 1
        await (talk.parent_speaks([DOWN]) if number % RECORDING_EVERY == 3 else talk.parent_writes([f"down {number}"]))
        if number % LOOK_EVERY == 0:
            await talk.watch.wait_until(
                lambda: len(talk.watch.inbox()) >= len(talk.down) - ON_THE_WAY_MAX, timeout_s=DEADLINE_S
            )
        await asyncio.sleep(chance.uniform(*PAUSES_S))


async def _child_talks(talk: Conversation, chance: random.Random, until_s: float) -> None:
    number = 0
    while time.monotonic() < until_s:
        number += 1
        if number % 3 == 0:
            place = talk.watch.places.check_in(31.2 + number / 10_000, 121.5, 10, source="gps")
            await talk.watch.wait_stored(place, timeout_s=60)
        elif number % 4 == 0:
            with contextlib.suppress(SoundRefusedError):  # the watch is full until its receipts arrive
                await talk.child_speaks([UP])
        else:
            await talk.child_writes([f"up {number}"])
        await asyncio.sleep(chance.uniform(*PAUSES_S))


async def _sample(play: Play, samples: LoadSamples) -> None:
    began_s = time.monotonic()
    while True:
        roots = await asyncio.to_thread(play.installation.process_ids)
        await asyncio.to_thread(samples.sample, roots, time.monotonic() - began_s)
        await asyncio.sleep(SAMPLE_EVERY_S)


@pytest.mark.long
@pytest.mark.timeout(LOAD_S + 600)
async def test_under_load_memory_and_descriptors_of_every_process_are_flat(
    play: Play, capsys: pytest.CaptureFixture[str]
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        talks = [await stack.enter_async_context(_family(play)) for _ in range(FAMILIES)]
        samples = LoadSamples()
        before = play.installation.process_ids()
        sampling = asyncio.create_task(_sample(play, samples))
        until_s = time.monotonic() + LOAD_S
        async with asyncio.TaskGroup() as talking:
            for number, talk in enumerate(talks):
                talking.create_task(_parent_talks(talk, random.Random(2 * number), until_s))
                talking.create_task(_child_talks(talk, random.Random(2 * number + 1), until_s))
        sampling.cancel()
        await asyncio.gather(sampling, return_exceptions=True)
        for talk in talks:
            await talk.check()
        lines, growing = _judge(samples)
        messages = sum(len(talk.up) + len(talk.down) for talk in talks)
        with capsys.disabled():
            figures = "\n".join([f"{FAMILIES} families, {messages} messages in {LOAD_S:.0f} s", *lines])
            sys.stdout.write(f"\n{figures}\n")
        assert play.installation.process_ids() == before, "no process was replaced meanwhile"
        assert {"api", "bridge", "broker", "broker/mosquitto", "postgres", "worker"} <= samples.series.keys()
        assert not growing


_LEAKS = """
import time
kept = []
print(flush=True)
while True:
    kept.append((bytearray(b"x" * 2**20), open("/dev/null")))
    time.sleep(0.005)
"""


def test_a_process_that_keeps_memory_or_descriptors_is_noticed() -> None:
    samples = LoadSamples()
    with (
        subprocess.Popen([sys.executable, "-c", _LEAKS], stdout=subprocess.PIPE) as leaking,  # noqa: S603
        subprocess.Popen([sys.executable, "-c", "print(flush=True); input()"], stdin=-1, stdout=-1) as flat,
    ):
        try:
            for process in (leaking, flat):
                assert process.stdout is not None
                process.stdout.readline()
            began_s = time.monotonic()
            # A busy machine takes so few samples while it leaks that nothing could be said of them.
            while len(samples.series.get("leaking", ())) < 12 or samples.series["leaking"][-1].descriptors < 120:
                samples.sample({"leaking": leaking.pid, "flat": flat.pid}, time.monotonic() - began_s)
        finally:
            leaking.kill()
            flat.kill()
    _, growing = _judge(samples)
    assert [line.partition(":")[0] for line in growing] == ["leaking"]
