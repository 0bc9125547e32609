"""All commands: a subcommand of `smartwatch` per process and per chore.

Rooms are imported inside the commands: `--help` stays fast, and a fault in one room leaves the other commands usable.
"""

from __future__ import annotations

from typing import Annotated

import typer

from services import __version__
from services.cli import run as cli_run
from services.cli.audit import audit_commands
from services.cli.backup import backup_commands, restore_command
from services.cli.database import database_commands
from services.cli.families import family_commands
from services.cli.hand_out import hand_out_commands
from services.cli.keys import key_commands
from services.cli.privacy import privacy_commands
from services.cli.processes import run_process
from services.cli.programme import cohort_commands, programme_commands, site_commands, staff_commands
from services.cli.settings import settings_command
from services.cli.sim import sim_commands
from services.cli.sms import sms_commands
from services.cli.surveys import survey_commands
from services.cli.usage import usage_commands
from services.cli.watches import watch_commands

app = typer.Typer(
    name="smartwatch",
    help="The SmartWatch backend: parents and children talk through watches.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(database_commands)
app.add_typer(programme_commands)
app.add_typer(site_commands)
app.add_typer(cohort_commands)
app.add_typer(staff_commands)
app.add_typer(watch_commands)
app.add_typer(family_commands)
app.add_typer(key_commands)
app.add_typer(hand_out_commands)
app.add_typer(survey_commands)
app.command("settings")(settings_command)
app.add_typer(audit_commands)
app.add_typer(privacy_commands)
app.add_typer(sim_commands)
app.add_typer(sms_commands)
app.add_typer(usage_commands)
app.add_typer(backup_commands)
app.command("restore")(restore_command)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"smartwatch {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Read the options that stand before any subcommand."""


Instance = Annotated[str, typer.Option(help="Name of the folder below var/; several instances can run at once.")]


@app.command()
def up(
    instance: Instance = "default",
    cluster: Annotated[
        bool, typer.Option("--cluster", help="Three nodes of RabbitMQ and two of each process, to try a cluster.")
    ] = False,
) -> None:
    """Run everything on this machine: database, broker, API, bridge and worker."""
    from services.devstack.up import run_up, run_up_cluster

    raise typer.Exit(run_up_cluster(instance) if cluster else run_up(instance))


@app.command()
def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Stop after the story; exit 0 only if every step passed.")
    ] = False,
) -> None:
    """Start everything and run the story of one family; print the time of each step."""
    from services.devstack.demo.main import run_demo

    raise typer.Exit(run_demo(once=once))


@app.command()
def doctor(instance: Instance = "default") -> None:
    """List what is missing or wrong on this machine, and the remedy."""
    from services.backup.doctor import backup_findings
    from services.devstack.doctor import run_doctor

    raise typer.Exit(run_doctor(instance, backup_findings))


@app.command()
def watchdog() -> None:
    """Look at everything once, and tell the operator what is wrong; for a timer. Exit code 1: a line reached nobody."""
    settings = cli_run.load_settings()
    from services.devstack.watchdog.main import run_watchdog

    raise typer.Exit(run_watchdog(settings))


@app.command()
def api() -> None:
    """Run the HTTP API."""
    run_process("api")


@app.command()
def bridge() -> None:
    """Run the MQTT bridge."""
    run_process("bridge")


@app.command()
def broker() -> None:
    """Run Mosquitto and keep its users in step with the database."""
    run_process("broker")


@app.command("broker-auth")
def broker_auth() -> None:
    """Answer an external broker's questions about log-ins and topics, and disconnect revoked watches there."""
    run_process("broker-auth")


@app.command()
def worker() -> None:
    """Run the worker: text messages, push, transcoding, exports and sweeps."""
    run_process("worker")
