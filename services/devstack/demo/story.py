"""The story of one family: the steps of the demo, each with its observation."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from services.device_sim.parent.parent import SimParent
from services.device_sim.parent.records import Message
from services.device_sim.watch.timings import Timings
from services.device_sim.watch.watch import SimWatch
from services.devstack.demo.office import HandedOut, Office
from services.devstack.demo.steps import (
    STEP_DEADLINE_S,
    WAIT_DEADLINE_S,
    StepResult,
    StoryError,
    describe_failure,
    expect,
)
from services.devstack.demo.story_care import CareStory
from services.devstack.demo.waveforms import Waveform, waveform_svg
from services.devstack.installation import Installation

RECORDINGS = Path(__file__).parent / "recordings"


class Story(CareStory):
    """The steps in order; each returns what was observed."""

    def __init__(self, installation: Installation, folder: Path) -> None:
        self._machine = installation
        self._folder = folder
        self._office = Office(installation.environment, folder / "office")
        self.results: list[StepResult] = []
        self.handed: HandedOut | None = None
        self._watch: SimWatch | None = None
        self._parent: SimParent | None = None
        self._code = self._voice_ref = ""
        self._from_mum: Message | None = None
        self._from_child: Message | None = None

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
        """The folder of the watch's storage."""
        return self._folder / "watch"

    @property
    def parent_folder(self) -> Path:
        """The folder of the parent's phone."""
        return self._folder / "parent"

    @property
    def voice_folder(self) -> Path:
        """The folder of the recordings that were played."""
        return self._folder / "voice"

    async def play(self, tell: Callable[[StepResult], None]) -> bool:
        """Run the steps until one fails; return whether all passed."""
        steps: list[tuple[str, Callable[[], Awaitable[str]]]] = [
            ("the office registers a watch and enrols a family by its phone number", self._hand_out),
            ("the watch logs in with its factory identity and shows a code", self._show_code),
            ("the parent logs in with the code that came by SMS", self._log_in),
            ("before consent no data of a child is accepted", self._refuse_before_consent),
            ("the parent consents and names the child", self._name_child),
            ("during the training Mum writes and records: both wait for the child", self._speak_ahead),
            ("a wrong code is rejected without a hint", self._enter_wrong_code),
            ("the parent enters the code: the watch logs in as itself", self._pair),
            ("contacts and settings arrive and are acknowledged", self._acknowledge),
            ("waiting messages appear on the watch in order", self._receive_first),
            ("the child plays Mum's voice: Mum sees that", self._play_on_watch),
            ("the child answers by voice: Mum hears it", self._hear_on_phone),
            ("Mum writes: it appears on the watch", self._write_down),
            ("the child reads it: Mum sees that", self._read_on_watch),
            ("the child answers: it arrives at Mum's phone", self._answer),
            ("Mum reads it: the child is told", self._read_on_phone),
            ("the watch loses its network; what is sent meanwhile arrives later", self._lose_network),
            ("no message is lost or duplicated", self._count),
            ("both recordings are kept as files, with their waveforms", self._draw),
            *self.care_steps(),
        ]
        for name, step in steps:
            started_at_s = time.monotonic()
            try:
                async with asyncio.timeout(STEP_DEADLINE_S):
                    seen, passed = await step(), True
            except Exception as error:  # noqa: BLE001 - every failure is the result of its step
                seen, passed = describe_failure(error, time.monotonic() - started_at_s), False
            result = StepResult(name, passed, seen, round((time.monotonic() - started_at_s) * 1000))
            self.results.append(result)
            tell(result)
            if not passed:
                return False
        return True

    async def close(self) -> None:
        """Switch off watch and phone."""
        if self._watch is not None:
            await self._watch.stop()
        if self._parent is not None:
            await self._parent.close()

    async def enrol_for_browser(self) -> HandedOut:
        """Hand a second watch to a family that has never logged in: on its first phone it needs no second step."""
        tag = secrets.token_hex(4).upper()
        phone = f"+86139{secrets.randbelow(10**8):08d}"
        return await asyncio.to_thread(self._office.hand_out, f"SIM{tag}", phone, f"DG-{tag}")

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
        self.family_id = me.families[0].family_id
        expect(me.families[0].family_code, self.handed.family_code, "family")
        return f"first guardian of family {me.families[0].family_code}"

    async def confirm(self) -> None:
        """Have Mum confirm with a code that it is her."""
        if self.handed is None:
            message = "no family was enrolled"
            raise StoryError(message)
        sms_file = Path(self._machine.settings["sms_file"])
        await self.parent.devices.step_up_by_sms_file(self.handed.phone, sms_file)

    async def _refuse_before_consent(self) -> str:
        return await self._refused("consent_required", self.parent.family.create_child(self.family_id, "Mei"))

    async def _name_child(self) -> str:
        consent = await self.parent.family.consent(self.family_id)
        me = await self.parent.me()
        await self.parent.family.change_guardian(self.family_id, me.guardian_id, relation="mother")
        child = await self.parent.family.create_child(self.family_id, "Mei")
        self.child_id = child.child_id
        return f"consent to text {consent.text_version} in {consent.locale}; child Mei"

    async def _speak_ahead(self) -> str:
        message = await self.parent.write(self.child_id, "Hello Mei! This is your new watch.")
        expect(message.recipients[0].state, "queued", "state")
        sound = (RECORDINGS / "good-night.webm").read_bytes()
        self._from_mum = await self.parent.voice.speak(self.child_id, sound, "audio/webm")
        expect(self._from_mum.recipients[0].state, "queued", "state")
        return f"queued until a watch is paired: a text, and {self._length(self._from_mum)} of WebM/Opus"

    async def _enter_wrong_code(self) -> str:
        wrong = f"{(int(self._code) + 1) % 1_000_000:06d}"
        return await self._refused("pairing_code_unknown", self.parent.family.pair(self.child_id, wrong))

    async def _pair(self) -> str:
        await self.parent.family.pair(self.child_id, self._code)
        paired = await self.watch.wait_for("paired", timeout_s=WAIT_DEADLINE_S)
        await self.watch.wait_for("online", username=paired["username"], timeout_s=WAIT_DEADLINE_S)
        return f"new identity {paired['username']}, for {paired['child_name']}"

    async def _acknowledge(self) -> str:
        contacts = await self.watch.wait_for("contacts_taken", timeout_s=WAIT_DEADLINE_S)
        config = await self.watch.wait_for("config_taken", timeout_s=WAIT_DEADLINE_S)
        names = ", ".join(contact.name for contact in self.watch.contacts())
        while True:
            child = await self.parent.family.child(self.child_id)
            if child.watch is not None and child.watch.contacts_acked_version == contacts["version"]:
                break
        expect((await self.parent.family.pairing(self.child_id)).state, "confirmed", "pairing")
        return f"contacts version {contacts['version']} ({names}), config version {config['version']}"

    async def _receive_first(self) -> str:
        words = await self._appears("Hello Mei! This is your new watch.")
        voice = await self.watch.wait_for("received", item_kind="voice", timeout_s=WAIT_DEADLINE_S)
        self._voice_ref = voice["ref"]
        clip = self.watch.voice.clip(self._voice_ref) or b""
        expect(clip[:6], b"#!AMR\n", "what a watch plays")
        return f"{words}; then {voice['duration_ms'] / 1000:.1f} s of AMR-NB, {len(clip)} bytes, fetched and checked"

    async def _play_on_watch(self) -> str:
        self.voice_folder.mkdir(parents=True, exist_ok=True)
        self.watch.voice.play(self._voice_ref, self.voice_folder / "from-mum.wav")
        message = await self.parent.wait_for_message(
            self.child_id,
            lambda message: message.kind == "voice" and message.recipients[0].state == "played",
            timeout_s=WAIT_DEADLINE_S,
        )
        return f"state {message.recipients[0].state}; played into {self.voice_folder / 'from-mum.wav'}"

    async def _hear_on_phone(self) -> str:
        kept = self.watch.voice.record("family", RECORDINGS / "a-picture.wav")
        self._from_child = await self.parent.wait_for_message(
            self.child_id,
            lambda message: (
                message.direction == "to_family" and message.voice is not None and message.voice.state == "ready"
            ),
            timeout_s=WAIT_DEADLINE_S,
        )
        await self.watch.wait_for("stored", wire_id=kept.wire_id, timeout_s=WAIT_DEADLINE_S)
        heard = await self.parent.voice.hear(self.child_id, self._from_child.message_id)
        file = self.voice_folder / "from-child.m4a"
        await asyncio.to_thread(file.write_bytes, heard)
        await self.parent.mark(self.child_id, self._from_child.message_id, "played")
        event = await self.watch.wait_for("sent_state", state="played", wire_id=kept.wire_id, timeout_s=WAIT_DEADLINE_S)
        return f"{self._length(self._from_child)} as M4A/AAC in {file}; {event['by']} has heard it"

    async def _write_down(self) -> str:
        words = "Good night, sleep well! 晚安 🌙"
        await self.parent.write(self.child_id, words)
        return await self._appears(words)

    async def _read_on_watch(self) -> str:
        newest = self.watch.inbox()[-1]
        self.watch.read(newest.ref)
        message = await self.parent.wait_for_message(
            self.child_id,
            lambda message: message.text == newest.text and message.recipients[0].state == "played",
            timeout_s=WAIT_DEADLINE_S,
        )
        return f"state {message.recipients[0].state}"

    async def _answer(self) -> str:
        kept = self.watch.write("family", "I love you Mama ❤️")
        message = await self.parent.wait_for_message(
            self.child_id, lambda message: message.text == "I love you Mama ❤️", timeout_s=WAIT_DEADLINE_S
        )
        await self.watch.wait_for("stored", wire_id=kept.wire_id, timeout_s=WAIT_DEADLINE_S)
        return f"from {message.sender.name}: {message.text}"

    async def _read_on_phone(self) -> str:
        page = await self.parent.messages(self.child_id)
        await self.parent.mark(self.child_id, page.messages[0].message_id, "played")
        event = await self.watch.wait_for("sent_state", state="played", timeout_s=WAIT_DEADLINE_S)
        return f"{event['by']} has read it"

    async def _lose_network(self) -> str:
        await self.watch.go_offline()
        await self.parent.write(self.child_id, "Are you there?")
        kept = self.watch.write("family", "I was in the lift")
        await self.watch.go_online()
        seen = await self._appears("Are you there?")
        await self.watch.wait_for("stored", wire_id=kept.wire_id, timeout_s=WAIT_DEADLINE_S)
        await self.parent.wait_for_message(
            self.child_id, lambda message: message.text == "I was in the lift", timeout_s=WAIT_DEADLINE_S
        )
        return f"{seen}; and the answer written offline arrived"

    async def _count(self) -> str:
        ids = [message.message_id for message in await self.parent.history(self.child_id)]
        expect(len(ids), len(set(ids)), "messages in the conversation")
        received = [item.ref for item in self.watch.inbox()]
        expect(len(received), len(set(received)), "items on the watch")
        return f"{len(ids)} messages, each once; {len(received)} on the watch, each once"

    async def _draw(self) -> str:
        waveforms = []
        for title, message in (
            ("Mum, as the watch plays it", self._from_mum),
            ("Mei, as Mum's phone plays it", self._from_child),
        ):
            spoken = await self.parent.message(self.child_id, self._message(message).message_id)
            waveforms.append(
                Waveform(f"{title}: {self._length(spoken)}", (spoken.voice.bars if spoken.voice else None) or [])
            )
        file = self.voice_folder / "waveforms.svg"
        await asyncio.to_thread(file.write_text, waveform_svg(waveforms), encoding="utf-8")
        return f"listen to them: {self.voice_folder}"

    @staticmethod
    def _message(message: Message | None) -> Message:
        if message is None:
            raise StoryError("no recording exists yet")
        return message

    def _length(self, message: Message | None) -> str:
        voice = self._message(message).voice
        return f"{((voice.duration_ms if voice else None) or 0) / 1000:.1f} s"

    async def _appears(self, words: str) -> str:
        received = await self.watch.wait_for("received", text=words, timeout_s=WAIT_DEADLINE_S)
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
