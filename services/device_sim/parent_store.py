"""The parent's phone's memory: session, messages not yet answered with 201, and how far events were read."""

from __future__ import annotations

import json
import sqlite3
import uuid
from pathlib import Path

from services.device_sim.parent_types import Session, Waiting
from services.device_sim.store_base import StoreBase

_TABLES = """
CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS waiting (
    number INTEGER PRIMARY KEY AUTOINCREMENT, "key" TEXT NOT NULL UNIQUE, child_id TEXT NOT NULL, body TEXT NOT NULL
);
"""


class ParentStore(StoreBase):
    """One parent's memory in a folder; survives kill -9 at any point."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._database = sqlite3.connect(folder / "parent.sqlite3", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.execute("PRAGMA secure_delete = ON")
        for statement in _TABLES.split(";\n"):
            self._database.execute(statement)

    def close(self) -> None:
        """Close the file; a repeat does nothing."""
        self._database.close()

    def _kept(self, name: str) -> str | None:
        value = self._one_of("SELECT value FROM kept WHERE name = ?", name)
        return None if value is None else str(value)

    def _keep(self, name: str, value: str | None) -> None:
        if value is None:
            self._write("DELETE FROM kept WHERE name = ?", name)
        else:
            self._write("INSERT OR REPLACE INTO kept VALUES (?, ?)", name, value)

    def session(self) -> Session | None:
        """Return the session, None when nobody is logged in."""
        text = self._kept("session")
        return None if text is None else Session(**json.loads(text))

    def set_session(self, session: Session | None) -> None:
        """Keep the newest tokens: a refresh token works once."""
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
        """Return id and secret of the challenge of the newest code asked for this phone."""
        kept = self._kept(f"challenge {phone}")
        if kept is None:
            return None
        challenge_id, secret = json.loads(kept)
        return str(challenge_id), str(secret)

    def set_challenge(self, phone: str, challenge_id: str, secret: str) -> None:
        """Keep the challenge until its code is typed, also over a restart."""
        self._keep(f"challenge {phone}", json.dumps([challenge_id, secret]))

    def device_token(self, phone: str) -> str | None:
        """Return what this device is known by when it logs in with this number."""
        return self._kept(f"device {phone}")

    def set_device_token(self, phone: str, token: str) -> None:
        """Keep what this device is known by; it says nothing of a family and outlives the session."""
        self._keep(f"device {phone}", token)

    def cursor(self) -> str | None:
        """Return where events were read to."""
        return self._kept("cursor")

    def set_cursor(self, cursor: str) -> None:
        """Remember where events were read to."""
        self._keep("cursor", cursor)

    def keep_message(self, child_id: str, body: dict[str, str]) -> Waiting:
        """Keep a message until 201, under a key made once."""
        key = str(uuid.uuid4())
        self._write(
            'INSERT INTO waiting ("key", child_id, body) VALUES (?, ?, ?)',
            key,
            child_id,
            json.dumps(body, ensure_ascii=False),
        )
        return Waiting(key, child_id, body)

    def waiting(self) -> list[Waiting]:
        """Return what was not answered yet, oldest first."""
        rows = self._all('SELECT "key", child_id, body FROM waiting ORDER BY number')
        return [Waiting(key, child_id, json.loads(body)) for key, child_id, body in rows]

    def forget_message(self, key: str) -> None:
        """It was answered for good."""
        self._write('DELETE FROM waiting WHERE "key" = ?', key)

    def erase(self) -> None:
        """Forget everything but what the device is known by, as a phone does at log-out."""
        with self._transaction():
            self._write("DELETE FROM kept WHERE name NOT LIKE 'device %'")
            self._write("DELETE FROM waiting")
