"""`smartwatch sim check-backend`: walks the contract against a backend, as a watch that a family has paired."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from services.device_sim.conformance.backend_bench import BackendStep
from services.device_sim.conformance.backend_check import STEPS, BackendCheck
from services.device_sim.conformance.parent_hands import ParentHand, SimParentHand, TesterParentHand
from services.device_sim.conformance.report import Report
from services.device_sim.console.check_watch import write_report
from services.device_sim.console.console import say, use_utf8
from services.device_sim.parent.parent import SimParent
from services.device_sim.parent.types import ProblemError, ServerAwayError
from services.device_sim.watch.mqtt_connection import BrokerAddress, ConnectionLostError, LoginRefusedError

_PLAIN_PORT, _TLS_PORT = 1883, 8883


def check_backend_command(  # noqa: PLR0913 - one parameter an option
    *,
    serial: Annotated[str, typer.Option(envvar="SMARTWATCH_SIM_SERIAL", help="Serial of a watch that may be paired.")],
    secret: Annotated[str, typer.Option(envvar="SMARTWATCH_SIM_SECRET", help="Its factory secret.")],
    host: Annotated[str, typer.Option(envvar="SMARTWATCH_SIM_HOST", help="Where the broker is.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(envvar="SMARTWATCH_SIM_PORT", help="8883 with --tls-ca, else 1883.")
    ] = None,
    tls_ca: Annotated[
        Path | None, typer.Option(envvar="SMARTWATCH_SIM_TLS_CA", help="Authority to trust; without it, plain MQTT.")
    ] = None,
    phone: Annotated[
        str | None, typer.Option(help="Number of a parent of a test family, who then is simulated; else you are asked.")
    ] = None,
    api: Annotated[
        str, typer.Option(envvar="SMARTWATCH_SIM_API_URL", help="Where the API is.")
    ] = "http://127.0.0.1:8080",
    sms_file: Annotated[
        Path | None, typer.Option(envvar="SMARTWATCH_SIM_SMS_FILE", help="Where the development provider writes.")
    ] = None,
    state: Annotated[Path, typer.Option(help="Folder of the simulated parent's memory.")] = Path(
        "var/sim/check-parent"
    ),
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the report as JSON.")] = None,
    html_file: Annotated[Path | None, typer.Option("--html", help="Write the report as one HTML file.")] = None,
) -> None:
    """Check a backend against every sentence of the contract. Use a test family: it is called for help."""
    use_utf8()
    tls = None if tls_ca is None else ssl.create_default_context(cafile=str(tls_ca))
    address = BrokerAddress(host, port or (_TLS_PORT if tls_ca else _PLAIN_PORT), tls)
    try:
        check = asyncio.run(_walk(address, serial, secret, phone=phone, api=api, sms_file=sms_file, state=state))
    except (ProblemError, ServerAwayError, ConnectionLostError, LoginRefusedError, OSError, TimeoutError) as error:
        say(f"The check cannot begin: {type(error).__name__} {error}.")
        raise typer.Exit(2) from None
    subject = f"{host}:{address.port} as {serial}"
    report = Report("Check of a backend", subject, datetime.now(UTC), check.verdicts, check.bench.trace)
    write_report(report, json_file, html_file)
    raise typer.Exit(0 if report.is_clean else 1)


async def _walk(
    address: BrokerAddress, serial: str, secret: str, *, phone: str | None, api: str, sms_file: Path | None,
    state: Path,
) -> BackendCheck:  # fmt: skip
    async with _parent(phone, api, sms_file, state) as hand:
        check = BackendCheck(address, serial, secret, hand)
        with contextlib.suppress(asyncio.CancelledError):
            await check.run(_tell)
        return check


@contextlib.asynccontextmanager
async def _parent(phone: str | None, api: str, sms_file: Path | None, state: Path) -> AsyncIterator[ParentHand]:
    if phone is None or sms_file is None:
        yield TesterParentHand()
        return
    async with SimParent(api, state) as parent:
        if not parent.is_logged_in:
            await parent.log_in_by_sms_file(phone, sms_file)
        hand = SimParentHand(parent)
        await hand.begin()
        yield hand


def _tell(place: int, step: BackendStep, note: str | None) -> None:
    say(f"{place:>2}/{len(STEPS)} {step.name}" if note is None else f"      {note}")


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
app.command()(check_backend_command)


def main(arguments: Sequence[str]) -> None:
    """Run from a command line; exits with 0 (nothing broken), 1 (something is) or 2 (wrong usage)."""
    app(args=list(arguments), prog_name="smartwatch sim check-backend")
