"""`smartwatch sim check-watch`: the backend's part against a watch, with what the tester has to press."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from services.device_sim.conformance.bench import Pace
from services.device_sim.conformance.broken_watches import BROKEN_WATCHES
from services.device_sim.conformance.given_broker import GivenBroker
from services.device_sim.conformance.hands import Hand, TesterHand
from services.device_sim.conformance.report import Report
from services.device_sim.conformance.sim_hand import SERIAL, SIM_PACE, SimHand
from services.device_sim.conformance.steps import Step
from services.device_sim.conformance.watch_check import STEPS, Progress, WatchCheck
from services.device_sim.console.console import say, use_utf8


def check_watch_command(  # noqa: PLR0913 - one parameter an option
    *,
    serial: Annotated[str | None, typer.Option(help="Serial of the watch under test.")] = None,
    listen: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 for a watch on the network.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 1883,
    address: Annotated[
        str | None,
        typer.Option(help="HOST[:PORT] under which the watch reaches the broker; stands in its credentials."),
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate chain (PEM) for TLS; needs --tls-key.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Private key (PEM).")] = None,
    broker: Annotated[
        str | None, typer.Option(help="HOST:PORT of a broker that the watch uses already; in the place of --listen.")
    ] = None,
    broker_user: Annotated[str, typer.Option(help="The backend's user at that broker.")] = "sw-backend",
    broker_password: Annotated[
        str, typer.Option(envvar="SMARTWATCH_SIM_BROKER_PASSWORD", help="Better in the environment.")
    ] = "",
    broker_ca: Annotated[Path | None, typer.Option(help="Authority to trust for TLS to that broker.")] = None,
    paired: Annotated[
        str | None,
        typer.Option(envvar="SMARTWATCH_SIM_PAIRED", help="USER:PASSWORD of a paired watch that the broker lets in."),
    ] = None,
    questions: Annotated[bool, typer.Option(help="Ask what the watch shows.")] = True,
    step: Annotated[list[str] | None, typer.Option(help="Only this step, after the pairing; repeat it.")] = None,
    steps: Annotated[bool, typer.Option("--steps", help="List the steps and end.")] = False,
    own: Annotated[bool, typer.Option("--own", help="Check our own simulator, at 30 times the pace.")] = False,
    broken: Annotated[
        str | None, typer.Option(help="Check a deliberately broken simulator; `list` names them.")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the report as JSON.")] = None,
    html_file: Annotated[Path | None, typer.Option("--html", help="Write the report as one HTML file.")] = None,
) -> None:
    """Check a watch against every sentence of the contract. Point the watch at this computer first."""
    use_utf8()
    if steps:
        _list_steps()
    if broken is not None and broken not in BROKEN_WATCHES:
        for name, kind in BROKEN_WATCHES.items():
            say(f"  {name:<22} {kind.breaks:<4} {kind.about}")
        raise typer.Exit(0 if broken == "list" else 2)
    is_own = own or broken is not None
    if serial is None and not is_own:
        say("Name the watch with --serial, or check our own simulator with --own.")
        raise typer.Exit(2)
    chosen = _chosen_steps(step, broken)
    tls = _tls(tls_cert, tls_key)
    given = None if broker is None or is_own else _given_broker(broker, broker_user, broker_password, broker_ca)
    check = WatchCheck(SERIAL if is_own else str(serial), SIM_PACE if is_own else Pace(), given)
    if paired is not None:
        user, _, password = paired.partition(":")
        check.bench.paired_login = (user, password)
    if given is not None:
        address = address or given.host
    try:
        asyncio.run(
            _walk(check, chosen, tls, listen=listen, port=0 if is_own else port, address=address,
                  broken=broken, is_own=is_own, questions=questions)
        )  # fmt: skip
    except OSError as error:
        say(f"Cannot listen on {listen}:{port}: {error.strerror}." if given is None else f"{error.strerror}.")
        raise typer.Exit(2) from None
    subject = f"watch {serial}" if not is_own else f"our simulator{f', {broken}' if broken else ''}"
    report = Report("Check of a watch", subject, datetime.now(UTC), check.verdicts, check.bench.trace)
    write_report(report, json_file, html_file)
    raise typer.Exit(0 if report.is_clean else 1)


def write_report(report: Report, json_file: Path | None, html_file: Path | None) -> None:
    """Print a report and write its files."""
    say()
    for line in report.as_lines():
        say(line)
    for file, text in ((json_file, report.as_json), (html_file, report.as_html)):
        if file is not None:
            file.write_text(text(), encoding="utf-8")
            say(f"written: {file}")


def _list_steps() -> None:
    for place, step in enumerate(STEPS, 1):
        say(f"  {place:>2}. {step.name} ({step.lasts_s} s)")
    raise typer.Exit(0)


def _chosen_steps(names: Sequence[str] | None, broken: str | None) -> list[Step]:
    wanted = names or (BROKEN_WATCHES[broken].steps if broken is not None else None)
    if wanted is None:
        return list(STEPS)
    unknown = set(wanted) - {step.name for step in STEPS}
    if unknown:
        say(f"There is no step {min(unknown)!r}; --steps lists them.")
        raise typer.Exit(2)
    return [step for step in STEPS if not step.needs_pairing or step.name in wanted]


def _given_broker(place: str, user: str, password: str, ca_file: Path | None) -> GivenBroker:
    host, _, port = place.rpartition(":")
    if not host or not port.isdigit():
        say(f"{place} is no HOST:PORT.")
        raise typer.Exit(2)
    try:
        tls = None if ca_file is None else ssl.create_default_context(cafile=str(ca_file))
    except (OSError, ssl.SSLError) as error:
        say(f"The authority cannot be used: {error}.")
        raise typer.Exit(2) from None
    return GivenBroker(host, int(port), user, password, tls)


def _tls(cert: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if cert is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(cert, key)
    except (OSError, ssl.SSLError) as error:
        say(f"The certificate cannot be used: {error}.")
        raise typer.Exit(2) from None
    return context


async def _walk(  # noqa: PLR0913 - one parameter an option
    check: WatchCheck, steps: Sequence[Step], tls: ssl.SSLContext | None, *, listen: str, port: int,
    address: str | None, broken: str | None, is_own: bool, questions: bool,
) -> None:  # fmt: skip
    async with check.listening(listen, port, tls) as chosen_port:
        if not is_own:
            lasts_min = sum(step.lasts_s for step in steps) / 60
            if check.bench.endpoint.sees_connections:
                say(f"Listening on {listen}:{chosen_port}{' by TLS' if tls else ''}. Point the watch at it.")
            else:
                say("At a broker that is there already: sentences about connections stay `not seen`.")
            say(f"{len(steps)} steps of {lasts_min:.0f} minutes, the presses not counted. Ctrl+C ends with a report.")
        async with _hand(
            check, chosen_port, broken=broken, is_own=is_own, questions=questions, address=address
        ) as hand:
            with contextlib.suppress(asyncio.CancelledError):
                await check.run(hand, _tell, steps)


@contextlib.asynccontextmanager
async def _hand(
    check: WatchCheck, port: int, *, broken: str | None, is_own: bool, questions: bool, address: str | None
) -> AsyncIterator[Hand]:
    given = address or "127.0.0.1"
    host, _, port_text = given.rpartition(":")
    # An IPv6 address has colons of its own.
    names_port = bool(host) and ":" not in host and port_text.isdigit()
    check.bench.address, check.bench.port = (host, int(port_text)) if names_port else (given, 0)
    if not is_own:
        yield TesterHand(asks=questions and sys.stdin.isatty())
        return
    kind = BROKEN_WATCHES[broken] if broken is not None else None
    with tempfile.TemporaryDirectory(prefix="smartwatch-check-") as folder:
        hand = SimHand(Path(folder), port) if kind is None else SimHand(
            Path(folder), port, line=kind.line(), timings=kind.timings, wipes_on_refusal=kind.wipes_on_refusal
        )  # fmt: skip
        async with hand:
            yield hand


def _tell(progress: Progress) -> None:
    if progress.note is None:
        say(f"{progress.place:>2}/{progress.of} {progress.step.name}")
    else:
        say(f"      {progress.note}")


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
app.command()(check_watch_command)


def main(arguments: Sequence[str]) -> None:
    """Run from a command line; exits with 0 (nothing broken), 1 (something is) or 2 (wrong usage)."""
    app(args=list(arguments), prog_name="smartwatch sim check-watch")
