"""`smartwatch sim`: a watch and a parent to play with by hand."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from services.cli import run as cli_run

if TYPE_CHECKING:
    from services.device_sim.console.fleet import FleetStage
    from services.device_sim.scenario.actors import System

sim_commands = typer.Typer(name="sim", help="Simulators of a watch and of a parent's phone.", no_args_is_help=True)
# The simulators read their options themselves: they are programs of their own that a firmware maker can run alone.
_AS_IT_IS = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@sim_commands.command("watch", context_settings=_AS_IT_IS)
def watch(context: typer.Context) -> None:
    """Simulate a watch: pair it, read and write, lose its network."""
    from services.device_sim.console.watch import main

    _suggest(_where_the_broker_is, unless=("--host", "--port", "--tls-ca"), given=context.args)
    main(context.args)


@sim_commands.command("serve", context_settings=_AS_IT_IS)
def serve(context: typer.Context) -> None:
    """Show a watch in a browser of this computer, with its wire log and a training; never in production."""
    from services.device_sim.console.serve import ENVIRONMENT, main

    # A system of this machine says what it is; the page refuses production.
    os.environ.setdefault(ENVIRONMENT, cli_run.instance_environment().get(ENVIRONMENT, ""))
    _suggest(_where_the_broker_is, unless=("--host", "--port", "--tls-ca"), given=context.args)
    main(context.args)


@sim_commands.command("parent", context_settings=_AS_IT_IS)
def parent(context: typer.Context) -> None:
    """Simulate a parent: log in, consent, pair, write and read."""
    from services.device_sim.console.parent import main

    _suggest(_where_the_api_is, unless=("--api",), given=context.args)
    main(context.args)


@sim_commands.command("check-watch", context_settings=_AS_IT_IS)
def check_watch(context: typer.Context) -> None:
    """Check a watch or its firmware against every sentence of the contract."""
    from services.device_sim.console.check_watch import main

    main(context.args)


@sim_commands.command("check-backend", context_settings=_AS_IT_IS)
def check_backend(context: typer.Context) -> None:
    """Check a backend against every sentence of the contract, as a watch of a test family."""
    from services.device_sim.console.check_backend import main

    _suggest(_where_the_broker_is, unless=("--host", "--port", "--tls-ca"), given=context.args)
    _suggest(_where_the_api_is, unless=("--api",), given=context.args)
    main(context.args)


@sim_commands.command("scenario", context_settings=_AS_IT_IS)
def scenario(context: typer.Context) -> None:
    """Play scenario files: who is in the family, what happens, what is expected by when."""
    from services.device_sim.console.scenario import STARTER, main

    STARTER.start = _start_system
    if "--start" not in context.args:
        _suggest(_where_the_broker_is, unless=("--host", "--port", "--tls-ca"), given=context.args)
        _suggest(_where_the_api_is, unless=("--api",), given=context.args)
    main(context.args)


@sim_commands.command("fleet", context_settings=_AS_IT_IS)
def fleet(context: typer.Context) -> None:
    """Connect thousands of paired watches, let them write, and report rates, percentiles and losses."""
    from services.device_sim.console.fleet import MAKER, main

    MAKER.make = _make_fleet
    main(context.args)


def _make_fleet(watches: int, parents: int, *, tls: bool) -> AbstractContextManager[FleetStage]:
    from services.devstack.fleet_stage import fleet_stage

    return fleet_stage(cli_run.instance_environment(), watches, parents, typer.echo, tls=tls)


def _start_system(families: int) -> AbstractContextManager[System]:
    from services.devstack.scenario_stage import scenario_system

    return scenario_system(families, typer.echo)


def _suggest(
    where: Callable[[Mapping[str, str]], Mapping[str, str]], *, unless: Sequence[str], given: Sequence[str]
) -> None:
    """Point a simulator at the running instance, unless options or its own variables name another."""
    places = where(cli_run.instance_environment())
    if any(word.partition("=")[0] in unless for word in given) or any(name in os.environ for name in places):
        return
    os.environ.update(places)


def _where_the_broker_is(instance: Mapping[str, str]) -> dict[str, str]:
    authority = Path(instance.get("SMARTWATCH_MOSQUITTO_DIR", "")).parent / "certificates" / "ca.pem"
    if "SMARTWATCH_MOSQUITTO_TLS_PORT" not in instance or not authority.exists():
        return {}
    return {
        "SMARTWATCH_SIM_HOST": "127.0.0.1",
        "SMARTWATCH_SIM_PORT": instance["SMARTWATCH_MOSQUITTO_TLS_PORT"],
        "SMARTWATCH_SIM_TLS_CA": str(authority),
    }


def _where_the_api_is(instance: Mapping[str, str]) -> dict[str, str]:
    if "SMARTWATCH_PUBLIC_URL" not in instance:
        return {}
    return {
        "SMARTWATCH_SIM_API_URL": instance["SMARTWATCH_PUBLIC_URL"],
        "SMARTWATCH_SIM_SMS_FILE": instance["SMARTWATCH_SMS_FILE"],
    }
