"""`smartwatch sim serve`: a watch on the screen, in a browser of this computer."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import Annotated

import typer

from services.device_sim.console import options
from services.device_sim.console.console import say, use_utf8
from services.device_sim.screen.desk import Desk
from services.device_sim.screen.serving import serve
from services.device_sim.screen.wire_log import LoggedLine
from services.device_sim.watch.body import WatchTraits
from services.device_sim.watch.store import WatchFolderError
from services.device_sim.watch.timings import Timings
from services.device_sim.watch.watch import SimWatch

_PLAIN_PORT, _TLS_PORT = 1883, 8883
ENVIRONMENT = "SMARTWATCH_ENVIRONMENT"


def serve_command(  # noqa: PLR0913 - one parameter an option
    *,
    state: options.State = options.DEFAULT_STATE,
    serial: options.Serial = None,
    secret: options.Secret = None,
    host: options.Host = "127.0.0.1",
    port: options.Port = None,
    tls_ca: options.TlsCa = None,
    page_port: Annotated[int, typer.Option(help="Port of the page on this computer; 0: a free one.")] = 0,
    training: Annotated[bool, typer.Option("--training", help="Begin with the training.")] = False,
    impatient: Annotated[
        bool, typer.Option("--impatient", help="Repeat after milliseconds where a watch waits seconds to minutes.")
    ] = False,
) -> None:
    """Show a watch in a browser of this computer, with its wire log and a training."""
    use_utf8()
    if os.environ.get(ENVIRONMENT) == "production":
        say("A watch on the screen is for development and training: not with settings of production.")
        raise typer.Exit(2)

    def make(line: LoggedLine, traits: WatchTraits) -> SimWatch:
        return SimWatch(
            state, host, port or (_TLS_PORT if tls_ca else _PLAIN_PORT), str(tls_ca) if tls_ca else None,
            serial=serial, secret=secret, timings=Timings.quick() if impatient else None, line=line, traits=traits,
        )  # fmt: skip

    try:
        desk = Desk(make)
        if training:
            desk.training.begin()
        asyncio.run(serve(desk, page_port, say))
    except (WatchFolderError, ValueError) as error:
        say(f"This watch cannot be switched on: {error}.")
        raise typer.Exit(2) from None
    except ModuleNotFoundError as error:
        say(f"The page needs the package {error.name}: pip install {error.name}")
        raise typer.Exit(2) from None
    except OSError as error:
        say(f"The page cannot be served on port {page_port}: {error.strerror}.")
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        return


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
app.command()(serve_command)


def main(arguments: Sequence[str]) -> None:
    """Run from a command line; exits with 0 (stopped) or 2 (wrong usage)."""
    app(args=list(arguments), prog_name="smartwatch sim serve")
