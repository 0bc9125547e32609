"""`smartwatch sim fleet`: thousands of paired watches, and parents, against a system."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Protocol

import typer

from services.device_sim.console.console import say, use_utf8
from services.device_sim.fleet.fleet import Delivered, PartFailedError, run_fleet
from services.device_sim.fleet.plan import CredentialsError, FleetPlan, Member, read_members

_PLAIN_PORT, _TLS_PORT = 1883, 8883


@dataclass(frozen=True)
class FleetStage:
    """A system with test watches that were made for the fleet. `room`: how many connections it has descriptors for."""

    members: Sequence[Member]
    host: str
    port: int
    tls_ca_file: Path | None
    api_url: str
    room: int | None
    delivered: Delivered


class FleetRefusedError(Exception):
    """No fleet can be made here; the message is for people."""


class Make(Protocol):
    """Makes test watches for a block."""

    def __call__(self, watches: int, parents: int, *, tls: bool) -> contextlib.AbstractContextManager[FleetStage]:
        """Return the stage; raises FleetRefusedError."""


def _no_maker(watches: int, parents: int, *, tls: bool) -> contextlib.AbstractContextManager[FleetStage]:
    del watches, parents, tls
    raise FleetRefusedError(
        "name the paired test watches with --credentials FILE.csv: the simulator alone has no backend"
    )


class _Maker:
    """Makes watches in our own installation; the product's command line sets it, the simulator knows no backend."""

    def __init__(self) -> None:
        self.make: Make = _no_maker


MAKER = _Maker()


def fleet_command(  # noqa: PLR0913 - one parameter an option
    *,
    watches: Annotated[int, typer.Option(help="How many; 0: all of the file, or 1,000 of our own.")] = 0,
    credentials: Annotated[
        Path | None,
        typer.Option(
            help="CSV `username,password[,child_id,refresh_token]` of paired test watches; without it our own "
            "installation makes them (it is started where none runs)."
        ),
    ] = None,
    tls: Annotated[bool, typer.Option("--tls", help="Through the TLS listener of our own installation.")] = False,
    host: Annotated[str, typer.Option(envvar="SMARTWATCH_SIM_HOST", help="Where the broker is.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(envvar="SMARTWATCH_SIM_PORT", help="8883 with --tls-ca, else 1883.")
    ] = None,
    tls_ca: Annotated[
        Path | None, typer.Option(envvar="SMARTWATCH_SIM_TLS_CA", help="Authority to trust; without it, plain MQTT.")
    ] = None,
    api: Annotated[
        str, typer.Option(envvar="SMARTWATCH_SIM_API_URL", help="Where the API is, for parents.")
    ] = "http://127.0.0.1:8080",
    parents: Annotated[int, typer.Option(help="Parents with an event stream; they read and write.")] = 0,
    connects_per_s: Annotated[float, typer.Option(help="Connections begun a second.")] = 1000.0,
    texts_per_s: Annotated[float, typer.Option(help="Texts a second of all watches.")] = 20.0,
    parent_texts_per_s: Annotated[float, typer.Option(help="Texts a second of all parents.")] = 5.0,
    seconds: Annotated[float, typer.Option(help="How long they write.")] = 10.0,
    patience: Annotated[
        float, typer.Option(help="Seconds to wait for the last hello, and for the last message.")
    ] = 300.0,
    processes: Annotated[int, typer.Option(help="0: as many as help.")] = 0,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures as JSON.")] = None,
) -> None:
    """Connect a fleet, let it write, and report rates, percentiles and losses."""
    use_utf8()
    try:
        if credentials is not None:
            members = read_members(credentials, watches)
            stage: contextlib.AbstractContextManager[FleetStage | None] = contextlib.nullcontext()
        else:
            members = []
            stage = MAKER.make(watches or 1_000, parents, tls=tls)
        with stage as own:
            where = own or FleetStage(
                members, host, port or (_TLS_PORT if tls_ca else _PLAIN_PORT), tls_ca, api, None, _nothing
            )
            plan = FleetPlan(
                where.host, where.port, None if where.tls_ca_file is None else str(where.tls_ca_file), where.api_url,
                connects_per_s, texts_per_s, parent_texts_per_s, seconds, parents, patience, patience,
            )  # fmt: skip
            report = asyncio.run(
                run_fleet(
                    where.members,
                    plan,
                    say,
                    processes=processes,
                    room=where.room,
                    delivered=None if own is None else own.delivered,
                )
            )
    except (CredentialsError, FleetRefusedError, PartFailedError) as error:
        say(f"{error}.")
        raise typer.Exit(2) from None
    for line in report.as_lines():
        say(line)
    if json_file is not None:
        json_file.write_text(report.as_json(), encoding="utf-8")
    raise typer.Exit(0 if report.is_whole else 1)


async def _nothing() -> Sequence[str]:
    return ()


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
app.command()(fleet_command)


def main(arguments: Sequence[str]) -> None:
    """Run from a command line; exits with 0 (all online, all confirmed), 1 (not all) or 2 (wrong usage)."""
    app(args=list(arguments), prog_name="smartwatch sim fleet")
