"""`smartwatch sim scenario`: plays scenario files against a system."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from services.device_sim.console.console import say, use_utf8
from services.device_sim.scenario.actors import Household, System
from services.device_sim.scenario.catalogue import find_scenario, library
from services.device_sim.scenario.document import Scenario, ScenarioError
from services.device_sim.scenario.results import as_json, as_junit, as_table, scenarios_of
from services.device_sim.scenario.runner import NotPlayableError, Result, StepResult, check_playable, play
from services.device_sim.watch.timings import Timings

_PATIENCE_S = 600.0


def _no_starter(_families: int) -> contextlib.AbstractContextManager[System]:
    raise ScenarioError("--start works with `smartwatch sim scenario` only: the simulator alone has no backend")


class _Starter:
    """Starts a system; the command line of the product sets it, because the simulator knows no backend."""

    def __init__(self) -> None:
        self.start: Callable[[int], contextlib.AbstractContextManager[System]] = _no_starter

    def __call__(self, families: int) -> contextlib.AbstractContextManager[System]:
        return self.start(families)


STARTER = _Starter()


def scenario_command(  # noqa: PLR0913 - one parameter an option
    names: Annotated[list[str] | None, typer.Argument(help="Names of the library, files, or `all`.")] = None,
    *,
    families: Annotated[
        Path | None, typer.Option(help="CSV `serial,secret,phone` of test families whose watches are not paired.")
    ] = None,
    host: Annotated[str, typer.Option(envvar="SMARTWATCH_SIM_HOST", help="Where the broker is.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="SMARTWATCH_SIM_PORT", help="Its port.")] = 8883,
    tls_ca: Annotated[
        Path | None, typer.Option(envvar="SMARTWATCH_SIM_TLS_CA", help="Authority to trust; without it, plain MQTT.")
    ] = None,
    api: Annotated[
        str, typer.Option(envvar="SMARTWATCH_SIM_API_URL", help="Where the API is.")
    ] = "http://127.0.0.1:8080",
    sms_file: Annotated[
        Path, typer.Option(envvar="SMARTWATCH_SIM_SMS_FILE", help="Where the development provider writes.")
    ] = Path("var/default/sms.jsonl"),
    seed: Annotated[int | None, typer.Option(help="Another seed than the files name.")] = None,
    patience: Annotated[
        float, typer.Option(help="Seconds that a scenario may let pass where time is real.")
    ] = _PATIENCE_S,
    impatient: Annotated[bool, typer.Option(help="Let watches repeat after milliseconds instead of minutes.")] = True,
    start: Annotated[
        bool,
        typer.Option("--start", help="Start a system for it, in which days pass in seconds (a full checkout only)."),
    ] = False,
    replay: Annotated[Path | None, typer.Option(help="Play what failed in this file of results again.")] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the results, with all that a replay needs.")
    ] = None,
    junit_file: Annotated[Path | None, typer.Option("--junit", help="Write the results as JUnit.")] = None,
) -> None:
    """Play scenarios, one after the other. Without a name: list the library."""
    use_utf8()
    if not names and replay is None:
        for name, scenario in library().items():
            say(f"  {name:<20} {scenario.about or scenario.name}")
        raise typer.Exit(0)
    try:
        scenarios = _chosen(names or [], replay, seed)
        if start:
            with STARTER(sum(scenario.families for scenario in scenarios)) as own:
                results = play_all(scenarios, own, patience)
        else:
            system = System(
                broker_host=host, broker_port=port, tls_ca_file=tls_ca, api_url=api, sms_file=sms_file,
                households=_households(families), timings=Timings.quick() if impatient else Timings(),
            )  # fmt: skip
            results = play_all(scenarios, system, patience)
    except ScenarioError as error:
        say(str(error))
        raise typer.Exit(2) from None
    for line in as_table(results):
        say(line)
    for file, text in ((json_file, as_json), (junit_file, as_junit)):
        if file is not None:
            file.write_text(text(results), encoding="utf-8")
            say(f"written: {file}")
    raise typer.Exit(0 if results and not any(result.fault for result in results) else 1)


def play_all(scenarios: Sequence[Scenario], system: System, patience_s: float) -> list[Result]:
    """Play scenarios one after the other, each with families that none before it used."""
    results = []
    passes_s = sum(scenario.passes_s for scenario in scenarios)
    if passes_s and system.shift is None:
        say(f"Time is real here: the scenarios let {passes_s:.0f} s pass.")
    used = 0
    for scenario in scenarios:
        own = replace(system, households=system.households[used : used + scenario.families])
        try:
            check_playable(scenario, own, patience_s)
        except NotPlayableError as error:
            say(f"left out: {scenario.name}: {error}")
            continue
        used += scenario.families
        say(f"{scenario.name} (seed {scenario.seed})")
        with tempfile.TemporaryDirectory(prefix="smartwatch-scenario-") as folder:
            results.append(asyncio.run(play(scenario, own, Path(folder), _tell)))
    return results


def _chosen(names: Sequence[str], replay: Path | None, seed: int | None) -> list[Scenario]:
    if replay is not None:
        scenarios = scenarios_of(replay.read_text(encoding="utf-8"), str(replay))
    elif list(names) == ["all"]:
        scenarios = list(library().values())
    else:
        scenarios = [find_scenario(name) for name in names]
    return scenarios if seed is None else [replace(scenario, seed=seed) for scenario in scenarios]


def _households(file: Path | None) -> tuple[Household, ...]:
    if file is None:
        raise ScenarioError("name the test families with --families FILE.csv (serial,secret,phone)")
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        return tuple(Household(row["serial"], row["secret"], row["phone"]) for row in rows)
    except OSError as error:
        raise ScenarioError(f"{file}: {error.strerror}") from None
    except KeyError as error:
        raise ScenarioError(f"{file}:1:1: the column {error} is missing") from None


def _tell(result: StepResult) -> None:
    mark = "✗" if result.fault else "✓"
    say(f"  {mark} {result.step.shown} ({result.lasted_s:.1f} s)")
    if result.fault:
        say(f"      line {result.step.line}: {result.fault}")


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
app.command()(scenario_command)


def main(arguments: Sequence[str]) -> None:
    """Run from a command line; exits with 0 (all passed), 1 (one failed, or none was played) or 2 (wrong usage)."""
    app(args=list(arguments), prog_name="smartwatch sim scenario")
