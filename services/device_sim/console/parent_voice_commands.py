"""Commands of the parent's console: voice messages."""

from __future__ import annotations

import random
from pathlib import Path

from services.device_sim.console.console import Command, CommandError, number, printable, say, seconds, words
from services.device_sim.console.parent_family_commands import FamilyCommands
from services.device_sim.parent.parent import SimParent
from services.device_sim.parent.records import Child, Message
from services.device_sim.parent.types import state_at_child
from services.device_sim.sound import read_file, speech_wav, write_file
from services.protocol import limits
from services.protocol.words import ItemKind

_HISTORY_SHOWN = 50
# Media types that phones' recorders declare. The backend decides by decoding and ignores the declared type.
_MEDIA_TYPES = {
    ".wav": "audio/wav", ".webm": "audio/webm", ".m4a": "audio/mp4", ".mp4": "audio/mp4", ".ogg": "audio/ogg",
    ".opus": "audio/ogg", ".oga": "audio/ogg", ".amr": "audio/amr", ".mp3": "audio/mpeg",
}  # fmt: skip
_OTHER = "application/octet-stream"


class VoiceCommands:
    """Messages are named by their numbers in the history."""

    def __init__(self, parent: SimParent, family: FamilyCommands) -> None:
        self._parent = parent
        self._family = family

    def commands(self) -> list[Command]:
        """Return the commands."""
        return [
            Command("speak", "speak FILE|SECONDS", "send a file, or this many seconds of speech", self._speak),
            Command(
                "speak-in-parts", "speak-in-parts FILE|SECONDS", "the same, on a bad network", self._speak_in_parts
            ),
            Command("save", "save N FILE.m4a", "store message N as a file; the child is notified", self._save),
            Command("keep", "keep N", "keep message N beyond its retention period", self._keep),
            Command("unread", "unread", "what was not read or played, of each child", self._unread),
        ]

    async def recent(self, child: Child) -> list[Message]:
        """Return what the history shows, oldest first."""
        return (await self._parent.messages(child.child_id, limit=_HISTORY_SHOWN)).messages[::-1]

    async def chosen(self, word: str) -> Message:
        """Return the message with this number in the history."""
        messages = await self.recent(await self._family.child())
        return messages[number(word, len(messages)) - 1]

    def say_sent(self, message: Message) -> None:
        """Print that the backend has a message."""
        say(f"message {message.seq}: {state_at_child(message)}")

    async def _speak(self, rest: str) -> None:
        child = await self._family.child()
        self.say_sent(await self._parent.voice.speak(child.child_id, *_sound("speak", rest)))

    async def _speak_in_parts(self, rest: str) -> None:
        child = await self._family.child()
        self.say_sent(await self._parent.voice.speak_in_parts(child.child_id, *_sound("speak-in-parts", rest)))

    async def _save(self, rest: str) -> None:
        word, name = words(rest, 2, "save N FILE.m4a")
        message = await self._voice(word)
        sound = await self._parent.voice.hear(message.child_id, message.message_id)
        write_file(Path(name), sound)
        if message.direction == "to_family":
            await self._parent.mark(message.child_id, message.message_id, "played")
        say(f"{len(sound)} bytes → {name}")

    async def _keep(self, rest: str) -> None:
        message = await self._voice(rest)
        await self._parent.voice.keep(message.child_id, message.message_id)
        say("kept beyond its time")

    async def _voice(self, word: str) -> Message:
        message = await self.chosen(word)
        if message.kind != ItemKind.VOICE:
            raise CommandError("that is no voice message")
        return message

    async def _unread(self, _rest: str) -> None:
        for count in await self._parent.voice.unread():
            child = await self._parent.family.child(count.child_id)
            say(f"  {printable(child.name)}: {count.unread} not read, {count.unplayed} recordings not played")


def _sound(command: str, rest: str) -> tuple[bytes, str]:
    """Return a recording and its media type."""
    (word,) = words(rest, 1, f"{command} FILE|SECONDS")
    length_s = seconds(word, limits.CLIP_MAX_S)
    if length_s is not None:
        return speech_wav(length_s, random.SystemRandom().getrandbits(32)), _MEDIA_TYPES[".wav"]
    path = Path(word)
    return read_file(path), _MEDIA_TYPES.get(path.suffix.lower(), _OTHER)
