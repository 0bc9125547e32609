"""The memory of a parent's phone: session, messages without a 201 so far, and the position in the event stream."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

from services.device_sim.parent.records import Session
from services.device_sim.parent.types import StoredSession, Waiting
from services.device_sim.sqlite_file import SqliteFile

_TABLES = """
CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS waiting (
    number INTEGER PRIMARY KEY AUTOINCREMENT, "key" TEXT NOT NULL UNIQUE, child_id TEXT NOT NULL, body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS waiting_sounds (
    "key" TEXT PRIMARY KEY, media_type TEXT NOT NULL, in_parts INTEGER NOT NULL, sound BLOB NOT NULL
);
"""


class ParentStore:
    """One parent's memory in a folder; it survives kill -9 at any point."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = SqliteFile(folder / "parent.sqlite3")
        self._file.create_tables(_TABLES)

    def close(self) -> None:
        """Close the file; repeating the call does nothing."""
        self._file.close()

    def _kept(self, name: str) -> str | None:
        value = self._file.value("SELECT value FROM kept WHERE name = ?", name)
        return None if value is None else str(value)

    def _keep(self, name: str, value: str | None) -> None:
        if value is None:
            self._file.write("DELETE FROM kept WHERE name = ?", name)
        else:
            self._file.write("INSERT OR REPLACE INTO kept VALUES (?, ?)", name, value)

    def session(self) -> StoredSession | None:
        """Return the session; None while logged out."""
        text = self._kept("session")
        return None if text is None else StoredSession(**json.loads(text))

    def set_session(self, session: Session | None) -> None:
        """Store the newest tokens: a refresh token works once."""
        if session is None:
            self._keep("session", None)
            return
        self._keep(
            "session",
            json.dumps(
                {
                    "access_token": session.access_token,
                    "refresh_token": session.refresh_token,
                    "guardian_id": session.guardian_id,
                }
            ),
        )

    def challenge(self, phone: str) -> tuple[str, str] | None:
        """Return id and secret of the challenge of the newest code requested for this phone."""
        kept = self._kept(f"challenge {phone}")
        if kept is None:
            return None
        challenge_id, secret = json.loads(kept)
        return str(challenge_id), str(secret)

    def set_challenge(self, phone: str, challenge_id: str, secret: str) -> None:
        """Store the challenge until its code is entered, also over a restart."""
        self._keep(f"challenge {phone}", json.dumps([challenge_id, secret]))

    def device_token(self, phone: str) -> str | None:
        """Return the token by which the backend knows this device for this number."""
        return self._kept(f"device {phone}")

    def set_device_token(self, phone: str, token: str) -> None:
        """Store the device token; it reveals nothing about a family and outlives the session."""
        self._keep(f"device {phone}", token)

    def cursor(self) -> str | None:
        """Return the position in the event stream."""
        return self._kept("cursor")

    def set_cursor(self, cursor: str) -> None:
        """Store the position in the event stream."""
        self._keep("cursor", cursor)

    def keep_message(self, child_id: str, body: dict[str, str]) -> Waiting:
        """Store a message until its 201, under a key made once."""
        key = str(uuid.uuid4())
        self._file.write(
            'INSERT INTO waiting ("key", child_id, body) VALUES (?, ?, ?)',
            key,
            child_id,
            json.dumps(body, ensure_ascii=False),
        )
        return Waiting(key, child_id, body)

    def keep_recording(self, child_id: str, sound: bytes, media_type: str, *, in_parts: bool) -> Waiting:
        """Store a recording until its 201, under a key made once; every byte is on disk when this returns."""
        with self._file.transaction():
            kept = self.keep_message(child_id, {"kind": "voice"})
            self._file.write("INSERT INTO waiting_sounds VALUES (?, ?, ?, ?)", kept.key, media_type, in_parts, sound)
        return Waiting(kept.key, child_id, kept.body, media_type, in_parts)

    def waiting(self) -> list[Waiting]:
        """Return the unanswered messages, oldest first."""
        rows = self._file.rows(
            'SELECT "key", child_id, body, media_type, in_parts FROM waiting LEFT JOIN waiting_sounds USING ("key") '
            "ORDER BY number"
        )
        return [
            Waiting(key, child_id, json.loads(body), media_type, bool(in_parts))
            for key, child_id, body, media_type, in_parts in rows
        ]

    def waiting_sound(self, key: str) -> bytes:
        """Return the recording of an unanswered message; empty once it was answered."""
        return bytes(self._file.value('SELECT sound FROM waiting_sounds WHERE "key" = ?', key) or b"")

    def forget_message(self, key: str) -> None:
        """Delete an answered message."""
        with self._file.transaction():
            self._file.write('DELETE FROM waiting WHERE "key" = ?', key)
            self._file.write('DELETE FROM waiting_sounds WHERE "key" = ?', key)

    def erase(self) -> None:
        """Delete everything but the device tokens, as a phone does at log-out."""
        with self._file.transaction():
            self._file.write("DELETE FROM kept WHERE name NOT LIKE 'device %'")
            self._file.write("DELETE FROM waiting")
            self._file.write("DELETE FROM waiting_sounds")
