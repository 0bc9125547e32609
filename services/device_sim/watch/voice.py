"""Voice messages of the child: record one, play one."""

from __future__ import annotations

from pathlib import Path

from services.device_sim.sound import (
    Clip,
    SoundRefusedError,
    encoded_clip,
    read_file,
    record_clip,
    samples_of,
    wav_of,
    write_file,
)
from services.device_sim.speech import speech
from services.device_sim.watch.body import WatchBody
from services.device_sim.watch.mailbox import Mailbox
from services.device_sim.watch.network import WatchNetwork
from services.device_sim.watch.records import IN_INBOX, Incoming, Outgoing
from services.protocol import codec
from services.protocol.uplink import VoiceEnd
from services.protocol.words import ItemKind

_SEED_BITS = 32


class Voice:
    """Records and plays voice messages: `watch.voice`."""

    def __init__(self, body: WatchBody, network: WatchNetwork, mailbox: Mailbox) -> None:
        self._body = body
        self._store = body.store
        self._network = network
        self._mailbox = mailbox

    def record(
        self, to: str, sound: bytes | Path | Clip | None = None, *, seconds: float = 3.0, seed: int | None = None
    ) -> Outgoing:
        """Record for a contact (id or name) or `family`; every byte is stored when this returns, until its receipt.

        `sound` is a WAV file (or another decodable one) as bytes or path, or an encoded clip. Without it the child says
        something for this many seconds, the same for the same seed. Raises SoundRefusedError for bytes that are not
        audio, for more than a minute, and when there is no room.
        """
        address, traits = self._mailbox.address(to), self._body.traits
        clip = sound if isinstance(sound, Clip) else self._made_clip(sound, seconds, seed)
        # Played clips are deleted to make room for recordings, as they are for new clips.
        while self._store.sounds.held_bytes() + len(clip.sound) > traits.sound_room_bytes:
            if not self._store.sounds.free_oldest_played():
                raise SoundRefusedError("there is no room for another recording")
        end = VoiceEnd(
            to=address, codec=clip.codec, bytes=len(clip.sound), chunks=-(-len(clip.sound) // traits.chunk_bytes),
            sha256=clip.sha256, duration_ms=clip.duration_ms, **self._body.dated(),
        )  # fmt: skip
        kept = self._store.outgoing.keep_recording(
            self._body.new_id(), codec.encode(end), traits.chunk_bytes, clip.sound
        )
        self._body.counters.count("recordings")
        self._network.wake()
        return kept

    def _made_clip(self, sound: bytes | Path | None, seconds: float, seed: int | None) -> Clip:
        records = self._body.traits.records
        if not records:
            raise SoundRefusedError("this watch cannot record")
        if sound is None:
            samples = speech(seconds, self._body.random_source.getrandbits(_SEED_BITS) if seed is None else seed)
        else:
            samples = samples_of(read_file(sound) if isinstance(sound, Path) else sound)
        return record_clip(samples, records[0])

    def send_encoded(self, to: str, content: bytes | Path) -> Outgoing:
        """Send a file of AMR-NB or Opus in Ogg as it is, byte by byte; kept as `record` keeps its recording.

        What the file holds is for the backend to judge: a broken encoder of a maker is what is tried here.
        """
        self._mailbox.address(to)
        sound = read_file(content) if isinstance(content, Path) else content
        return self.record(to, encoded_clip(sound))

    def play(self, ref: str, into: Path | None = None) -> Incoming:
        """Play a voice message, into a WAV file if one is named; the first time, its sender gets `played`.

        Raises KeyError for an unknown ref or another kind of item. Raises SoundRefusedError, without `played`, when the
        sound was deleted to make room, cannot be decoded or cannot be written.
        """
        item = self._store.items.find(ref)
        if item is None or item.kind != ItemKind.VOICE or item.state not in IN_INBOX:
            raise KeyError(ref)
        sound = self._store.sounds.find(ref)
        if sound is None:
            raise SoundRefusedError("its sound made room for newer ones")
        if into is not None:
            write_file(into, wav_of(samples_of(sound)))
        self._body.counters.count("plays")
        return self._mailbox.read(ref)

    def clip(self, ref: str) -> bytes | None:
        """Return the sound of a voice message as it came; None if it is not stored (any more)."""
        return self._store.sounds.find(ref)
