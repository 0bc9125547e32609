"""Clips for the child: chunk by chunk while they are fetched, whole once their hash is checked."""

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
        """Return the bytes that sound takes; a clip that is being fetched counts as whole, except `besides`."""
        return int(self._file.value(_HELD_BYTES, besides))

    def free_oldest_played(self) -> bool:
        """Delete the sound of the oldest played clip; return whether there was one. Its message stays."""
        statement = (
            "UPDATE sounds SET sound = NULL WHERE ref = (SELECT ref FROM incoming JOIN sounds USING (ref) "
            "WHERE state = 'played' AND sound IS NOT NULL ORDER BY seq, ref LIMIT 1)"
        )
        return self._file.write(statement) == 1

    # ---------------------------------------------------------------- while a clip is fetched

    def store_announcement(self, ref: str, announced: ItemVoice) -> bool:
        """Store a manifest; return False if another manifest made stored chunks useless."""
        transfer = self.find_transfer(ref)
        with self._file.transaction():
            changed = transfer is not None and _made_of(transfer.announced) != _made_of(announced)
            if changed:
                self._items.forget_sound(ref)
            self._file.write(
                "INSERT OR REPLACE INTO transfers VALUES (?, ?, ?)",
                ref, announced.model_dump_json(by_alias=True), announced.voice.bytes,
            )  # fmt: skip
        return not (changed and transfer is not None and transfer.received)

    def find_transfer(self, ref: str) -> Transfer | None:
        """Return the progress of a fetch; None: this clip is not being fetched."""
        text = self._file.value("SELECT announced FROM transfers WHERE ref = ?", ref)
        if text is None:
            return None
        rows = self._file.rows("SELECT number FROM transfer_chunks WHERE ref = ?", ref)
        return Transfer(ref, ItemVoice.model_validate_json(text), frozenset(int(row[0]) for row in rows))

    def store_chunk(self, ref: str, number: int, sound: bytes) -> None:
        """Store one chunk; the last one with a number counts. It is on disk when this returns."""
        self._file.write("INSERT OR REPLACE INTO transfer_chunks VALUES (?, ?, ?)", ref, number, sound)

    def joined_chunks(self, ref: str) -> bytes:
        """Return the stored chunks, joined in their order."""
        rows = self._file.rows("SELECT sound FROM transfer_chunks WHERE ref = ? ORDER BY number", ref)
        return b"".join(row[0] for row in rows)

    def forget_chunks(self, ref: str) -> None:
        """Delete the chunks, so that the fetch starts over."""
        self._file.write("DELETE FROM transfer_chunks WHERE ref = ?", ref)

    def forget_transfer(self, ref: str) -> None:
        """Stop fetching this clip."""
        with self._file.transaction():
            self._items.forget_sound(ref)

    # ---------------------------------------------------------------- once it is whole

    def store_clip(self, transfer: Transfer, sound: bytes, receipt: OwedReceipt) -> Incoming:
        """Turn a fetched clip into an item of the inbox, owe its receipt and delete its chunks, in one transaction."""
        announced, voice = transfer.announced, transfer.announced.voice
        item = Incoming(
            transfer.ref,
            announced.seq,
            announced.kind,
            announced.sender,
            "",
            announced.tst,
            IncomingState.DELIVERED,
            voice.duration_ms,
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
        """Return a stored clip; None: it never came, or its sound was deleted to make room."""
        sound = self._file.value("SELECT sound FROM sounds WHERE ref = ?", ref)
        return None if sound is None else bytes(sound)


def _made_of(announced: ItemVoice) -> tuple[str, int, int, int]:
    # The protocol names hash and count. Chunks of another size do not fit either, whatever their number.
    voice = announced.voice
    return voice.sha256, voice.chunks, voice.chunk_bytes, voice.bytes
