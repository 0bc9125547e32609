"""Scenario files: mistakes are told with line and column before anything is played."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.device_sim.scenario.actors import System
from services.device_sim.scenario.catalogue import library
from services.device_sim.scenario.document import ScenarioError, read_scenario
from services.device_sim.scenario.runner import NotPlayableError, check_playable

_HEAD = "name: x\nsteps:\n"
_MISTAKES = [
    ("", "x.yaml:1:1: the file is empty"),
    ("name: [\n", "x.yaml:2:1: "),
    ("name: x\n", "x.yaml:1:1: 'steps' is missing"),
    ("name: x\nname: y\nsteps: [pair: watch]\n", "x.yaml:2:1: 'name' stands here twice"),
    ("name: x\ncolour: red\nsteps: []\n", "x.yaml:2:1: unknown name 'colour'; one of: about, families, name"),
    (f"{_HEAD}  - pair: watch\n  - dance: watch\n", "x.yaml:4:5: there is no step 'dance'; one of: watch, parent, "),
    (f"{_HEAD}  - watch2: status\n", "x.yaml:3:5: there are 1 families; 'watch2' is of none of them"),
    (f"{_HEAD}  - pass: soon\n", "x.yaml:3:11: expected a time such as 500ms, 20s, 5min, 8h or 7d"),
    (f"{_HEAD}  - expect: {{watch.mood: good}}\n", "x.yaml:3:14: unknown name 'watch.mood'"),
    (f"{_HEAD}  - expect: {{watch.paired: perhaps}}\n", "x.yaml:3:28: watch.paired is a bool"),
    (f"{_HEAD}  - power: {{watch: explode}}\n", "x.yaml:3:20: expected one of: off, on, cycle"),
    (f"{_HEAD}  - everyone: [{{pass: 1d}}]\n", "x.yaml:3:16: 'pass' cannot stand inside `everyone`"),
    ("name: x\nfamilies: 5000\nsteps: [pair: watch]\n", "x.yaml:2:11: expected a whole number from 1 to 200"),
    ("name: x\nwatch: {wings: 2}\nsteps: [pair: watch]\n", "x.yaml:2:9: unknown name 'wings'"),
    ("name: x\nwatch: {binary: 2}\nsteps: [pair: watch]\n", "x.yaml:2:17: binary is a bool"),
    ("name: !!python/object:os.system x\nsteps: [expect: {watch.inbox: !!python/name:os.system }]\n", "x.yaml:2:"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), _MISTAKES, ids=[message[:40] for _, message in _MISTAKES])
def test_a_mistake_is_told_with_line_and_column(text: str, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        read_scenario(text, "x.yaml")
    assert str(caught.value).startswith(message)


def test_the_library_reads_and_every_scenario_looks_at_something() -> None:
    known = library()
    assert len(known) >= 18
    for name, scenario in known.items():
        assert scenario.about, name
        assert any(step.kind == "expect" for step in scenario.flat()), name


def test_what_a_system_cannot_play_is_told_before_it_is_played(tmp_path: Path) -> None:
    bare = System("127.0.0.1", 1, None, "http://127.0.0.1:1", tmp_path / "sms.jsonl", ())
    with pytest.raises(NotPlayableError, match="it needs 1 families, and 0 are free"):
        check_playable(library()["first-pairing"], bare, 60)
    crowded = System(**{**vars(bare), "households": (None,) * 50})
    with pytest.raises(NotPlayableError, match="time is real here, and it lets 604800 s pass"):
        check_playable(library()["week-offline"], crowded, 60)
    with pytest.raises(NotPlayableError, match="nobody can `kill broker` here"):
        check_playable(library()["broker-replaced"], crowded, 60)
