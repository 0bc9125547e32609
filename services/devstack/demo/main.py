"""`smartwatch demo`: the story of one family, with a simulated watch and parent against the real processes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import signal
import threading
import time
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from services.broker.errors import BrokerError
from services.core.platform.settings import Settings
from services.devstack.demo.console import STEPS, fill_console
from services.devstack.demo.office import HandedOut
from services.devstack.demo.screen import ScreenError, ScreenProcess
from services.devstack.demo.steps import StepResult
from services.devstack.demo.story import Story
from services.devstack.installation import Installation, InstallationError
from services.devstack.postgres import PostgresInUseError
from services.devstack.postgres_user import PostgresUnavailableError


def run_demo(*, once: bool = False, var: Path = Path("var")) -> int:
    """Start everything, run the story, and stay up unless ``once``; return 0 only if every step passed."""
    console = Console(soft_wrap=True)
    signal.signal(signal.SIGTERM, _interrupt)
    started_at_s = time.monotonic()
    try:
        installation = Installation.acquire(
            var, "demo", or_next=True, announce=lambda line: console.print(f"demo: {line}")
        )
        with installation:
            console.print(
                f"demo: everything runs in {installation.instance.folder} after {time.monotonic() - started_at_s:.1f} s"
            )
            return _play_on(installation, console, once=once)
    except KeyboardInterrupt:
        return 0
    except (InstallationError, PostgresUnavailableError, PostgresInUseError, BrokerError) as error:
        console.print(f"demo: {error}")
        return 1


def _play_on(installation: Installation, console: Console, *, once: bool) -> int:
    folder = installation.instance.folder / f"story-{secrets.token_hex(3)}"
    story = Story(installation, folder)

    def tell(result: StepResult) -> None:
        mark = "[green]✓[/green]" if result.held else "[red]✗[/red]"
        console.print(f"{mark} {result.step}", highlight=False)
        console.print(f"    {result.seen}  [{result.duration_ms} ms]", highlight=False, markup=False)

    async def play() -> bool:
        try:
            return await story.play(tell)
        finally:
            await story.close()

    passed = asyncio.run(play())
    report = installation.instance.folder / "demo.json"
    report.write_text(
        json.dumps(
            {"held": passed, "steps": [asdict(result) for result in story.results]}, ensure_ascii=False, indent=2
        )
    )
    _print_table(console, story.results)
    console.print(f"demo: {'every step passed' if passed else 'a step failed'}; the same as JSON: {report}")
    console.print(f"demo: logs of every process: {installation.instance.folder / 'log'}", highlight=False)
    if not once and passed:
        new = asyncio.run(story.enrol_for_browser())
        with contextlib.suppress(KeyboardInterrupt), contextlib.ExitStack() as beside:
            screen = _watch_on_screen(console, installation, story, new, beside)
            _tell_where_to_look(console, installation, story, new, screen)
            _fill_console(console, installation)
            threading.Event().wait()
    return 0 if passed else 1


def _print_table(console: Console, results: list[StepResult]) -> None:
    table = Table("step", "passed", "ms", title="the story of one family")
    table.columns[2].justify = "right"
    for result in results:
        table.add_row(result.step, "yes" if result.held else "NO", str(result.duration_ms))
    console.print(table)


def _watch_on_screen(
    console: Console, installation: Installation, story: Story, new: HandedOut, beside: contextlib.ExitStack
) -> str | None:
    """Serve the new family's watch in a browser until ``beside`` ends; return its address, None without it."""
    folder = story.watch_folder.with_name(f"watch-{new.serial}")
    served = ScreenProcess(
        new, folder, broker_port=installation.ports["mosquitto_tls_port"], tls_ca_file=installation.tls_ca_file
    )
    try:
        return beside.enter_context(served).address
    except (OSError, ScreenError) as error:
        console.print(f"demo: there is no watch on the screen: {error}", markup=False)
        return None


def _tell_where_to_look(
    console: Console, installation: Installation, story: Story, new: HandedOut, screen: str | None
) -> None:
    if story.handed is None:
        return
    ports = installation.ports
    sms_file = installation.settings["sms_file"]
    parent = f"--state {story.parent_folder} --api {installation.api_url} --sms-file {sms_file}"
    broker = f"--port {ports['mosquitto_tls_port']} --tls-ca {installation.tls_ca_file}"
    watch = f"--state {story.watch_folder} {broker}"
    new_watch = f"--state {story.watch_folder}-{new.serial} --serial {new.serial} --secret {new.secret} {broker}"
    its_watch = (
        f"    its watch, on the screen {screen} in a second window; speak into the microphone"
        if screen is not None
        else f"    its watch              .venv/bin/smartwatch sim watch {new_watch}   (`pair` shows the code)"
    )
    lines = [
        "",
        "Everything stays up until Ctrl-C. Where to look, each in a terminal of its own:",
        f"  the parents' app         {installation.api_url}/ in a browser",
        f"    a family to log in     phone {new.phone}; codes arrive in {sms_file}",
        its_watch,
        f"  the API by hand          {installation.api_url}/docs",
        f"  log in as the parent     phone {story.handed.phone}; codes arrive in {sms_file}",
        f"  take over the parent     .venv/bin/smartwatch sim parent {parent}",
        f"  take over the watch      .venv/bin/smartwatch sim watch {watch}",
        f"  hear both recordings     {story.voice_folder}",
    ]
    for line in lines:
        console.print(line, highlight=False, markup=False)


def _fill_console(console: Console, installation: Installation) -> None:
    """Make the programme that the staff console shows; the parents' app can be tried meanwhile."""
    settings = Settings.model_validate(installation.settings)
    console.print("")
    console.print("demo: a simulated year for the staff console is being made, for a minute or two", highlight=False)
    try:
        with Progress(console=console, transient=True) as bar:
            task = bar.add_task("a simulated year for the staff console", total=STEPS)
            logins = asyncio.run(fill_console(settings, lambda: bar.advance(task)))
    except (OSError, TimeoutError) as error:
        console.print(f"demo: the staff console has no simulated programme: {type(error).__name__}: {error}")
        return
    lines = [
        f"The staff console          {installation.api_url}/staff in a browser",
        "    a simulated programme: a year of usage of 150 families that do not exist, in no count of a real one",
        *(
            f"    {login.role:8} {login.email}, password {login.password}, code one of {', '.join(login.codes[:4])}"
            for login in logins
        ),
    ]
    for line in lines:
        console.print(line, highlight=False, markup=False)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
