"""The check of a watch: our own simulator holds the contract, and every deliberately broken watch is found out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.device_sim.conformance.broken_watches import BROKEN_WATCHES, BrokenWatch
from services.device_sim.conformance.report import Report
from services.device_sim.conformance.sim_hand import SERIAL, SIM_PACE, SimHand
from services.device_sim.conformance.verdicts import Outcome, Verdict
from services.device_sim.conformance.watch_check import STEPS, WatchCheck
from services.device_sim.watch.body import WatchTraits
from services.device_sim.watch.line import Line
from services.protocol.contract import SENTENCES

# Steps that wait for nothing: they show two thirds of the sentences in some seconds.
_QUICK_STEPS = {
    "Receipt: id_conflict", "Receipt: retry", "Receipt: recipient_removed", "A recording, one chunk of it lost",
    "The same text announced again", "Unknown fields, words and kinds", "A text in parts",
    "A recording to the child, with a loss in between", "A recording that changed", "A message that is taken back",
    "A watch without room", "Contacts and settings", "A message in quiet times", "Commands", "Usage counters",
}  # fmt: skip


async def _check(
    folder: Path, names: Collection[str] | None, kind: BrokenWatch | None = None, traits: WatchTraits | None = None
) -> WatchCheck:
    check = WatchCheck(SERIAL, SIM_PACE)
    steps = [step for step in STEPS if not step.needs_pairing or names is None or step.name in names]
    kind = kind or BrokenWatch("", (), Line)
    async with check.listening("127.0.0.1", 0) as port:
        hand = SimHand(
            folder, port, line=kind.line(), timings=kind.timings, wipes_on_refusal=kind.wipes_on_refusal, traits=traits
        )
        async with hand:
            await check.run(hand, steps=steps)
    return check


def _told(verdicts: list[Verdict]) -> list[str]:
    return [f"{verdict.sentence.number}: {verdict.came} / {verdict.expected}" for verdict in verdicts]


async def test_our_simulator_holds_and_every_broken_watch_is_found_out(tmp_path: Path) -> None:
    recordings = {"A recording, one chunk of it lost", "A recording that changed"}
    sound, text_modem, *broken = await asyncio.gather(
        _check(tmp_path / "sound", _QUICK_STEPS),
        _check(tmp_path / "text", recordings, traits=WatchTraits(binary=False)),
        *(_check(tmp_path / name, kind.steps, kind) for name, kind in BROKEN_WATCHES.items()),
    )
    assert _told(sound.verdicts.with_outcome(Outcome.BROKEN)) == []
    assert sound.verdicts.seen_share > 0.6
    assert _told(text_modem.verdicts.with_outcome(Outcome.BROKEN)) == []
    assert text_modem.verdicts.outcome("V8") is Outcome.HELD
    caught = {
        name: kind.breaks in {verdict.sentence.number for verdict in check.verdicts.with_outcome(Outcome.BROKEN)}
        for (name, kind), check in zip(BROKEN_WATCHES.items(), broken, strict=True)
    }
    assert [name for name, is_found in caught.items() if not is_found] == []

    # What the tester takes home: what came, what was expected, the frame; and no password.
    check = broken[list(BROKEN_WATCHES).index("counting")]
    report = Report("Check of a watch", "counting", datetime.now(UTC), check.verdicts, check.bench.trace)
    entry = next(entry for entry in json.loads(report.as_json())["sentences"] if entry["number"] == "R2")
    assert entry["outcome"] == "broken"
    assert "00000000000001" in entry["frame"]
    assert SENTENCES["R2"].text in entry["text"]
    assert "R2" in "\n".join(report.as_lines())
    password = check.bench.credentials["password"]
    for text in (report.as_html(), report.as_json(), "\n".join(report.as_lines())):
        assert password not in text
    assert not report.is_clean


@pytest.mark.long
async def test_nine_of_ten_sentences_are_seen_and_held_by_our_simulator(tmp_path: Path) -> None:
    check = await _check(tmp_path, None)
    assert _told(check.verdicts.with_outcome(Outcome.BROKEN)) == []
    assert check.verdicts.seen_share >= 0.9
