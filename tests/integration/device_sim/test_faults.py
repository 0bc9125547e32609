"""Faults on the line of a watch: while one is on things fail as in the field, and afterwards nothing is lost."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.device_sim.conformance.bench import Pace, WatchBench
from services.device_sim.conformance.verdicts import Verdicts
from services.device_sim.sound import record_clip
from services.device_sim.speech import speech
from services.device_sim.watch.fault_clock import FaultyClock
from services.device_sim.watch.faults import FAULTS, FaultRefusedError, FaultyLine, parsed_values
from services.device_sim.watch.mangling import mangled
from services.device_sim.watch.timings import Timings
from services.device_sim.watch.watch import SimWatch
from services.protocol.codec import decode_json
from services.protocol.contract import sentences_of
from services.protocol.errors import ProtocolError
from services.protocol.sentences import Side
from services.protocol.uplink import Text
from services.protocol.words import Codec

_TIMINGS = replace(
    Timings.quick(), puback_timeout_s=0.6, connect_timeout_s=0.6, hello_answer_s=0.4, receipt_first_s=0.3
)
_CLIP = record_clip(speech(4, seed=5), Codec.AMR_NB)
# Values that let the fault happen within a test.
_VALUES: dict[str, dict[str, Any]] = {
    "drop": {"times": 3}, "duplicate": {"times": 5}, "reorder": {"times": 2}, "corrupt": {"times": 2},
    "mangle": {"times": 3}, "cut": {"level": "voice/*", "times": 1}, "delay": {"seconds": 0.1},
    "latency": {"seconds": 0.05}, "rate": {"bytes_s": 20_000},
}  # fmt: skip


async def _outlives(folder: Path, name: str) -> list[str]:
    """Let a watch speak and write under a fault, clear it, and return what was not stored as it was said."""
    bench = WatchBench("FAULTS01", Verdicts(sentences_of(Side.WATCH)), Pace())
    await bench.endpoint.start("127.0.0.1", 0)
    line = FaultyLine(seed=11)
    watch = SimWatch(folder, "127.0.0.1", bench.endpoint.port, serial="FAULTS01", secret="secret", line=line,
                     timings=_TIMINGS)  # fmt: skip
    async with watch:
        await watch.pair()
        credentials = bench.new_credentials()
        bench.say("pairing", {"paired": True, "child_name": "Mei", "credentials": credentials}, user=bench.factory)
        await watch.wait_online()
        line.set(name, **_VALUES.get(name, {}))
        if name in {"wrong_password", "hasty", "protocol"}:
            bench.endpoint.cut(bench.user)
        written = [watch.write("family", f"{name} {number}") for number in range(3)]
        spoken = watch.voice.record("family", seconds=4)
        await asyncio.sleep(0.8)
        if name in line.active:
            line.clear(name)
        await watch.wait_settled(timeout_s=25)
        lost = [message.payload.decode() for message in [*written, spoken] if message.number not in {
            message.number for message in watch.sent() if message.state == "stored"}]  # fmt: skip
        heard = b"".join(frame.payload for frame in bench.trace)
        lost += [text for text in (f"{name} {number}" for number in range(3)) if text.encode() not in heard]
    await bench.endpoint.stop()
    return [f"{name}: {entry}" for entry in lost]


async def test_nothing_is_lost_by_a_fault_that_ends(tmp_path: Path) -> None:
    # What a fault changes in content the backend has to notice; a modem with a limit is a fault for good.
    healing = set(FAULTS) - {"corrupt", "mangle", "modem", "same_id", "unknown_ca"}
    lost = await asyncio.gather(*(_outlives(tmp_path / name, name) for name in sorted(healing)))
    assert [entry for entries in lost for entry in entries] == []


def test_a_fault_is_refused_with_a_reason() -> None:
    line = FaultyLine()
    for words, reason in (
        (["earthquake"], "there is no fault 'earthquake'"),
        (["drop", "often=1"], "drop takes direction, level, times, share, not 'often'"),
        (["rate", 'bytes_s="fast"'], "rate: bytes_s is a int"),
        (["drop", "times"], "'times' is no name=value"),
    ):
        with pytest.raises(FaultRefusedError, match=reason.replace("(", r"\(")):
            line.set(words[0], **parsed_values(words[1:]))
    with pytest.raises(FaultRefusedError, match="drop is not on"):
        line.clear("drop")


def test_the_same_seed_fails_in_the_same_way() -> None:
    payload = b'{"id":"t81kd02mq7zr","to":"family","text":"hello","tst":5}'
    first, second = ([mangled(payload, random.Random(seed)) for seed in range(40)] for _ in range(2))
    assert first == second
    assert len(set(first)) > 15
    refused = 0
    for broken in first:
        try:
            decode_json(broken, Text)
        except ProtocolError:
            refused += 1
    assert refused > 20


def test_a_clock_jumps_and_rolls_over() -> None:
    real_s = 1_900_000_000.0
    clock = FaultyClock(lambda: real_s)
    assert clock() == real_s
    clock.set_to("1970")
    assert 0 <= clock() < 86_400
    clock.set_to("gps-rollover")
    assert clock() == real_s - 1024 * 7 * 86_400
    clock.set_to("right")
    clock.jump(-3600)
    assert clock() == real_s - 3600
    with pytest.raises(FaultRefusedError, match="one of: right 1970"):
        clock.set_to("tomorrow")
