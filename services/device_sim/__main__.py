"""`python -m services.device_sim`: the simulators without the rest of the product, on any system that has Python."""

from __future__ import annotations

import typer

from services.device_sim.console.check_backend import check_backend_command
from services.device_sim.console.check_watch import check_watch_command
from services.device_sim.console.fleet import fleet_command
from services.device_sim.console.parent import parent_command
from services.device_sim.console.scenario import scenario_command
from services.device_sim.console.serve import serve_command
from services.device_sim.console.watch import watch_command

app = typer.Typer(
    name="sim",
    help="A simulated watch, a simulated parent, and checks against the contract.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("watch")(watch_command)
app.command("serve")(serve_command)
app.command("parent")(parent_command)
app.command("check-watch")(check_watch_command)
app.command("check-backend")(check_backend_command)
app.command("scenario")(scenario_command)
app.command("fleet")(fleet_command)

if __name__ == "__main__":
    app(prog_name="python -m services.device_sim")
