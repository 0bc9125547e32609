"""What the watch received, and the receipts it owes for it."""

from __future__ import annotations

from services.device_sim.watch.records import Incoming, IncomingState, OwedReceipt
from services.device_sim.watch.store_base import StoreBase

_COLUMNS = "ref, seq, kind, sender, text, tst, state"
_SHOWN = f"SELECT {_COLUMNS}, duration_ms FROM incoming LEFT JOIN sounds USING (ref)"  # noqa: S608 - our own names


def _incoming(row: tuple[str, int, str, str, str, int, str, int | None]) -> Incoming:
    ref, seq, kind, sender, text, tst, state, duration_ms = row
    return Incoming(ref, seq, kind, sender, text, tst, IncomingState(state), duration_ms)


def _owed(row: tuple[str, str, str, str | None, int, int | None, int | None]) -> OwedReceipt:
    ref, state, of, detail, tst, boot, mono_s = row
    return OwedReceipt(ref, state, of or None, detail, tst, boot, mono_s)


class InboxStore(StoreBase):
    """Items by ref, shown in `seq` order. An item and the receipt it causes are one transaction."""

    def take_item(self, item: Incoming, receipt: OwedReceipt) -> bool:
        """Store an item and owe its receipt; return False for a ref that is known (the receipt is owed again)."""
        with self._transaction():
            new = self._insert(item)
            self._owe(receipt)
        return new

    def _insert(self, item: Incoming) -> bool:
        statement = f"INSERT OR IGNORE INTO incoming ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - our own column names
        values = (item.ref, item.seq, item.kind, item.sender, item.text, item.tst, item.state.value)
        return self._write(statement, *values) == 1

    def take_removal(self, removed_ref: str, announcement: Incoming, receipt: OwedReceipt) -> bool:
        """Forget the content of an item and owe the receipt of the announcement; return False for a repeat.

        The ref stays known, so that a late repeat of the item itself brings nothing back.
        """
        with self._transaction():
            new = self._one("SELECT 1 FROM incoming WHERE ref = ?", announcement.ref) is None
            for ref, seq in ((removed_ref, announcement.seq), (announcement.ref, announcement.seq)):
                self._write(
                    f"INSERT INTO incoming ({_COLUMNS}) VALUES (?, ?, 'removed', '', '', 0, 'removed') "  # noqa: S608 - our own column names
                    "ON CONFLICT (ref) DO UPDATE SET text = '', sender = '', state = 'removed'",
                    ref,
                    seq,
                )
            self._forget_sound(removed_ref)
            self._owe(receipt)
        return new

    def take_played(self, ref: str, receipt: OwedReceipt) -> bool:
        """Mark an item as read and owe `played`; return False if it is not there or was read before."""
        with self._transaction():
            done = self._write("UPDATE incoming SET state = 'played' WHERE ref = ? AND state = 'delivered'", ref) == 1
            if done:
                self._owe(receipt)
        return done

    def find_item(self, ref: str) -> Incoming | None:
        """Return the item, None if it never came."""
        row = self._one(f"{_SHOWN} WHERE ref = ?", ref)
        return None if row is None else _incoming(row)

    def inbox(self) -> list[Incoming]:
        """Return what the child can see, in server order, whatever order it came in."""
        rows = self._all(f"{_SHOWN} WHERE state IN ('delivered', 'played') ORDER BY seq, ref")
        return [_incoming(row) for row in rows]

    def _forget_sound(self, ref: str) -> None:
        """Forget what is here of a clip, whole or not; inside the caller's transaction."""
        for table in ("sounds", "transfers", "transfer_chunks"):
            self._write(f"DELETE FROM {table} WHERE ref = ?", ref)  # noqa: S608 - our own table names

    # ---------------------------------------------------------------- receipts

    def owe(self, receipt: OwedReceipt) -> None:
        """Owe a receipt until it is answered; a repeat keeps the first one's time."""
        self._owe(receipt)

    def _owe(self, receipt: OwedReceipt) -> None:
        self._write(
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
        """Return the receipts nobody has answered, oldest first: `delivered` before `played`."""
        rows = self._all('SELECT ref, state, "of", detail, tst, boot, mono_s FROM receipts ORDER BY number')
        return [_owed(row) for row in rows]

    def find_receipt(self, ref: str, state: str, of: str) -> OwedReceipt | None:
        """Return the receipt if it is still owed."""
        statement = (
            'SELECT ref, state, "of", detail, tst, boot, mono_s FROM receipts WHERE ref = ? AND state = ? AND "of" = ?'
        )
        row = self._one(statement, ref, state, of)
        return None if row is None else _owed(row)

    def settle_receipt(self, ref: str, state: str, of: str | None) -> bool:
        """Take the answer to a receipt; return False if none was owed."""
        statement = 'DELETE FROM receipts WHERE ref = ? AND state = ? AND "of" = ?'
        return self._write(statement, ref, state, of or "") == 1
