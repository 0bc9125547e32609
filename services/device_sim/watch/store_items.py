"""Items that the watch received, and the receipts it owes for them."""

from __future__ import annotations

from services.device_sim.sqlite_file import SqliteFile
from services.device_sim.watch.records import Incoming, IncomingState, OwedReceipt

_COLUMNS = "ref, seq, kind, sender, text, tst, state"
_SHOWN = f"SELECT {_COLUMNS}, duration_ms FROM incoming LEFT JOIN sounds USING (ref)"  # noqa: S608 - our own names


def _incoming(row: tuple[str, int, str, str, str, int, str, int | None]) -> Incoming:
    ref, seq, kind, sender, text, tst, state, duration_ms = row
    return Incoming(ref, seq, kind, sender, text, tst, IncomingState(state), duration_ms)


def _owed(row: tuple[str, str, str, str | None, int, int | None, int | None]) -> OwedReceipt:
    ref, state, of, detail, tst, boot, mono_s = row
    return OwedReceipt(ref, state, of or None, detail, tst, boot, mono_s)


class ItemStore:
    """Items by ref, shown in `seq` order. An item and the receipt it causes are one transaction."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    def store(self, item: Incoming, receipt: OwedReceipt) -> bool:
        """Store an item and owe its receipt; return False for a known ref (its receipt is owed again)."""
        with self._file.transaction():
            new = self.insert(item)
            self.owe(receipt)
        return new

    def insert(self, item: Incoming) -> bool:
        """Insert an item, inside the caller's transaction; return False for a ref that is known."""
        statement = f"INSERT OR IGNORE INTO incoming ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - our own column names
        values = (item.ref, item.seq, item.kind, item.sender, item.text, item.tst, item.state.value)
        return self._file.write(statement, *values) == 1

    def remove(self, removed_ref: str, announcement: Incoming, receipt: OwedReceipt) -> bool:
        """Delete the content of an item and owe the announcement's receipt; return False for a repeated announcement.

        The ref stays known, so that a late repeat of the item restores nothing.
        """
        with self._file.transaction():
            new = self._file.row("SELECT 1 FROM incoming WHERE ref = ?", announcement.ref) is None
            for ref, seq in ((removed_ref, announcement.seq), (announcement.ref, announcement.seq)):
                self._file.write(
                    f"INSERT INTO incoming ({_COLUMNS}) VALUES (?, ?, 'removed', '', '', 0, 'removed') "  # noqa: S608 - our own column names
                    "ON CONFLICT (ref) DO UPDATE SET text = '', sender = '', state = 'removed'",
                    ref,
                    seq,
                )
            self.forget_sound(removed_ref)
            self.owe(receipt)
        return new

    def mark_played(self, ref: str, receipt: OwedReceipt) -> bool:
        """Mark an item as read and owe `played`; return False for an unknown item and for one read before."""
        with self._file.transaction():
            done = (
                self._file.write("UPDATE incoming SET state = 'played' WHERE ref = ? AND state = 'delivered'", ref) == 1
            )
            if done:
                self.owe(receipt)
        return done

    def find(self, ref: str) -> Incoming | None:
        """Return the item; None if it never came."""
        row = self._file.row(f"{_SHOWN} WHERE ref = ?", ref)
        return None if row is None else _incoming(row)

    def visible(self) -> list[Incoming]:
        """Return the visible items in server order, whatever order they came in."""
        rows = self._file.rows(f"{_SHOWN} WHERE state IN ('delivered', 'played') ORDER BY seq, ref")
        return [_incoming(row) for row in rows]

    def forget_sound(self, ref: str) -> None:
        """Delete a clip, whole or in part, inside the caller's transaction."""
        for table in ("sounds", "transfers", "transfer_chunks"):
            self._file.write(f"DELETE FROM {table} WHERE ref = ?", ref)  # noqa: S608 - our own table names

    # ---------------------------------------------------------------- receipts

    def owe(self, receipt: OwedReceipt) -> None:
        """Owe a receipt until it is answered; repeating it keeps the first one's time."""
        self._file.write(
            'INSERT OR IGNORE INTO receipts (ref, state, "of", detail, tst, boot, mono_s) VALUES (?, ?, ?, ?, ?, ?, ?)',
            receipt.ref,
            receipt.state,
            receipt.of or "",
            receipt.detail,
            receipt.tst,
            receipt.boot,
            receipt.mono_s,
        )

    def owed_receipts(self) -> list[OwedReceipt]:
        """Return the unanswered receipts, oldest first: `delivered` before `played`."""
        rows = self._file.rows('SELECT ref, state, "of", detail, tst, boot, mono_s FROM receipts ORDER BY number')
        return [_owed(row) for row in rows]

    def find_receipt(self, ref: str, state: str, of: str) -> OwedReceipt | None:
        """Return the receipt if it is still owed."""
        statement = (
            'SELECT ref, state, "of", detail, tst, boot, mono_s FROM receipts WHERE ref = ? AND state = ? AND "of" = ?'
        )
        row = self._file.row(statement, ref, state, of)
        return None if row is None else _owed(row)

    def settle_receipt(self, ref: str, state: str, of: str | None) -> bool:
        """Remove an answered receipt; return False if it was not owed."""
        statement = 'DELETE FROM receipts WHERE ref = ? AND state = ? AND "of" = ?'
        return self._file.write(statement, ref, state, of or "") == 1
