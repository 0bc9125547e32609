"""`smartwatch demo`: the story of one family, played by a simulated watch and parent on everything that is real."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import signal
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from services.broker.errors import BrokerError
from services.device_sim.parent import SimParent
from services.device_sim.timings import Timings
from services.device_sim.watch import SimWatch
from services.machine.machine import Machine, MachineError
from services.machine.office import HandedOut, Office
from services.machine.postgres import PostgresInUseError
from services.machine.postgres_user import PostgresUnavailableError

_STEP_DEADLINE_S = 30.0


@dataclass(frozen=True)
class StepTaken:
    """One step of the story: what was done, what was seen, and how long it took."""

    step: str
    held: bool
    seen: str
    duration_ms: int


class StoryError(Exception):
    """Something was not as the story says; the message tells what was seen instead."""


def expect(seen: object, wanted: object, what: str) -> None:
    """Raise StoryError unless what was seen is what was wanted."""
    if seen != wanted:
        message = f"{what}: {seen!r} instead of {wanted!r}"
        raise StoryError(message)


class Story:
    """The steps, in order; each returns what was seen."""

    def __init__(self, machine: Machine, folder: Path) -> None:
        self._machine = machine
        self._folder = folder
        self._office = Office(machine.environment, folder / "office")
        self.taken: list[StepTaken] = []
        self.handed: HandedOut | None = None
        self._watch: SimWatch | None = None
        self._parent: SimParent | None = None
        self._family_id = self._child_id = self._code = ""

    @property
    def watch(self) -> SimWatch:
        """The watch, once it is switched on."""
        if self._watch is None:
            message = "the watch is not switched on"
            raise StoryError(message)
        return self._watch

    @property
    def parent(self) -> SimParent:
        """The parent's phone."""
        if self._parent is None:
            message = "the parent has no phone yet"
            raise StoryError(message)
        return self._parent

    @property
    def watch_folder(self) -> Path:
        """The memory of the watch."""
        return self._folder / "watch"

    @property
    def parent_folder(self) -> Path:
        """The memory of the parent's phone."""
        return self._folder / "parent"

    async def play(self, tell: Callable[[StepTaken], None]) -> bool:
        """Take each step until one does not hold; return whether all did."""
        steps: list[tuple[str, Callable[[], Awaitable[str]]]] = [
            ("the office registers a watch and enrols a family by its phone number", self._hand_out),
            ("the watch logs in with its factory identity and shows a code", self._show_code),
            ("the parent logs in with the code that came by SMS", self._log_in),
            ("before consent nothing of a child is taken", self._refuse_before_consent),
            ("the parent consents and names the child", self._name_child),
            ("a first message waits for the child", self._write_ahead),
            ("a wrong code is refused, and nothing is told", self._enter_wrong_code),
            ("the parent enters the code: the watch logs in as itself", self._pair),
            ("contacts and settings arrive and are acknowledged", self._acknowledge),
            ("what waited appears on the watch", self._receive_first),
            ("Mum writes: it appears on the watch", self._write_down),
            ("the child reads it: Mum sees that", self._read_on_watch),
            ("the child answers: it arrives at Mum's phone", self._answer),
            ("Mum reads it: the child is told", self._read_on_phone),
            ("the watch loses its network; what is sent meanwhile arrives later", self._lose_network),
            ("nothing is lost, nothing is there twice", self._count),
        ]
        for name, step in steps:
            started_at_s = time.monotonic()
            try:
                async with asyncio.timeout(_STEP_DEADLINE_S):
                    seen, held = await step(), True
            except Exception as error:  # noqa: BLE001 - whatever went wrong, the story tells it
                seen, held = f"{type(error).__name__}: {error}", False
            taken = StepTaken(name, held, seen, round((time.monotonic() - started_at_s) * 1000))
            self.taken.append(taken)
            tell(taken)
            if not held:
                return False
        return True

    async def close(self) -> None:
        """Switch off watch and phone."""
        if self._watch is not None:
            await self._watch.stop()
        if self._parent is not None:
            await self._parent.close()

    # ---------------------------------------------------------------- the steps

    async def _hand_out(self) -> str:
        tag = secrets.token_hex(4).upper()
        phone = f"+86138{secrets.randbelow(10**8):08d}"
        await asyncio.to_thread(self._office.set_up_programme)
        self.handed = await asyncio.to_thread(self._office.hand_out, f"SIM{tag}", phone, f"DG-{tag}")
        return f"watch {self.handed.serial} for family {self.handed.family_code}"

    async def _show_code(self) -> str:
        if self.handed is None:
            message = "no watch was handed out"
            raise StoryError(message)
        self._watch = SimWatch(
            self.watch_folder, "127.0.0.1", self._machine.ports["mosquitto_tls_port"], str(self._machine.tls_ca_file),
            serial=self.handed.serial, secret=self.handed.secret, timings=Timings.quick(),
        )  # fmt: skip
        await self._watch.start()
        shown = await self._watch.pair()
        self._code = shown.code
        return f"code {shown.code}, over TLS"

    async def _log_in(self) -> str:
        if self.handed is None:
            message = "no family was enrolled"
            raise StoryError(message)
        self._parent = SimParent(self._machine.api_url, self.parent_folder)
        await self._parent.log_in_by_sms_file(self.handed.phone, Path(self._machine.settings["sms_file"]), locale="en")
        me = await self._parent.me()
        self._family_id = me.families[0].family_id
        expect(me.families[0].family_code, self.handed.family_code, "family")
        return f"first guardian of family {me.families[0].family_code}"

    async def _refuse_before_consent(self) -> str:
        return await self._refused("consent_required", self.parent.create_child(self._family_id, "Mei"))

    async def _name_child(self) -> str:
        consent = await self.parent.consent(self._family_id)
        me = await self.parent.me()
        await self.parent.change_guardian(self._family_id, me.guardian_id, relation="mother")
        child = await self.parent.create_child(self._family_id, "Mei")
        self._child_id = child.child_id
        return f"consent to text {consent.text_version} in {consent.locale}; child Mei"

    async def _write_ahead(self) -> str:
        message = await self.parent.write(self._child_id, "Hello Mei! This is your new watch.")
        expect(message.recipients[0].state, "queued", "state")
        return "state queued: no watch is paired yet"

    async def _enter_wrong_code(self) -> str:
        wrong = f"{(int(self._code) + 1) % 1_000_000:06d}"
        return await self._refused("pairing_code_unknown", self.parent.pair(self._child_id, wrong))

    async def _pair(self) -> str:
        await self.parent.pair(self._child_id, self._code)
        paired = await self.watch.wait_for("paired")
        await self.watch.wait_for("online", username=paired["username"])
        return f"new identity {paired['username']}, for {paired['child_name']}"

    async def _acknowledge(self) -> str:
        contacts = await self.watch.wait_for("contacts_taken")
        config = await self.watch.wait_for("config_taken")
        names = ", ".join(contact.name for contact in self.watch.contacts())
        while True:
            child = await self.parent.child(self._child_id)
            if child.watch is not None and child.watch.contacts_acked_version == contacts["version"]:
                break
        expect((await self.parent.pairing(self._child_id)).state, "confirmed", "pairing")
        return f"contacts version {contacts['version']} ({names}), config version {config['version']}"

    async def _receive_first(self) -> str:
        return await self._appears("Hello Mei! This is your new watch.")

    async def _write_down(self) -> str:
        words = "Good night, sleep well! 晚安 🌙"
        await self.parent.write(self._child_id, words)
        return await self._appears(words)

    async def _read_on_watch(self) -> str:
        newest = self.watch.inbox()[-1]
        self.watch.read(newest.ref)
        message = await self.parent.wait_for_message(
            self._child_id, lambda one: one.text == newest.text and one.recipients[0].state == "played"
        )
        return f"state {message.recipients[0].state}"

    async def _answer(self) -> str:
        kept = self.watch.write("family", "I love you Mama ❤️")
        message = await self.parent.wait_for_message(self._child_id, lambda one: one.text == "I love you Mama ❤️")
        await self.watch.wait_for("stored", wire_id=kept.wire_id)
        return f"from {message.sender.name}: {message.text}"

    async def _read_on_phone(self) -> str:
        page = await self.parent.messages(self._child_id)
        await self.parent.mark(self._child_id, page.messages[0].message_id, "played")
        told = await self.watch.wait_for("sent_state", state="played")
        return f"{told['by']} has read it"

    async def _lose_network(self) -> str:
        await self.watch.go_offline()
        await self.parent.write(self._child_id, "Are you there?")
        kept = self.watch.write("family", "I was in the lift")
        await self.watch.go_online()
        seen = await self._appears("Are you there?")
        await self.watch.wait_for("stored", wire_id=kept.wire_id)
        await self.parent.wait_for_message(self._child_id, lambda one: one.text == "I was in the lift")
        return f"{seen}; and the answer written offline arrived"

    async def _count(self) -> str:
        texts = [message.text for message in await self.parent.history(self._child_id)]
        expect(len(texts), len(set(texts)), "messages in the conversation")
        received = [item.text for item in self.watch.inbox()]
        expect(len(received), len(set(received)), "items on the watch")
        return f"{len(texts)} messages, each once; {len(received)} on the watch, each once"

    async def _appears(self, words: str) -> str:
        received = await self.watch.wait_for("received", text=words)
        return f"from {received['sender']}: {words}"

    @staticmethod
    async def _refused(code: str, attempt: Awaitable[object]) -> str:
        try:
            await attempt
        except Exception as error:
            seen = getattr(error, "code", None)
            if seen is None:
                raise
            expect(seen, code, "refusal")
            return f"refused: {seen}"
        message = f"not refused with {code}"
        raise StoryError(message)


