"""The simulated parent at a terminal: `smartwatch sim parent`."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from prompt_toolkit import PromptSession

from services.device_sim.console.console import (
    Command,
    CommandError,
    Console,
    awaited,
    printable,
    say,
    shown,
    use_utf8,
    voice_shown,
    words,
)
from services.device_sim.console.parent_device_commands import DeviceCommands
from services.device_sim.console.parent_family_commands import FamilyCommands
from services.device_sim.console.parent_place_commands import PlaceCommands
from services.device_sim.console.parent_voice_commands import VoiceCommands
from services.device_sim.parent.parent import SimParent
from services.device_sim.parent.records import Message
from services.device_sim.parent.types import FamilyEvent, ProblemError, ServerAwayError
from services.device_sim.sound import SoundRefusedError
from services.device_sim.watch.events import EventBoard
from services.protocol.words import Emoji

_KNOWN_ERRORS = (ProblemError, ServerAwayError, SoundRefusedError)
_WAIT_S = 120.0


class ParentConsole:
    """The parent's app as text commands."""

    def __init__(self, parent: SimParent, *, phone: str | None, sms_file: Path | None) -> None:
        self._parent = parent
        self._family = FamilyCommands(parent)
        self._voice = VoiceCommands(parent, self._family)
        self._places = PlaceCommands(parent, self._family)
        self._devices = DeviceCommands(parent)
        self._phone = phone
        self._sms_file = sms_file
        self._board = EventBoard()
        self._is_told = False
        self._follower: asyncio.Task[None] | None = None
        self.console = Console(
            [
                Command("login", "login [PHONE [CODE]]", "get a code by SMS and log in with it", self._login),
                Command("logout", "logout", "end the session and forget everything here", self._logout),
                *self._family.commands(),
                Command("write", "write TEXT", "to the child", self._write),
                Command("emoji", "emoji WORD", "one of: " + " ".join(Emoji), self._emoji),
                *self._voice.commands(),
                *self._places.commands(),
                *self._devices.commands(),
                Command("send-waiting", "send-waiting", "send again what was not answered", self._send_waiting),
                Command("history", "history", "the conversation, oldest first", self._history),
                Command("read", "read N", "read message N of the history; the child is notified", self._read),
                Command("follow", "follow", "print events as they happen", self._follow),
                Command("unfollow", "unfollow", "stop printing events", self._unfollow),
                Command(
                    "wait",
                    "wait EVENT [N] [30s]",
                    "until it happened N times since the log-in: message.created, message.state, ...",
                    self._wait,
                ),
            ],
            _KNOWN_ERRORS,
        )

    async def close(self) -> None:
        """Stop following."""
        await self._stop_listening()

    # ---------------------------------------------------------------- log in

    async def _login(self, rest: str) -> None:
        arguments = rest.split()
        phone = arguments[0] if arguments else self._phone
        if phone is None:
            raise CommandError("usage: login PHONE [CODE]")
        if len(arguments) > 1:
            await self._parent.log_in(phone, arguments[1])
        elif self._sms_file is not None:
            await self._parent.log_in_by_sms_file(phone, self._sms_file)
        else:
            sent = await self._parent.request_code(phone)
            say(f"If this phone may log in, a code is on its way; it lives {sent.expires_in_s // 60} minutes.")
            if not sys.stdin.isatty():
                say(f"Then: login {phone} CODE")
                return
            typed = await PromptSession[str]().prompt_async("code> ")
            await self._parent.log_in(phone, typed.strip())
        if not await self._devices.say_second_step():
            await self.begin()
            await self._family.show_me("")

    async def _logout(self, _rest: str) -> None:
        await self._stop_listening()
        await self._parent.log_out()
        say("logged out")

    # ---------------------------------------------------------------- messages

    async def _write(self, rest: str) -> None:
        child = await self._family.child()
        (text,) = words(rest, 1, "write TEXT")
        self._voice.say_sent(await self._parent.write(child.child_id, text))

    async def _emoji(self, rest: str) -> None:
        child = await self._family.child()
        (word,) = words(rest, 1, "emoji WORD")
        self._voice.say_sent(await self._parent.emoji(child.child_id, word))

    async def _send_waiting(self, _rest: str) -> None:
        sent = await self._parent.send_waiting()
        say(f"{len(sent)} sent, {len(self._parent.waiting())} still waiting")

    async def _history(self, _rest: str) -> None:
        messages = await self._voice.recent(await self._family.child())
        for place, message in enumerate(messages, 1):
            say(f"  {place}. {_line(message)}")
            # A new message from the child has now arrived on this phone.
            if message.my_state == "stored":
                await self._parent.mark(message.child_id, message.message_id, "delivered")
        if not messages:
            say("  nothing yet")

    async def _read(self, rest: str) -> None:
        message = await self._voice.chosen(rest)
        if message.direction == "to_family":
            message = await self._parent.mark(message.child_id, message.message_id, "played")
        say(f"  {_line(message)}")

    # ---------------------------------------------------------------- events

    async def begin(self) -> None:
        """Listen from the first moment where somebody is logged in, so that `wait` sees what already happened."""
        if self._parent.is_logged_in:
            with contextlib.suppress(ServerAwayError, TimeoutError):
                # Before its second step a phone hears nothing.
                if not await self._parent.devices.is_second_step_needed():
                    await self._listen()

    async def _follow(self, _rest: str) -> None:
        await self._listen()
        self._is_told = True

    async def _listen(self) -> None:
        if self._follower is None or self._follower.done():
            self._follower = asyncio.create_task(self._tell())
            # From here on nothing is missed: the stream has told where it begins.
            await self._board.wait_for("ready", _WAIT_S)

    async def _unfollow(self, _rest: str) -> None:
        self._is_told = False

    async def _stop_listening(self) -> None:
        self._is_told = False
        if self._follower is not None:
            self._follower.cancel()
            await asyncio.gather(self._follower, return_exceptions=True)
            self._follower = None

    async def _wait(self, rest: str) -> None:
        if not rest:
            raise CommandError("usage: wait EVENT [N] [30s]")
        wanted = awaited(rest, _WAIT_S)
        await self._listen()
        for _ in range(wanted.times):
            await self._board.wait_for(wanted.event, wanted.timeout_s)

    async def _tell(self) -> None:
        try:
            async with contextlib.aclosing(self._parent.follow()) as events:
                async for event in events:
                    self._board.emit(event.kind, child_id=event.child_id, ref_id=event.ref_id)
                    if self._is_told:
                        await self._tell_one(event)
        except ProblemError as error:
            say(f"* no more events: {printable(error.detail)}")

    async def _tell_one(self, event: FamilyEvent) -> None:
        if event.kind == "ready":
            return
        if event.kind in {"message.created", "message.state"} and event.child_id and event.ref_id:
            with contextlib.suppress(ProblemError, ServerAwayError):
                message = await self._parent.message(event.child_id, event.ref_id)
                if event.kind == "message.created" and message.my_state == "stored":
                    message = await self._parent.mark(event.child_id, event.ref_id, "delivered")
                say(f"* {_line(message)}")
                return
        detail = " ".join(f"{name}={printable(str(value))}" for name, value in event.detail.items())
        say(f"* {event.kind} {detail}")


