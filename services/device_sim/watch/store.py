"""The watch's own memory: one SQLite file that survives kill -9 at any point. Every method is one transaction.

`synchronous=FULL`: when a method returns, its writes are on disk; only then may the watch report to the backend.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from services.device_sim.sqlite_file import SqliteFile
from services.device_sim.watch.records import FactoryIdentity
from services.device_sim.watch.store_items import ItemStore
from services.device_sim.watch.store_outgoing import OutgoingStore
from services.device_sim.watch.store_sounds import SoundStore
from services.protocol.downlink import Config, Contact
from services.protocol.pairing import Credentials, PairedWithCredentials

_TABLES = """
CREATE TABLE IF NOT EXISTS watch (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    serial TEXT NOT NULL, secret TEXT NOT NULL,
    boot INTEGER NOT NULL DEFAULT 0,
    server_ahead_s REAL,                        -- server time minus own clock; NULL: no clock yet
    pairing_asked INTEGER NOT NULL DEFAULT 0    -- a code was asked for and no credentials have come
);
CREATE TABLE IF NOT EXISTS paired (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    username TEXT NOT NULL,
    child_name TEXT NOT NULL,
    credentials TEXT,                           -- NULL: lost; the name is still known, so that `unpaired` can name it
    contacts_version INTEGER NOT NULL DEFAULT 0,
    contacts TEXT NOT NULL DEFAULT '[]',
    config_version INTEGER NOT NULL DEFAULT 0,
    config TEXT
);
CREATE TABLE IF NOT EXISTS battery (only INTEGER PRIMARY KEY CHECK (only = 1), level_pct REAL NOT NULL);
CREATE TABLE IF NOT EXISTS screen_lock (only INTEGER PRIMARY KEY CHECK (only = 1));
CREATE TABLE IF NOT EXISTS outgoing (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    wire_id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, payload BLOB NOT NULL,
    state TEXT NOT NULL, detail TEXT, retry_at REAL
);
CREATE TABLE IF NOT EXISTS recordings (          -- the sound of what stands in outgoing, until its receipt
    number INTEGER PRIMARY KEY, chunk_bytes INTEGER NOT NULL, sound BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS sent_states (
    wire_id TEXT NOT NULL, "by" TEXT NOT NULL, state TEXT NOT NULL, detail TEXT,
    PRIMARY KEY (wire_id, "by")
);
CREATE TABLE IF NOT EXISTS incoming (
    ref TEXT PRIMARY KEY, seq INTEGER NOT NULL, kind TEXT NOT NULL, sender TEXT NOT NULL, text TEXT NOT NULL,
    tst INTEGER NOT NULL, state TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS receipts (
    ref TEXT NOT NULL, state TEXT NOT NULL, "of" TEXT NOT NULL, detail TEXT, tst INTEGER NOT NULL,
    boot INTEGER, mono_s INTEGER, number INTEGER PRIMARY KEY AUTOINCREMENT,
    UNIQUE (ref, state, "of")
);
CREATE TABLE IF NOT EXISTS sounds (              -- of what stands in incoming; sound NULL: it made room for another
    ref TEXT PRIMARY KEY, codec TEXT NOT NULL, duration_ms INTEGER, sound BLOB
);
CREATE TABLE IF NOT EXISTS transfers (ref TEXT PRIMARY KEY, announced TEXT NOT NULL, size_bytes INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS transfer_chunks (
    ref TEXT NOT NULL, number INTEGER NOT NULL, sound BLOB NOT NULL, PRIMARY KEY (ref, number)
);
"""
_OF_A_PAIRING = (
    "paired", "screen_lock", "outgoing", "recordings", "sent_states", "incoming", "receipts", "sounds", "transfers",
    "transfer_chunks",
)  # fmt: skip


class WatchFolderError(Exception):
    """The folder cannot be this watch's memory; the message says why, for people."""


class WatchStore:
    """One watch's memory in a folder. A second process (or object) on the same folder is refused.

    The watch itself, its pairing and its lists are here; :attr:`items`, :attr:`sounds` and :attr:`outgoing` are parts.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock: sqlite3.Connection | None = _locked(folder / "lock")
        self._file = SqliteFile(folder / "watch.sqlite3")
        self._file.create_tables(_TABLES)
        self.items = ItemStore(self._file)
        self.sounds = SoundStore(self._file, self.items)
        self.outgoing = OutgoingStore(self._file)

    def close(self) -> None:
        """Release the folder; repeating the call does nothing."""
        lock, self._lock = self._lock, None
        if lock is not None:
            self._file.close()
            lock.close()

    # ---------------------------------------------------------------- the watch itself

    def battery_pct(self) -> float | None:
        """Return the charge that the battery was left with; None: it never changed."""
        rows = self._file.rows("SELECT level_pct FROM battery")
        return float(rows[0][0]) if rows else None

    def set_battery_pct(self, level_pct: float) -> None:
        """Remember the charge."""
        self._file.write("INSERT OR REPLACE INTO battery (only, level_pct) VALUES (1, ?)", level_pct)

    def set_factory_identity(self, identity: FactoryIdentity) -> None:
        """Store serial and secret once; the same values again change nothing, another serial is refused."""
        kept = self.factory_identity()
        if kept is None:
            self._file.write(
                "INSERT INTO watch (only, serial, secret) VALUES (1, ?, ?)", identity.serial, identity.secret
            )
        elif kept.serial != identity.serial:
            raise WatchFolderError("this folder is the memory of another watch")
        elif kept != identity:
            # A replaced secret (the register issued a new one) belongs to the same watch.
            self._file.write("UPDATE watch SET secret = ?", identity.secret)

    def factory_identity(self) -> FactoryIdentity | None:
        """Return the factory identity, None for a fresh folder."""
        row = self._file.row("SELECT serial, secret FROM watch")
        return None if row is None else FactoryIdentity(*row)

    def count_boot(self) -> int:
        """Count one more boot and return its number."""
        self._file.write("UPDATE watch SET boot = boot + 1")
        return int(self._file.value("SELECT boot FROM watch"))

    def server_ahead_s(self) -> float | None:
        """Return how far server time is ahead of the own clock in seconds; None before the first `down/time`."""
        value = self._file.value("SELECT server_ahead_s FROM watch")
        return None if value is None else float(value)

    def set_server_ahead(self, seconds: float) -> None:
        """Store how far server time is ahead, in seconds."""
        self._file.write("UPDATE watch SET server_ahead_s = ?", seconds)

    def is_pairing_asked(self) -> bool:
        """Return whether a code was requested and no credentials have come since."""
        return bool(self._file.value("SELECT pairing_asked FROM watch"))

    def set_pairing_asked(self, *, asked: bool) -> None:
        """Store that a code was requested, so that a restarted watch asks for its state."""
        self._file.write("UPDATE watch SET pairing_asked = ?", int(asked))

    def is_locked(self) -> bool:
        """Return whether the screen is locked; another pairing unlocks it."""
        return self._file.row("SELECT only FROM screen_lock") is not None

    def set_locked(self, *, locked: bool) -> None:
        """Lock or unlock the screen."""
        self._file.write("INSERT OR IGNORE INTO screen_lock VALUES (1)" if locked else "DELETE FROM screen_lock")

    # ---------------------------------------------------------------- the pairing

    def credentials(self) -> Credentials | None:
        """Return the paired watch's credentials; None while unpaired or after they were lost."""
        text = self._file.value("SELECT credentials FROM paired")
        return Credentials.model_validate_json(text) if text else None

    def username(self) -> str | None:
        """Return the user name of the stored pairing, also when its credentials were lost."""
        name = self._file.value("SELECT username FROM paired")
        return None if name is None else str(name)

    def child_name(self) -> str | None:
        """Return the child's name that came with the credentials."""
        name = self._file.value("SELECT child_name FROM paired")
        return None if name is None else str(name)

    def store_credentials(self, answer: PairedWithCredentials) -> bool:
        """Store a pairing; return whether it differs from the one before.

        Data of another pairing is erased in the same step: the watch cannot know whether the next family is the same,
        and the next family must not see anything of the first.
        """
        other = self.username() != answer.credentials.username
        with self._file.transaction():
            if other:
                self._erase_pairing()
                self._file.write(
                    "INSERT INTO paired (only, username, child_name, credentials) VALUES (1, ?, ?, ?)",
                    answer.credentials.username,
                    answer.child_name,
                    answer.credentials.model_dump_json(),
                )
            else:
                self._file.write(
                    "UPDATE paired SET child_name = ?, credentials = ?",
                    answer.child_name,
                    answer.credentials.model_dump_json(),
                )
            self._file.write("UPDATE watch SET pairing_asked = 0")
        if other:
            self._file.fold_log()
        return other

    def lose_credentials(self) -> None:
        """Forget only the credentials, as worn flash memory would."""
        self._file.write("UPDATE paired SET credentials = NULL")

    def wipe(self, *, pairing_asked: bool = False) -> None:
        """Erase everything of the pairing; serial, secret, boot count and a requested code stay."""
        with self._file.transaction():
            self._erase_pairing()
            self._file.write("UPDATE watch SET pairing_asked = ?", int(pairing_asked))
        self._file.fold_log()

    def _erase_pairing(self) -> None:
        for table in _OF_A_PAIRING:
            self._file.write(f"DELETE FROM {table}")  # noqa: S608 - names from the tuple above

    # ---------------------------------------------------------------- lists

    def contacts(self) -> list[Contact]:
        """Return the contacts, in the family's order."""
        text = self._file.value("SELECT contacts FROM paired")
        contacts = [Contact.model_validate(entry) for entry in json.loads(text or "[]")]
        return sorted(contacts, key=lambda contact: contact.position)

    def contacts_version(self) -> int:
        """Return the stored version of the contacts; 0: none."""
        return int(self._file.value("SELECT contacts_version FROM paired") or 0)

    def set_contacts(self, version: int, contacts: Sequence[Contact]) -> None:
        """Replace the whole list by another version, even a lower one."""
        text = json.dumps([contact.model_dump(mode="json") for contact in contacts], ensure_ascii=False)
        self._file.write("UPDATE paired SET contacts_version = ?, contacts = ?", version, text)

    def config(self) -> Config | None:
        """Return the stored settings; None before the first."""
        text = self._file.value("SELECT config FROM paired")
        return Config.model_validate_json(text) if text else None

    def config_version(self) -> int:
        """Return the stored version of the settings; 0: none."""
        return int(self._file.value("SELECT config_version FROM paired") or 0)

    def set_config(self, config: Config) -> None:
        """Replace the settings by another version, even a lower one."""
        self._file.write("UPDATE paired SET config_version = ?, config = ?", config.version, config.model_dump_json())


def _locked(path: Path) -> sqlite3.Connection:
    """Return an open exclusive lock on an empty file; raises WatchFolderError while another holder lives.

    SQLite locks files on every system and the lock ends with the process, also after kill -9; `fcntl` exists on POSIX
    systems only.
    """
    lock = sqlite3.connect(path, isolation_level=None, timeout=0)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError:
        lock.close()
        raise WatchFolderError("another simulated watch is running on this folder") from None
    return lock