def run_demo(*, once: bool = False, var: Path = Path("var")) -> int:
    """Start everything, play the story, and stay up unless ``once``; 0 only if every step held."""
    console = Console(soft_wrap=True)
    signal.signal(signal.SIGTERM, _interrupt)
    started_at_s = time.monotonic()
    try:
        machine = Machine.take(var, "demo", or_next=True, announce=lambda line: console.print(f"demo: {line}"))
        with machine:
            console.print(
                f"demo: everything runs in {machine.instance.folder} after {time.monotonic() - started_at_s:.1f} s"
            )
            return _play_on(machine, console, once=once)
    except KeyboardInterrupt:
        return 0
    except (MachineError, PostgresUnavailableError, PostgresInUseError, BrokerError) as error:
        console.print(f"demo: {error}")
        return 1


def _play_on(machine: Machine, console: Console, *, once: bool) -> int:
    folder = machine.instance.folder / f"story-{secrets.token_hex(3)}"
    story = Story(machine, folder)

    def tell(taken: StepTaken) -> None:
        mark = "[green]✓[/green]" if taken.held else "[red]✗[/red]"
        console.print(f"{mark} {taken.step}", highlight=False)
        console.print(f"    {taken.seen}  [{taken.duration_ms} ms]", highlight=False, markup=False)

    async def play() -> bool:
        try:
            return await story.play(tell)
        finally:
            await story.close()

    held = asyncio.run(play())
    report = machine.instance.folder / "demo.json"
    report.write_text(
        json.dumps({"held": held, "steps": [asdict(taken) for taken in story.taken]}, ensure_ascii=False, indent=2)
    )
    _print_table(console, story.taken)
    console.print(f"demo: {'every step held' if held else 'a step did not hold'}; the same as JSON: {report}")
    if not once and held:
        _tell_where_to_look(console, machine, story)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
    return 0 if held else 1


