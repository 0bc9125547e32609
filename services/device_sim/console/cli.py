"""`watch` and `parent` as one typer app, for the command line of the product."""

from __future__ import annotations

import typer

from services.device_sim.console.parent import parent_command
from services.device_sim.console.watch import watch_command

app = typer.Typer(name="sim", help="A simulated watch and a simulated parent.", no_args_is_help=True)
app.command("watch")(watch_command)
app.command("parent")(parent_command)
