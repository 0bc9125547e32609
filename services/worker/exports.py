"""The loop that makes exports of families and files of usage numbers, one at a time."""

from __future__ import annotations

from services.core.conversation.audio_assets.rendering import Transcoder
from services.core.measurement.exports.rendering import render_one_file
from services.core.privacy.copies.archive import build_one_export
from services.worker.pulse import Pulse
from services.worker.wake_ups import WakeUps

KINDS = ("export", "usage_export")


class ExportLoop:
    """Makes what waits, oldest first; a killed process loses its claim by time."""

    name = "exports"
    # An archive of a large family takes minutes; a hung one is found late, and holds up exports alone.
    silence_max_s = 3600.0

    def __init__(self, transcoder: Transcoder, wake_ups: WakeUps) -> None:
        self._transcoder = transcoder
        self._wake_up = wake_ups.subscribe(*KINDS)

    async def run(self, pulse: Pulse) -> None:
        """Make exports until cancelled."""
        while True:
            pulse.beat()
            while await build_one_export(self._transcoder) or await render_one_file(self._transcoder.database):
                pulse.beat()
            pulse.record_success(self.name)
            await self._wake_up.wait()
