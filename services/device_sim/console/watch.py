"""The simulated watch at a terminal: `smartwatch sim watch`."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import segno
import typer

from services.device_sim.console import options
from services.device_sim.console.console import (
    Command,
    CommandError,
    Console,
    awaited,
    number,
    printable,
    say,
    seconds,
    shown,
    use_utf8,
    voice_shown,
    words,
)
from services.device_sim.console.watch_faults import FaultCommands
from services.device_sim.console.watch_life import LifeCommands
from services.device_sim.console.watch_places import PlaceCommands
from services.device_sim.sound import SoundRefusedError
from services.device_sim.watch.events import EventKind, WatchEvent
from services.device_sim.watch.fault_clock import FaultyClock
from services.device_sim.watch.faults import FaultRefusedError, FaultyLine
from services.device_sim.watch.gpx import TrackRefusedError
from services.device_sim.watch.mqtt_connection import ConnectionLostError
from services.device_sim.watch.records import Incoming, IncomingState, OutgoingState, WatchRefusedError
from services.device_sim.watch.store import WatchFolderError
from services.device_sim.watch.timings import Timings
from services.device_sim.watch.watch import (
    AlreadyPairedError,
    NotSentError,
    PairingRefusedError,
    SimWatch,
)
from services.protocol import limits
from services.protocol.words import AlertKind, Emoji, ItemKind

_KNOWN_ERRORS = (
    WatchRefusedError, NotSentError, PairingRefusedError, AlreadyPairedError, ConnectionLostError, SoundRefusedError,
    TrackRefusedError, FaultRefusedError,
)  # fmt: skip
_WAIT_S = 120.0
_SPOKEN_S = 3.0
_MARKS = {
    OutgoingState.QUEUED: "waiting for a connection",
    OutgoingState.SENT: "on its way",
    OutgoingState.STORED: "sent",
    OutgoingState.REJECTED: "not sent",
}
# Events that print a line by themselves.
_TOLD = {
    EventKind.CODE_SHOWN: "enter this code in the parent's app: {code}",
    EventKind.CODE_GONE: "the code is gone ({reason}); the watch is itself again",
    EventKind.PAIRING_REFUSED: "no code: {error}",
    EventKind.PAIRED: "paired: this is {child_name}'s watch now",
    EventKind.STILL_PAIRED: "the backend says that this watch is still paired; it keeps trying",
    EventKind.WIPED: "unpaired: everything of the family was wiped",
    EventKind.ONLINE: "online",
    EventKind.OFFLINE: "no connection ({reason})",
    EventKind.LOGIN_REFUSED: "the broker refuses {username}; nothing is lost, it tries again",
    EventKind.PROTOCOL_REFUSED: "the backend does not speak this version of the protocol",
    EventKind.CONTACTS_TAKEN: "contacts: version {version}, {count} of them",
    EventKind.CONFIG_TAKEN: "settings: version {version}",
    EventKind.REMOVED: "a message was taken back or has expired",
    EventKind.REFUSED_ITEM: "a message came that this watch cannot show ({detail})",
    EventKind.CLIP_BROKEN: "what was fetched is void ({detail}); it is fetched again",
    EventKind.CHUNKS_MISSING: "message {number}: {missing} chunks are missing and follow",
    EventKind.STORED: "message {number} is with the family",
    EventKind.NOT_SENT: "message {number} was not sent: {detail}",
    EventKind.POSTPONED: "message {number} must wait {retry_after_s:.0f} s",
    EventKind.RANG: "the watch rings",
    EventKind.LOCKED: "the screen is locked: this watch was said to be lost",
    EventKind.UNLOCKED: "the screen is open again",
    EventKind.RESTARTED: "restarted",
    EventKind.BATTERY_FLAT: "the battery is empty; `battery charge`",
    EventKind.ALERT_SEEN: "{seen_by} has seen your call",
    EventKind.ALERT_WAS_SEEN: "{seen_by} saw your call earlier",
    EventKind.ALERT_CALLING: "your family is being called",
    EventKind.ALERT_UNANSWERED: "nobody answers ({reason}): call {call}",
}


# Fields of events that hold a contact's id.
_PEOPLE = frozenset({"seen_by", "by", "sender"})
# States that an event begins: a wait for them is over where they hold already.
_STANDING: dict[str, Callable[[SimWatch], bool]] = {
    EventKind.ONLINE: lambda watch: watch.is_online,
    EventKind.PAIRED: lambda watch: watch.is_paired,
    EventKind.LOCKED: lambda watch: watch.is_locked,
}


class WatchConsole:
    """The watch's screen and buttons as text commands."""

    def __init__(
        self, watch: SimWatch, *, show_qr: bool = True, line: FaultyLine | None = None, clock: FaultyClock | None = None
    ) -> None:
        self._watch = watch
        self._places = PlaceCommands(watch)
        line = line or FaultyLine()
        self._faults = FaultCommands(watch, line, clock or FaultyClock())
        self._life = LifeCommands(watch, line)
        self._show_qr = show_qr
        self.console = Console(
            [
                Command("status", "status", "state of the watch", self._status),
                Command("pair", "pair", "show a pairing code", self._pair),
                Command("cancel-pairing", "cancel-pairing", "ask for no more codes", self._cancel_pairing),
                Command("contacts", "contacts", "who is on the watch", self._contacts),
                Command("inbox", "inbox", "what came, oldest first", self._inbox),
                Command("read", "read N", "read message N of the inbox; its sender is notified", self._read),
                Command("write", "write TO TEXT", "TO is a name, an id or `family`", self._write),
                Command("emoji", "emoji TO WORD", "one of: " + " ".join(Emoji), self._emoji),
                Command(
                    "record",
                    "record TO [FILE.wav|SECONDS]",
                    "send a file, or this many seconds of speech",
                    self._record,
                ),
                Command("play", "play N [FILE.wav]", "play message N, into a file; its sender is notified", self._play),
                Command("states", "states", "states of the child's messages", self._states),
                Command("sos", "sos", "press the SOS button", self._sos),
                Command("alert", "alert KIND", "one of: " + " ".join(AlertKind), self._alert),
                *self._places.commands(),
                Command("sleep", "sleep MINUTES", "say asleep and disconnect", self._sleep),
                Command("offline", "offline", "lose the network", self._offline),
                Command("online", "online", "find the network again", self._online),
                *self._faults.commands(),
                *self._life.commands(),
                Command("forget-credentials", "forget-credentials", "as worn memory would", self._forget),
                Command(
                    "wait",
                    "wait EVENT [N] [30s]",
                    "until it happened N times, already or soon: paired, online, received, ...; or `settled`",
                    self._wait,
                ),
            ],
            _KNOWN_ERRORS,
        )

    async def tell(self) -> None:
        """Print events until cancelled."""
        async with contextlib.aclosing(self._watch.follow()) as events:
            async for event in events:
                self._tell_one(event)

    def _tell_one(self, event: WatchEvent) -> None:
        if event.kind == EventKind.RECEIVED:
            place = next((i for i, item in enumerate(self._watch.inbox(), 1) if item.ref == event["ref"]), 0)
            voice = event["item_kind"] == ItemKind.VOICE
            content = voice_shown(event["duration_ms"]) if voice else shown(event["item_kind"], event["text"])
            say(f"* {place}. {self._name(event['sender'])}: {content}{' (silently)' if event['silent'] else ''}")
        elif event.kind == EventKind.SENT_STATE:
            say(f"* {self._name(event['by'])}: your message is {event['state']}")
        elif event.kind == EventKind.COMMAND_ANSWERED:
            # The child may know who asked for the place.
            say(f"* {self._name(event['by'] or '')} asked: {event['command_kind']} ({event['state']})")
        elif event.kind in _TOLD:
            fields = {
                # The child knows people by their names.
                name: self._name(value) if name in _PEOPLE else printable(value) if isinstance(value, str) else value
                for name, value in event.fields.items()
            }
            say(f"* {_TOLD[EventKind(event.kind)].format_map(fields)}")
        if event.kind == EventKind.CODE_SHOWN and self._show_qr:
            say(_qr(event["qr"]))

    def _name(self, contact_id: str) -> str:
        for contact in self._watch.contacts():
            if contact.id == contact_id:
                return printable(contact.name)
        return contact_id

    # ---------------------------------------------------------------- commands

    async def _status(self, _rest: str) -> None:
        watch = self._watch
        say(f"serial    {watch.serial}")
        say(f"paired    {f'as {watch.username}' if watch.is_paired else 'no'}")
        if watch.child_name is not None:
            say(f"child     {printable(watch.child_name)}")
        say(f"online    {'yes' if watch.is_online else 'no'}")
        say(f"quiet     {'yes: messages wait silently' if watch.clock.is_quiet else 'no'}")
        say(f"contacts  version {watch.contacts_version}, settings version {watch.config_version}")
        waiting = sum(message.state in {OutgoingState.QUEUED, OutgoingState.SENT} for message in watch.sent())
        say(f"waiting   {waiting} to send, {len(watch.owed_receipts())} receipts owed")

    async def _pair(self, _rest: str) -> None:
        code = await self._watch.pair()
        say(f"code {code.code}")

    async def _cancel_pairing(self, _rest: str) -> None:
        self._watch.cancel_pairing()

    async def _contacts(self, _rest: str) -> None:
        for contact in self._watch.contacts():
            rights = ", ".join(
                word
                for word, given in (
                    ("messages", contact.may_message),
                    ("calls", contact.may_call),
                    ("SOS", contact.emergency),
                )
                if given
            )
            until = self._watch.clock.on_shift_until(contact.id)
            more = rights if until is None else f"{rights}, on shift until {until}"
            say(f"  {contact.id:<6} {printable(contact.name)} ({contact.relation}) {contact.number or ''} {more}")
        if not self._watch.contacts():
            say("  nobody yet")

    async def _inbox(self, _rest: str) -> None:
        items = self._watch.inbox()
        for place, item in enumerate(items, 1):
            mark = " " if item.state is IncomingState.PLAYED else "•"
            say(f"  {mark} {place}. {self._line(item)}")
        if not items:
            say("  nothing yet")

    async def _read(self, rest: str) -> None:
        items = self._watch.inbox()
        item = self._watch.read(items[number(rest, len(items)) - 1].ref)
        say(f"  {self._line(item)}")

    def _line(self, item: Incoming) -> str:
        content = voice_shown(item.duration_ms) if item.kind == ItemKind.VOICE else shown(item.kind, item.text)
        return f"{self._name(item.sender)}: {content}"

    async def _write(self, rest: str) -> None:
        to, text = words(rest, 2, "write TO TEXT")
        say(f"message {self._watch.write(to, text).number} is kept until it is with the family")

    async def _emoji(self, rest: str) -> None:
        to, word = words(rest, 2, "emoji TO WORD")
        say(f"message {self._watch.emoji(to, word).number} is kept until it is with the family")

    async def _record(self, rest: str) -> None:
        arguments = rest.split(maxsplit=1)
        if not arguments:
            raise CommandError("usage: record TO [FILE.wav|SECONDS]")
        length_s = seconds(arguments[1], limits.CLIP_MAX_S) if len(arguments) > 1 else _SPOKEN_S
        if length_s is None:
            message = self._watch.voice.record(arguments[0], Path(arguments[1]))
        else:
            message = self._watch.voice.record(arguments[0], seconds=length_s)
        say(f"message {message.number} is kept until it is with the family")

    async def _play(self, rest: str) -> None:
        arguments = rest.split(maxsplit=1)
        items = self._watch.inbox()
        item = items[number(arguments[0] if arguments else "", len(items)) - 1]
        if item.kind != ItemKind.VOICE:
            raise CommandError("that is no voice message; `read` it")
        item = self._watch.voice.play(item.ref, Path(arguments[1]) if len(arguments) > 1 else None)
        say(f"  {self._line(item)}{f' → {arguments[1]}' if len(arguments) > 1 else ''}")

    async def _states(self, _rest: str) -> None:
        for message in self._watch.sent():
            became = "; ".join(f"{self._name(state.by)}: {state.state}" for state in self._watch.sent_states(message))
            detail = f" ({message.detail})" if message.detail else ""
            say(f"  {message.number}. {_MARKS[message.state]}{detail} {became}")

    async def _sos(self, _rest: str) -> None:
        say(f"call {self._watch.alerts.raise_alert().number} is kept until it is with the family")

    async def _alert(self, rest: str) -> None:
        if rest not in set(AlertKind):
            raise CommandError("alert one of: " + " ".join(AlertKind))
        say(f"call {self._watch.alerts.raise_alert(AlertKind(rest)).number} is kept until it is with the family")

    async def _sleep(self, rest: str) -> None:
        try:
            minutes = float(rest)
        except ValueError:
            raise CommandError("usage: sleep MINUTES") from None
        await self._watch.sleep(minutes)
        say("asleep; `online` wakes it")

    async def _offline(self, _rest: str) -> None:
        await self._watch.go_offline()

    async def _online(self, _rest: str) -> None:
        await self._watch.go_online()

    async def _forget(self, _rest: str) -> None:
        self._watch.forget_credentials()
        say("forgotten; `pair` begins anew")

    async def _wait(self, rest: str) -> None:
        if not rest:
            raise CommandError("wait for one of: settled " + " ".join(EventKind))
        wanted = awaited(rest, _WAIT_S)
        if wanted.event == "settled":
            await self._watch.wait_settled(timeout_s=wanted.timeout_s)
            return
        if wanted.event not in set(EventKind):
            raise CommandError("wait for one of: settled " + " ".join(EventKind))
        holds = _STANDING.get(wanted.event)
        if holds is not None and wanted.times == 1:
            await self._watch.wait_until(lambda: holds(self._watch), timeout_s=wanted.timeout_s)
            return
        for _ in range(wanted.times):
            await self._watch.wait_for(wanted.event, timeout_s=wanted.timeout_s)