def _print_table(console: Console, taken: list[StepTaken]) -> None:
    table = Table("step", "held", "ms", title="the story of one family")
    table.columns[2].justify = "right"
    for one in taken:
        table.add_row(one.step, "yes" if one.held else "NO", str(one.duration_ms))
    console.print(table)


def _tell_where_to_look(console: Console, machine: Machine, story: Story) -> None:
    if story.handed is None:
        return
    ports = machine.ports
    sms_file = machine.settings["sms_file"]
    parent = f"--state {story.parent_folder} --api {machine.api_url} --sms-file {sms_file}"
    watch = f"--state {story.watch_folder} --port {ports['mosquitto_tls_port']} --tls-ca {machine.tls_ca_file}"
    lines = [
        "",
        "Everything stays up until Ctrl-C. Where to look, each in a terminal of its own:",
        f"  the API by hand          {machine.api_url}/docs",
        f"  log in as the parent     phone {story.handed.phone}; codes arrive in {sms_file}",
        f"  take over the parent     .venv/bin/smartwatch sim parent {parent}",
        f"  take over the watch      .venv/bin/smartwatch sim watch {watch}",
        f"  logs                     {machine.instance.folder / 'log'}",
        "",
    ]
    for line in lines:
        console.print(line, highlight=False, markup=False)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