def _line(message: Message) -> str:
    if message.voice is not None:
        content = voice_shown(message.voice.duration_ms, message.voice.bars, message.voice.state)
    else:
        content = shown(message.kind, (message.text if message.kind == "text" else message.emoji) or "")
    states = ", ".join(
        f"{printable(recipient.name)}: {recipient.state}{f' ({recipient.detail})' if recipient.detail else ''}"
        for recipient in message.recipients
    )
    return f"{printable(message.sender.name)}: {content}  [{states}]"


def parent_command(
    *,
    api: Annotated[
        str, typer.Option(envvar="SMARTWATCH_SIM_API_URL", help="Where the API is.")
    ] = "http://127.0.0.1:8080",
    state: Annotated[
        Path, typer.Option(envvar="SMARTWATCH_SIM_PARENT_STATE", help="Folder of this phone's memory.")
    ] = Path("var/sim/parent"),
    phone: Annotated[str | None, typer.Option(envvar="SMARTWATCH_SIM_PHONE", help="For `login` without one.")] = None,
    sms_file: Annotated[
        Path | None,
        typer.Option(
            envvar="SMARTWATCH_SIM_SMS_FILE", help="Where the development provider writes; else type the code."
        ),
    ] = None,
    command: Annotated[
        list[str] | None, typer.Option("--command", "-c", help="A line to run; repeat it for a script.")
    ] = None,
    stay: Annotated[bool, typer.Option("--stay", help="Take lines after the script instead of ending.")] = False,
) -> None:
    """Play a parent: log in, agree, pair, speak and listen, write and read."""
    use_utf8()
    raise typer.Exit(
        asyncio.run(_play(SimParent(api, state), command or [], phone=phone, sms_file=sms_file, stay=stay))
    )


async def _play(
    parent: SimParent, script: Sequence[str], *, phone: str | None, sms_file: Path | None, stay: bool
) -> int:
    async with parent:
        console = ParentConsole(parent, phone=phone, sms_file=sms_file)
        await console.begin()
        try:
            outcome = await console.console.run_script(script)
            if outcome == 0 and (stay or not script):
                outcome = await console.console.run("parent> ")
        finally:
            await console.close()
    return outcome


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
app.command()(parent_command)


def main(arguments: Sequence[str]) -> None:
    """Run from a command line; exits with 0, 1 (a line failed) or 2 (wrong usage)."""
    app(args=list(arguments), prog_name="smartwatch sim parent")
