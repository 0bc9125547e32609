"""Clips for the child: announced, fetched window by window, checked, and only then receipted."""

from __future__ import annotations

import hashlib

from services.device_sim.watch.answers import Answers, FetchKey, ReceiptSender
from services.device_sim.watch.body import WatchBody
from services.device_sim.watch.events import EventKind
from services.device_sim.watch.records import Transfer
from services.device_sim.watch.timings import backoff_s
from services.protocol.downlink import ItemVoice, VoiceManifest
from services.protocol.uplink import Fetch
from services.protocol.words import Detail, ReceiptState

# A recorder that stops at the limit has a frame or two more.
_PLAY_TOLERANCE_MS = 500


class Fetching:
    """Stores chunks as they come, so that a fetch continues from the first missing one after any interruption.

    A fetch begins only after its item was announced on this connection: the manifest may have changed meanwhile.
    """

    def __init__(self, body: WatchBody, answers: Answers, owing: ReceiptSender) -> None:
        self._body = body
        self._store = body.store
        self._answers = answers
        self._owing = owing
        self._broken: dict[str, int] = {}
        self._requested: dict[str, range] = {}

    # ---------------------------------------------------------------- the announcement

    def take_item(self, ref: str, item: ItemVoice) -> None:
        """Fetch a clip that is not stored, or reject it. The caller repeats the receipt of a stored one."""
        refused = self._reason_against(item.voice)
        if refused is not None:
            self.forget(ref)
            self._owing.refuse_item(ref, refused)
            return
        if item.voice.chunk_bytes > self._chunk_room_bytes():
            # Announced for an earlier hello of this watch: after the present hello it comes with chunks that fit.
            self._body.events.emit(EventKind.FRAME_IGNORED, topic="item", detail=Detail.TOO_LARGE.value)
            return
        if not self._body.has_room or not self._make_room(ref, item.voice.bytes):
            self._stop(ref)
            self._owing.owe(ref, ReceiptState.LATER)
            return
        if not self._store.sounds.store_announcement(ref, item):
            self._body.events.emit(EventKind.CLIP_BROKEN, ref=ref, detail="another_manifest")
        transfer = self._store.sounds.find_transfer(ref)
        if transfer is not None and transfer.is_whole:
            self._finish(transfer)
        else:
            self._answers.plan(FetchKey(ref), 0.0)

    def _reason_against(self, voice: VoiceManifest) -> Detail | None:
        traits = self._body.traits
        if voice.codec not in traits.plays:
            return Detail.UNSUPPORTED_CODEC
        longest_ms = traits.max_play_s * 1000 + _PLAY_TOLERANCE_MS
        if voice.bytes > min(traits.max_clip_bytes, traits.sound_room_bytes) or (voice.duration_ms or 0) > longest_ms:
            return Detail.CLIP_TOO_LARGE
        return None

    def _chunk_room_bytes(self) -> int:
        traits = self._body.traits
        return traits.max_payload_bytes if traits.binary else traits.max_payload_bytes // 4 * 3

    def _make_room(self, ref: str, size_bytes: int) -> bool:
        while self._store.sounds.held_bytes(besides=ref) + size_bytes > self._body.traits.sound_room_bytes:
            if not self._store.sounds.free_oldest_played():
                return False
        return True

    # ---------------------------------------------------------------- the chunks

    def next_fetch(self, ref: str) -> Fetch | None:
        """Return the next request, None if this clip is no longer fetched."""
        transfer = self._store.sounds.find_transfer(ref)
        window = range(0) if transfer is None else transfer.next_missing(self._body.traits.fetch_window)
        if not window:
            return None
        self._requested[ref] = window
        self._body.events.emit(EventKind.FETCHING, ref=ref, first=window.start, count=len(window))
        return Fetch(ref=ref, first_chunk=window.start, count=len(window))

    def take_chunk(self, ref: str, number: int, sound: bytes) -> bool:
        """Store a chunk; return False for one that was not requested or has the wrong size."""
        transfer = self._store.sounds.find_transfer(ref)
        if transfer is None or len(sound) != transfer.size_of(number):
            return False
        self._store.sounds.store_chunk(ref, number, sound)
        chunks = transfer.received | {number}
        if len(chunks) == transfer.announced.voice.chunks:
            self._finish(transfer)
        elif ref in self._requested:
            # The window is complete: request the next one. Otherwise wait for the rest and request it again when late.
            done = chunks.issuperset(self._requested[ref])
            self._answers.plan(FetchKey(ref), 0.0 if done else self._body.timings.receipt_first_s)
        return True

    def _finish(self, transfer: Transfer) -> None:
        ref, voice = transfer.ref, transfer.announced.voice
        sound = self._store.sounds.joined_chunks(ref)
        if len(sound) != voice.bytes or hashlib.sha256(sound).hexdigest() != voice.sha256:
            self._start_over(ref)
            return
        item = self._store.sounds.store_clip(transfer, sound, self._owing.receipt(ref, ReceiptState.DELIVERED))
        self._stop(ref)
        self._owing.plan(ref, ReceiptState.DELIVERED)
        self._body.events.emit(
            EventKind.RECEIVED, ref=ref, seq=item.seq, item_kind=item.kind, sender=item.sender, text="",
            duration_ms=item.duration_ms, silent=self._body.is_quiet(),
        )  # fmt: skip

    def _start_over(self, ref: str) -> None:
        """Request all chunks again, since any may be damaged: at once the first time, then after growing waits."""
        self._store.sounds.forget_chunks(ref)
        times = self._broken.get(ref, 0)
        self._broken[ref] = times + 1
        timings = self._body.timings
        wait_s = backoff_s(times - 1, timings.receipt_first_s, timings.receipt_max_s, self._body.random_source)
        self._answers.plan(FetchKey(ref), wait_s if times else 0.0)
        self._body.events.emit(EventKind.CLIP_BROKEN, ref=ref, detail="hash")

    # ---------------------------------------------------------------- the end of it

    def forget(self, ref: str) -> None:
        """Stop fetching and delete what came."""
        self._store.sounds.forget_transfer(ref)
        self._stop(ref)

    def take_refusal(self, ref: str, retry_after_s: float | None) -> bool:
        """Handle a refused fetch: ask again after the stated wait, else wait for the next announcement."""
        if self._store.sounds.find_transfer(ref) is None:
            return False
        if retry_after_s is None:
            self._stop(ref)
        else:
            self._answers.plan(FetchKey(ref), retry_after_s)
        return True

    def _stop(self, ref: str) -> None:
        self._requested.pop(ref, None)
        self._broken.pop(ref, None)
        self._answers.settle(FetchKey(ref))
