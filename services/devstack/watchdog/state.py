"""The file in which a run of the watchdog leaves to the next one what it saw and sent."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from services.devstack.watchdog.rules import Seen, Trouble


@contextlib.contextmanager
def only_one(path: Path) -> Iterator[bool]:
    """Hold the lock of the file for the block; yield False where another run holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(descriptor)


def read_state(path: Path) -> Seen:
    """Return what the last run left; a file that is missing or damaged counts as none, so that trouble is told."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        asked_at = _times({Trouble.BALANCE.value: stored["balance_asked_at"]} if stored["balance_asked_at"] else {})
        return Seen(
            _times(stored["since"]), _times(stored["told_at"]), str(stored["well_on"]), asked_at.get(Trouble.BALANCE)
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Seen()


def write_state(path: Path, seen: Seen) -> None:
    """Replace the file."""
    content = {
        "since": {trouble.value: at.isoformat() for trouble, at in seen.since.items()},
        "told_at": {trouble.value: at.isoformat() for trouble, at in seen.told_at.items()},
        "well_on": seen.well_on,
        "balance_asked_at": seen.balance_asked_at.isoformat() if seen.balance_asked_at else None,
    }
    coming = path.with_suffix(".coming")
    coming.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    coming.replace(path)


def _times(stored: Mapping[str, str]) -> dict[Trouble, datetime]:
    known = {trouble.value for trouble in Trouble}
    times = {Trouble(name): datetime.fromisoformat(at) for name, at in stored.items() if name in known}
    if any(at.tzinfo is None for at in times.values()):
        message = "a time without a zone"
        raise ValueError(message)
    return times
