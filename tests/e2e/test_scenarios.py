"""Scenario files play against the whole product: a chosen few here, the whole library in the long run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from services.device_sim.scenario.actors import Household, System
from services.device_sim.scenario.catalogue import library
from services.device_sim.scenario.document import Scenario, read_scenario
from services.device_sim.scenario.results import as_json, as_junit, as_table, scenarios_of
from services.device_sim.scenario.runner import Result, check_playable, play
from services.devstack.scenario_stage import scenario_system
from tests.e2e.conftest import Play

# Together about 18 s.
_CHOSEN = (
    "lost-receipts",
    "authority-expired",
    "cut-in-mid-chunk",
    "wrong-password",
    "wrong-clock",
    "sos-at-night",
    "contact-drift",
)


async def _system(stage: Play, scenarios: Sequence[Scenario]) -> System:
    homes = [await stage.home() for _ in range(sum(scenario.families for scenario in scenarios))]
    installation = stage.installation
    return System(
        broker_host="127.0.0.1",
        broker_port=installation.ports["mosquitto_tls_port"],
        tls_ca_file=installation.tls_ca_file,
        api_url=installation.api_url,
        sms_file=Path(installation.settings["sms_file"]),
        households=tuple(Household(home.serial, home.secret, home.phone) for home in homes),
    )


async def _played(scenarios: Sequence[Scenario], system: System, folder: Path) -> list[Result]:
    results, used = [], 0
    for scenario in scenarios:
        own = system.households[used : used + scenario.families]
        used += scenario.families
        own_system = System(**{**vars(system), "households": own})
        check_playable(scenario, own_system, patience_s=10)
        results.append(await play(scenario, own_system, folder / scenario.name))
    return results


async def test_a_chosen_few_pass_and_a_failure_tells_its_line_and_replays(play: Play, tmp_path: Path) -> None:
    wrong = read_scenario(
        "name: wrong\nseed: 8\nsteps:\n  - pair: watch\n  - expect: {within: 1s, parent.history: [never said]}\n", "x"
    )
    scenarios = [library()[name] for name in _CHOSEN] + [wrong]
    *passed, failed = await _played(scenarios, await _system(play, scenarios), tmp_path)
    assert [f"{result.scenario.name}: {result.fault}" for result in passed if result.fault] == []
    assert failed.fault.startswith("line 5: expect parent.history ['never said']: parent.history is []")
    assert as_table([*passed, failed])[-1] == f"{len(passed)} passed, 1 failed"
    assert 'failures="1"' in as_junit([*passed, failed])
    (again,) = scenarios_of(as_json([*passed, failed]), "results.json")
    assert again == wrong
    assert json.loads(as_json([failed]))["scenarios"][0]["trace"]


@pytest.mark.long
async def test_the_whole_library_passes_on_a_system_of_its_own(tmp_path: Path) -> None:
    scenarios = list(library().values())
    with scenario_system(sum(scenario.families for scenario in scenarios), print) as system:
        results = await _played(scenarios, system, tmp_path)
    assert [f"{result.scenario.name}: {result.fault}" for result in results if result.fault] == []
