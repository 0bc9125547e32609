"""Clips that come to the watch: chunk by chunk while they are fetched, whole once they are checked."""

from __future__ import annotations

from services.device_sim.sqlite_file import SqliteFile
from services.device_sim.watch.records import Incoming, IncomingState, OwedReceipt, Transfer
from services.device_sim.watch.store_items import ItemStore
from services.protocol.downlink import ItemVoice

_HELD_BYTES = """
SELECT (SELECT coalesce(sum(length(sound)), 0) FROM sounds)
     + (SELECT coalesce(sum(length(sound)), 0) FROM recordings)
     + (SELECT coalesce(sum(size_bytes), 0) FROM transfers WHERE ref IS NOT ?)
"""


class SoundStore:
    """Clips of items, whole or being fetched, and the room that all sound takes."""

    def __init__(self, file: SqliteFile, items: ItemStore) -> None:
        self._file = file
        self._items = items

    # ---------------------------------------------------------------- room

    def held_bytes(self, besides: str | None = None) -> int:
        """Return what sound takes, with what is being fetched counted as if it were here, all but `besides`."""
        return int(self._file.value(_HELD_BYTES, besides))

    def free_oldest_played(self) -> bool:
        """Have the oldest clip that was played make room; return whether there was one. Its message stays."""
        statement = (
            "UPDATE sounds SET sound = NULL WHERE ref = (SELECT ref FROM incoming JOIN sounds USING (ref) "
            "WHERE state = 'played' AND sound IS NOT NULL ORDER BY seq, ref LIMIT 1)"
        )
        return self._file.write(statement) == 1

    # ---------------------------------------------------------------- while a clip is fetched

    def store_announcement(self, ref: str, announced: ItemVoice) -> bool:
        """Remember what is to be fetched; return False if chunks were held that another manifest makes worthless."""
        held = self.find_transfer(ref)
        with self._file.transaction():
            changed = held is not None and _made_of(held.announced) != _made_of(announced)
            if changed:
                self._items.forget_sound(ref)
            self._file.write(
                "INSERT OR REPLACE INTO transfers VALUES (?, ?, ?)",
                ref, announced.model_dump_json(by_alias=True), announced.voice.bytes,
            )  # fmt: skip
        return not (changed and held is not None and held.held)

    def find_transfer(self, ref: str) -> Transfer | None:
        """Return how far a clip is; None: it is not being fetched."""
        text = self._file.value("SELECT announced FROM transfers WHERE ref = ?", ref)
        if text is None:
            return None
        rows = self._file.rows("SELECT number FROM transfer_chunks WHERE ref = ?", ref)
        return Transfer(ref, ItemVoice.model_validate_json(text), frozenset(int(row[0]) for row in rows))

    def store_chunk(self, ref: str, number: int, sound: bytes) -> None:
        """Keep one chunk; of the same number the last counts. It is on disk when this returns."""
        self._file.write("INSERT OR REPLACE INTO transfer_chunks VALUES (?, ?, ?)", ref, number, sound)

    def joined_chunks(self, ref: str) -> bytes:
        """Return the chunks that are here, in their order."""
        rows = self._file.rows("SELECT sound FROM transfer_chunks WHERE ref = ? ORDER BY number", ref)
        return b"".join(row[0] for row in rows)

    def forget_chunks(self, ref: str) -> None:
        """Start over: what came is worth nothing."""
        self._file.write("DELETE FROM transfer_chunks WHERE ref = ?", ref)

    def forget_transfer(self, ref: str) -> None:
        """Fetch this clip no longer."""
        with self._file.transaction():
            self._items.forget_sound(ref)

    # ---------------------------------------------------------------- once it is whole

    def store_clip(self, transfer: Transfer, sound: bytes, receipt: OwedReceipt) -> Incoming:
        """Make a fetched clip an item of the inbox and owe its receipt, in one step with forgetting its chunks."""
        said, voice = transfer.announced, transfer.announced.voice
        item = Incoming(
            transfer.ref, said.seq, said.kind, said.sender, "", said.tst, IncomingState.DELIVERED, voice.duration_ms
        )
        with self._file.transaction():
            self._items.forget_sound(transfer.ref)
            self._items.insert(item)
            self._file.write(
                "INSERT INTO sounds VALUES (?, ?, ?, ?)", transfer.ref, str(voice.codec), voice.duration_ms, sound
            )
            self._items.owe(receipt)
        return item

    def find(self, ref: str) -> bytes | None:
        """Return a clip that is here; None: it never came, or it made room for another."""
        sound = self._file.value("SELECT sound FROM sounds WHERE ref = ?", ref)
        return None if sound is None else bytes(sound)


def _made_of(announced: ItemVoice) -> tuple[str, int, int, int]:
    # The page names hash and count; chunks cut elsewhere do not fit either, however many they are.
    voice = announced.voice
    return voice.sha256, voice.chunks, voice.chunk_bytes, voice.bytes
