"""The loops that decode audio assets and make the renditions that watches and phones play."""

from __future__ import annotations

from typing import Final

from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.conversation.messages.transcoding import KIND, LEASE, transcode_one
from services.worker.pulse import Pulse
from services.worker.wake_ups import WakeUp, WakeUps

# Renditions made at a time: each takes a processor for about a second.
TRANSCODERS: Final = 2
# They give way to messages on their way. More would starve them for the time that a decoder has on a busy machine.
NICENESS: Final = 5


class TranscodingLoop:
    """Makes one rendition after the other."""

    silence_max_s = 2 * LEASE.total_seconds()

    def __init__(self, name: str, transcoder: Transcoder, wake_up: WakeUp) -> None:
        self.name = name
        self._transcoder = transcoder
        self._wake_up = wake_up

    async def run(self, pulse: Pulse) -> None:
        """Make renditions until cancelled."""
        while True:
            pulse.beat()
            while await transcode_one(self._transcoder):
                pulse.beat()
            pulse.record_success(self.name)
            await self._wake_up.wait()


def transcoding_loops(transcoder: Transcoder, wake_ups: WakeUps) -> list[TranscodingLoop]:
    """Return the loops, one a decoding process."""
    wake_up = wake_ups.subscribe(KIND)
    return [TranscodingLoop(f"transcoding_{number}", transcoder, wake_up) for number in range(1, TRANSCODERS + 1)]
