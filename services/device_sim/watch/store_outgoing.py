"""Everything the watch recorded, kept until its receipt, and its state at each recipient."""

from __future__ import annotations

from services.device_sim.sqlite_file import SqliteFile
from services.device_sim.watch.records import Outgoing, OutgoingState, SentState
from services.protocol.topics import UplinkKind

_COLUMNS = "number, wire_id, kind, payload, state, detail, retry_at"
_PENDING = "state IN ('queued', 'sent')"
# The furthest state is shown; an earlier state that comes late does not replace it.
_STATE_ORDER = {"delivered": 1, "expired": 2, "rejected": 2, "played": 3}


def _outgoing(row: tuple[int, str, str, bytes, str, str | None, float | None]) -> Outgoing:
    number, wire_id, kind, payload, state, detail, retry_at = row
    return Outgoing(number, wire_id, kind, payload, OutgoingState(state), detail, retry_at)


class OutgoingStore:
    """Everything the watch recorded, in the order of recording."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    def keep(self, wire_id: str, kind: str, payload: bytes) -> Outgoing:
        """Keep an uplink until its receipt; it is on disk when this returns."""
        row = self._file.row(
            "INSERT INTO outgoing (wire_id, kind, payload, state) VALUES (?, ?, ?, 'queued') RETURNING number",
            wire_id,
            kind,
            payload,
        )
        if row is None:
            raise RuntimeError("SQLite returned no row for an insert")
        return self.get(int(row[0]))

    def keep_recording(self, wire_id: str, end: bytes, chunk_bytes: int, sound: bytes) -> Outgoing:
        """Keep a recording and its `end` until its receipt; every byte is on disk when this returns."""
        with self._file.transaction():
            kept = self.keep(wire_id, UplinkKind.VOICE_END.value, end)
            self._file.write("INSERT INTO recordings VALUES (?, ?, ?)", kept.number, chunk_bytes, sound)
        return kept

    def recorded_chunk(self, number: int, chunk: int) -> bytes:
        """Return one chunk of a recording; empty once the recording is deleted, and beyond its end."""
        statement = "SELECT substr(sound, ? * chunk_bytes + 1, chunk_bytes) FROM recordings WHERE number = ?"
        return bytes(self._file.value(statement, chunk, number) or b"")

    def pending(self) -> list[Outgoing]:
        """Return the uplinks without a final receipt, in the order of recording."""
        rows = self._file.rows(f"SELECT {_COLUMNS} FROM outgoing WHERE {_PENDING} ORDER BY number")  # noqa: S608 - our own column names
        return [_outgoing(row) for row in rows]

    def all(self) -> list[Outgoing]:
        """Return everything recorded since the pairing, oldest first."""
        return [_outgoing(row) for row in self._file.rows(f"SELECT {_COLUMNS} FROM outgoing ORDER BY number")]  # noqa: S608 - our own column names

    def find(self, wire_id: str) -> Outgoing | None:
        """Return the uplink with this id."""
        row = self._file.row(f"SELECT {_COLUMNS} FROM outgoing WHERE wire_id = ?", wire_id)  # noqa: S608 - our own column names
        return None if row is None else _outgoing(row)

    def get(self, number: int) -> Outgoing:
        """Return the uplink with this number; raises KeyError."""
        row = self._file.row(f"SELECT {_COLUMNS} FROM outgoing WHERE number = ?", number)  # noqa: S608 - our own column names
        if row is None:
            raise KeyError(number)
        return _outgoing(row)

    def mark_sent(self, number: int) -> None:
        """Mark an uplink as published; it may not have arrived."""
        self._file.write(
            "UPDATE outgoing SET state = 'sent', retry_at = NULL WHERE number = ? AND state = 'queued'", number
        )

    def mark_answered(self, wire_id: str, state: OutgoingState, detail: str | None = None) -> bool:
        """Record a final receipt and free the recording; return False for a repeated or unknown one."""
        statement = f"UPDATE outgoing SET state = ?, detail = ?, retry_at = NULL WHERE wire_id = ? AND {_PENDING}"  # noqa: S608 - our own column names
        with self._file.transaction():
            done = self._file.write(statement, state.value, detail, wire_id) == 1
            if done:
                self._file.write(
                    "DELETE FROM recordings WHERE number = (SELECT number FROM outgoing WHERE wire_id = ?)", wire_id
                )
        return done

    def postpone(self, wire_id: str, retry_at: float) -> None:
        """Record a `retry`: not again before this time of the own clock."""
        self._file.write(f"UPDATE outgoing SET retry_at = ? WHERE wire_id = ? AND {_PENDING}", retry_at, wire_id)  # noqa: S608 - our own column names

    def give_fresh_id(self, number: int, wire_id: str, payload: bytes) -> None:
        """Resolve an id conflict: the same uplink under a fresh id, with the payload that carries it."""
        statement = "UPDATE outgoing SET wire_id = ?, payload = ?, state = 'queued', retry_at = NULL WHERE number = ?"
        self._file.write(statement, wire_id, payload, number)

    # ---------------------------------------------------------------- what became of it

    def record_sent_state(self, state: SentState) -> bool:
        """Record a `down/state`; return whether it is news. An earlier state never replaces a later one."""
        kept_state = self._file.value(
            'SELECT state FROM sent_states WHERE wire_id = ? AND "by" = ?', state.wire_id, state.by
        )
        if kept_state is not None and _STATE_ORDER.get(state.state, 0) <= _STATE_ORDER.get(kept_state, 0):
            return False
        self._file.write(
            "INSERT OR REPLACE INTO sent_states VALUES (?, ?, ?, ?)", state.wire_id, state.by, state.state, state.detail
        )
        return True

    def sent_states(self, wire_id: str | None = None) -> list[SentState]:
        """Return the states of one message, or of all, at each recipient."""
        rows = self._file.rows('SELECT wire_id, "by", state, detail FROM sent_states ORDER BY rowid')
        return [SentState(*row) for row in rows if wire_id in {None, row[0]}]
