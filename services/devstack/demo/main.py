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
from rich.table import Table

from services.broker.errors import BrokerError
from services.devstack.demo.office import HandedOut
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

    def tell(taken: StepResult) -> None:
        mark = "[green]✓[/green]" if taken.held else "[red]✗[/red]"
        console.print(f"{mark} {taken.step}", highlight=False)
        console.print(f"    {taken.seen}  [{taken.duration_ms} ms]", highlight=False, markup=False)

    async def play() -> bool:
        try:
            return await story.play(tell)
        finally:
            await story.close()

    held = asyncio.run(play())
    report = installation.instance.folder / "demo.json"
    report.write_text(
        json.dumps({"held": held, "steps": [asdict(taken) for taken in story.taken]}, ensure_ascii=False, indent=2)
    )
    _print_table(console, story.taken)
    console.print(f"demo: {'every step passed' if held else 'a step failed'}; the same as JSON: {report}")
    console.print(f"demo: logs of every process: {installation.instance.folder / 'log'}", highlight=False)
    if not once and held:
        _tell_where_to_look(console, installation, story, asyncio.run(story.enrol_for_browser()))
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
    return 0 if held else 1


def _print_table(console: Console, taken: list[StepResult]) -> None:
    table = Table("step", "passed", "ms", title="the story of one family")
    table.columns[2].justify = "right"
    for port in taken:
        table.add_row(port.step, "yes" if port.held else "NO", str(port.duration_ms))
    console.print(table)


def _tell_where_to_look(console: Console, installation: Installation, story: Story, new: HandedOut) -> None:
    if story.handed is None:
        return
    ports = installation.ports
    sms_file = installation.settings["sms_file"]
    parent = f"--state {story.parent_folder} --api {installation.api_url} --sms-file {sms_file}"
    broker = f"--port {ports['mosquitto_tls_port']} --tls-ca {installation.tls_ca_file}"
    watch = f"--state {story.watch_folder} {broker}"
    new_watch = f"--state {story.watch_folder}-{new.serial} --serial {new.serial} --secret {new.secret} {broker}"
    lines = [
        "",
        "Everything stays up until Ctrl-C. Where to look, each in a terminal of its own:",
        f"  the parents' app         {installation.api_url}/ in a browser",
        f"    a family to log in     phone {new.phone}; codes arrive in {sms_file}",
        f"    its watch              .venv/bin/smartwatch sim watch {new_watch}   (`pair` shows the code)",
        f"  the API by hand          {installation.api_url}/docs",
        f"  log in as the parent     phone {story.handed.phone}; codes arrive in {sms_file}",
        f"  take over the parent     .venv/bin/smartwatch sim parent {parent}",
        f"  take over the watch      .venv/bin/smartwatch sim watch {watch}",
        f"  hear both recordings     {story.voice_folder}",
    ]
    for line in lines:
        console.print(line, highlight=False, markup=False)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