def _qr(link: str) -> str:
    drawn = io.StringIO()
    segno.make(link, error="l").terminal(out=drawn, compact=True, border=1)
    return drawn.getvalue()


def watch_command(  # noqa: PLR0913 - one parameter an option
    *,
    state: options.State = options.DEFAULT_STATE,
    serial: options.Serial = None,
    secret: options.Secret = None,
    host: options.Host = "127.0.0.1",
    port: options.Port = None,
    tls_ca: options.TlsCa = None,
    command: Annotated[
        list[str] | None, typer.Option("--command", "-c", help="A line to run; repeat it for a script.")
    ] = None,
    stay: Annotated[bool, typer.Option("--stay", help="Take lines after the script instead of ending.")] = False,
    impatient: Annotated[
        bool, typer.Option("--impatient", help="Repeat after milliseconds where a watch waits seconds to minutes.")
    ] = False,
    qr: Annotated[bool, typer.Option(help="Draw the pairing code as a QR too.")] = True,
    seed: Annotated[int, typer.Option(help="Seed of the chance in faults.")] = 0,
) -> None:
    """Play a watch: pair it, speak and listen, read and write, lose its network."""
    use_utf8()
    tls_port, plain_port = 8883, 1883
    line, clock = FaultyLine(seed), FaultyClock()
    try:
        watch = SimWatch(
            state,
            host,
            port or (tls_port if tls_ca else plain_port),
            str(tls_ca) if tls_ca else None,
            serial=serial,
            secret=secret,
            timings=Timings.quick() if impatient else None,
            line=line,
            clock=clock,
        )
    except (WatchFolderError, ValueError) as error:
        say(f"This watch cannot be switched on: {error}.")
        raise typer.Exit(2) from None
    console = WatchConsole(watch, show_qr=qr, line=line, clock=clock)
    raise typer.Exit(asyncio.run(_play(watch, console, command or [], stay=stay)))


async def _play(watch: SimWatch, console: WatchConsole, script: Sequence[str], *, stay: bool) -> int:
    teller = asyncio.create_task(console.tell())
    await asyncio.sleep(0)  # the teller listens before anything happens
    async with watch:
        try:
            outcome = await console.console.run_script(script)
            if outcome == 0 and (stay or not script):
                outcome = await console.console.run(f"{watch.serial}> ")
        finally:
            teller.cancel()
            await asyncio.gather(teller, return_exceptions=True)
    return outcome


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
app.command()(watch_command)


def main(arguments: Sequence[str]) -> None:
    """Run from a command line; exits with 0, 1 (a line failed) or 2 (wrong usage)."""
    app(args=list(arguments), prog_name="smartwatch sim watch")
